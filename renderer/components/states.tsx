import { Button, Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { useConsole } from '../store/console-store.ts'
import { type Freshness, useFreshness } from '../store/selectors.ts'
import { InlineError } from './inline-error.tsx'
import { Icon, type IconName } from './icon.tsx'
import { useStats } from '../store/stats-store.ts'
import { Age } from './time.tsx'
import styles from './states.module.css'

/** Nothing there yet: one sentence, one button. */
export function Empty({
  icon,
  sentence,
  more,
  action,
}: {
  readonly icon: IconName
  readonly sentence: ReactNode
  readonly more?: ReactNode
  readonly action?: { readonly label: string; readonly href?: string; readonly onClick?: () => void }
}) {
  return (
    <div className={styles.empty}>
      <span className={styles.emptyIcon}>
        <Icon name={icon} size={26} />
      </span>
      <p className={styles.emptySentence}>{sentence}</p>
      {more !== undefined && <p className={styles.emptyMore}>{more}</p>}
      {action?.href !== undefined && (
        <Button component={Link} href={action.href} size="sm">
          {action.label}
        </Button>
      )}
      {action?.onClick !== undefined && (
        <Button onClick={action.onClick} size="sm">
          {action.label}
        </Button>
      )}
    </div>
  )
}

/** First load of a table or list: rows of the height that the data will have, so that nothing jumps. */
export function LoadingRows({ rows = 8 }: { readonly rows?: number }) {
  const { t } = useTranslation()
  return (
    <div className={styles.loading} role="status" aria-label={t('state.loading')}>
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} height={12} radius={3} width={`${92 - ((i * 17) % 38)}%`} />
      ))}
    </div>
  )
}

export function LoadingBlock({ height }: { readonly height: number }) {
  const { t } = useTranslation()
  return (
    <div role="status" aria-label={t('state.loading')}>
      <Skeleton height={height} radius={6} />
    </div>
  )
}

/** What is gone or was never there, under a link to where it would be. */
export function Gone({
  sentence,
  href,
  label,
}: {
  readonly sentence: string
  readonly href: string
  readonly label: string
}) {
  return (
    <div className={styles.center}>
      <Empty icon="info" sentence={sentence} action={{ label, href }} />
    </div>
  )
}

/** Greys and hatches what is no longer the present. The sentence with its age stands above, once per view. */
export function Stale({ freshness, children }: { readonly freshness: Freshness; readonly children: ReactNode }) {
  return <div className={freshness === 'stale' ? `sb-stale ${styles.fill}` : styles.fill}>{children}</div>
}

/** On top of a view: that its director is lost and since when, or that its counters do not come and why. */
export function StaleNotice({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const freshness = useFreshness(directorId)
  const heardAtMs = useConsole((s) => s.data[directorId]?.heardAtMs ?? 0)
  const name = useConsole((s) => s.directors?.find(({ profile }) => profile.id === directorId)?.profile.name)
  const statsError = useStats((s) => s.errors[directorId] ?? null)
  if (freshness === 'live' && statsError !== null) {
    return (
      <div className={styles.statsError}>
        <InlineError error={statsError} />
      </div>
    )
  }
  if (freshness !== 'stale') return null
  return (
    <div className={styles.notice} role="status">
      <Icon name="warning" />
      <span>
        {t('state.stale', { name: name ?? directorId })} <Age sinceMs={heardAtMs} /> · {t('state.readOnly')}
      </span>
    </div>
  )
}
