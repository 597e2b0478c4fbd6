import type { ReactNode } from 'react'
import styles from './page.module.css'

/** A view: heading with what stands beside it, and the content below, which scrolls. */
export function Page({
  title,
  subtitle,
  actions,
  children,
  isFilled = false,
}: {
  readonly title: ReactNode
  readonly subtitle?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
  /** The content fills the view and scrolls by itself: tables, maps. */
  readonly isFilled?: boolean
}) {
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div className={styles.titles}>
          <h1 className={styles.title}>{title}</h1>
          {subtitle !== undefined && <div className={styles.subtitle}>{subtitle}</div>}
        </div>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      <div className={isFilled ? styles.filled : styles.content}>{children}</div>
    </div>
  )
}

/** A framed part of a view. */
export function Panel({
  title,
  aside,
  children,
  isFlush = false,
  label,
}: {
  readonly title?: ReactNode
  readonly aside?: ReactNode
  readonly children: ReactNode
  /** No padding: the content brings its own edges. */
  readonly isFlush?: boolean
  /** Name for readers of the screen where no title is shown. */
  readonly label?: string
}) {
  return (
    <section className={styles.panel} aria-label={label ?? (typeof title === 'string' ? title : undefined)}>
      {(title !== undefined || aside !== undefined) && (
        <div className={styles.panelHead}>
          <h2 className={styles.panelTitle}>{title}</h2>
          {aside !== undefined && <div className={styles.panelAside}>{aside}</div>}
        </div>
      )}
      <div className={isFlush ? undefined : styles.panelBody}>{children}</div>
    </section>
  )
}

/** Names and values in two columns. */
export function Facts({ rows }: { readonly rows: readonly (readonly [ReactNode, ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {rows.map(([name, value], i) => (
        // The rows of one list are fixed; their place is their identity.
        <div key={i} className={styles.fact}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

const tagClasses = { plain: styles.tag, warn: styles.tagWarn, foreign: styles.tagForeign }

/** Small word in a frame: DR, eBPF, production. */
export function Tag({
  children,
  tone = 'plain',
  title,
}: {
  readonly children: ReactNode
  readonly tone?: keyof typeof tagClasses
  readonly title?: string
}) {
  return (
    <span className={tagClasses[tone]} title={title}>
      {children}
    </span>
  )
}
