import { Radio } from '@mantine/core'
import type { ReactNode } from 'react'
import styles from './choice-card.module.css'

/** One of several ways as a card of a radio group: its name, a word on how it fits, and what speaks for and against. */
export function ChoiceCard({
  value,
  name,
  isChosen,
  isDisabled = false,
  mark,
  children,
}: {
  readonly value: string
  readonly name: ReactNode
  readonly isChosen: boolean
  readonly isDisabled?: boolean
  /** Stands at the right of the name. */
  readonly mark?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <div className={styles.card} data-chosen={isChosen || undefined}>
      <div className={styles.head}>
        <Radio value={value} label={name} disabled={isDisabled && !isChosen} fw={600} />
        {mark}
      </div>
      <div className={styles.body}>{children}</div>
    </div>
  )
}

/** Named facts of a card, those without words left out. */
export function CardFacts({ rows }: { readonly rows: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {rows
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name} className={styles.fact}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}
