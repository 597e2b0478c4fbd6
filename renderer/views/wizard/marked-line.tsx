import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { StatusShape } from '../../components/status-mark.tsx'
import type { Status } from '../../store/service-state.ts'
import styles from './choice-card.module.css'

/** A sentence with a mark before it, on as many lines as it needs; `more` stands below in smaller voice. */
export function MarkedLine({
  status,
  children,
  more,
}: {
  readonly status: Status
  readonly children: ReactNode
  readonly more?: ReactNode
}) {
  return (
    <div className={styles.marked}>
      <StatusShape status={status} />
      <div>
        <Text size="sm">{children}</Text>
        {more !== undefined && more !== null && more !== '' && (
          <Text size="sm" c="dimmed">
            {more}
          </Text>
        )}
      </div>
    </div>
  )
}
