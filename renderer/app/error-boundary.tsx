import { Component, type ReactNode } from 'react'
import i18next from 'i18next'
import styles from './error-boundary.module.css'

interface Props {
  readonly children: ReactNode
}

/** A defect of the page itself: says so, keeps the facts to copy, and offers to load the page anew. */
export class ErrorBoundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null }

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    return (
      <main className={styles.box} role="alert">
        <h1>{i18next.t('defect.title')}</h1>
        <p>{i18next.t('defect.sentence')}</p>
        <pre className={styles.details}>{error.stack ?? error.message}</pre>
        <p>
          <button type="button" onClick={() => window.location.reload()}>
            {i18next.t('defect.reload')}
          </button>
        </p>
      </main>
    )
  }
}
