import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { WireError } from '../../core/contract/errors.ts'
import { CopyTextButton } from './copy.tsx'
import { Icon } from './icon.tsx'
import styles from './inline-error.module.css'
import { type IssueTarget, IssueList } from './issue-summary.tsx'

/**
 * What happened, why, what to do, and the facts folded below with Copy. Stands where it happened; a toast never holds
 * the only copy. The headline is the error code's own sentence in the operator's language; the words of the host or the
 * kernel stand below it as they came.
 */
export function InlineError({
  error,
  onRetry,
  retryLabel,
  target,
  children,
}: {
  readonly error: WireError | null
  readonly onRetry?: () => void
  readonly retryLabel?: string
  /** How issues are named and reached; left out, by their path. */
  readonly target?: IssueTarget
  /** Stands instead of the message where it is said better. */
  readonly children?: ReactNode
}) {
  const { t } = useTranslation()
  if (error === null) return null
  const details = Object.entries(error.details ?? {})
  const text = [
    `${error.code}: ${error.message}`,
    ...(error.hint === undefined ? [] : [error.hint]),
    ...details.map(([key, value]) => `${key}: ${value}`),
  ].join('\n')
  return (
    <div role="alert" className={styles.box}>
      <span className={styles.icon}>
        <Icon name="warning" />
      </span>
      <div className={styles.body}>
        <p className={styles.title}>{t(`error.${error.code}`)}</p>
        {children ?? <p className={styles.message}>{error.message}</p>}
        {error.hint !== undefined && <p className={styles.hint}>{error.hint}</p>}
        {error.issues !== undefined && error.issues.length > 0 && <IssueList issues={error.issues} target={target} />}
        {details.length > 0 && (
          <details className={styles.details}>
            <summary>{t('error.details')}</summary>
            <dl>
              {details.map(([key, value]) => (
                <div key={key}>
                  <dt>{key}</dt>
                  <dd className="sb-mono">{value}</dd>
                </div>
              ))}
            </dl>
          </details>
        )}
        <div className={styles.actions}>
          {onRetry !== undefined && (
            <Button variant="default" onClick={onRetry}>
              {retryLabel ?? t('action.retry')}
            </Button>
          )}
          <CopyTextButton text={text} label={t('error.copy')} />
        </div>
      </div>
    </div>
  )
}
