import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Status } from '../store/service-state.ts'
import styles from './status-mark.module.css'

/** The five shapes on a 12 px grid: circle, triangle, diamond, square in a square, ring. */
export function StatusShape({ status, size = 12 }: { readonly status: Status; readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 12 12" aria-hidden="true" focusable="false" className={styles[status]}>
      {status === 'up' && <circle cx="6" cy="6" r="4.6" fill="currentColor" />}
      {status === 'degraded' && <path d="M6 1 11.4 10.8H.6z" fill="currentColor" />}
      {status === 'down' && <path d="M6 .4 11.6 6 6 11.6.4 6z" fill="currentColor" />}
      {status === 'draining' && (
        <>
          <rect x="1.6" y="1.6" width="8.8" height="8.8" fill="none" stroke="currentColor" strokeWidth="1.6" />
          <rect x="4.2" y="4.2" width="3.6" height="3.6" fill="currentColor" />
        </>
      )}
      {status === 'unknown' && <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.8" />}
    </svg>
  )
}

/** Status by colour, shape and word. `label` says it in other words where the plain one would be too poor. */
export const StatusMark = memo(function StatusMark({
  status,
  label,
  isQuiet = false,
}: {
  readonly status: Status
  readonly label?: string
  /** The word keeps the text's own colour: in tables full of marks. */
  readonly isQuiet?: boolean
}) {
  const { t } = useTranslation()
  return (
    <span className={styles.mark}>
      <StatusShape status={status} />
      <span className={isQuiet ? undefined : styles[`${status}Word`]}>{label ?? t(`status.${status}`)}</span>
    </span>
  )
})
