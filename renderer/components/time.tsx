import { Tooltip } from '@mantine/core'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { useConsole } from '../store/console-store.ts'
import { useNow } from '../store/clock.ts'
import { formatInstant, formatShort, roughly } from '../format/time.ts'
import styles from './time.module.css'

/** `4 s`, `12 min`, `3 h` in the operator's language. */
export function useDuration(): (ms: number) => string {
  const { t } = useTranslation()
  return (ms) => {
    const { unit, count } = roughly(ms)
    return t(`time.${unit}`, { count })
  }
}

/**
 * An instant by a host's clock: in the operator's zone with its offset (or UTC, by preference), the other one on hover.
 * `skewMs` is that clock minus the workstation's, for the relative words on hover.
 */
export const Time = memo(function Time({
  atMs,
  isFull = false,
  skewMs = 0,
}: {
  readonly atMs: number
  /** Day, seconds and offset in the text itself. */
  readonly isFull?: boolean
  readonly skewMs?: number
}) {
  const zone = useConsole((s) => s.preferences.times)
  const now = useNow(10_000)
  return (
    <Tooltip label={<Hint atMs={atMs} skewMs={skewMs} />}>
      <time dateTime={new Date(atMs).toISOString()} className={styles.time}>
        {isFull ? formatInstant(atMs, zone) : formatShort(atMs, zone, now + skewMs)}
      </time>
    </Tooltip>
  )
})

/** Both zones and the distance from now; made only when it is shown. */
function Hint({ atMs, skewMs }: { readonly atMs: number; readonly skewMs: number }) {
  const { t } = useTranslation()
  const zone = useConsole((s) => s.preferences.times)
  const duration = useDuration()
  const ago = useNow() + skewMs - atMs
  return (
    <>
      {formatInstant(atMs, zone)}
      <br />
      {t('time.director', { instant: formatInstant(atMs, zone === 'utc' ? 'local' : 'utc') })}
      <br />
      {ago >= 0 ? t('time.ago', { duration: duration(ago) }) : t('time.in', { duration: duration(-ago) })}
    </>
  )
}

/** How old something is, counting up. */
export function Age({ sinceMs }: { readonly sinceMs: number }) {
  const duration = useDuration()
  return <span className={styles.time}>{duration(useNow() - sinceMs)}</span>
}
