import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { isJobOver } from '../../core/contract/clusters.ts'
import { paths } from '../app/paths.ts'
import { StatusShape } from '../components/status-mark.tsx'
import { statusOfPhase } from '../frame/session-status.ts'
import { isDiverged, useCluster, useClusterJob } from '../store/cluster.ts'
import styles from './cluster.module.css'

/** The directors of the cluster beside the switch, and in words and shape that their documents differ. */
export function ClusterMark({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const cluster = useCluster(directorId)
  const job = useClusterJob(directorId)
  // Between the first director and the last one documents differ on purpose.
  const isApart = isDiverged(cluster) && (job === undefined || isJobOver(job))
  if (cluster.length < 2) return null
  return (
    <nav
      className={styles.mark}
      aria-label={t('cluster.directorsOf', { name: cluster[0]?.entry.profile.cluster ?? '' })}
    >
      {cluster.map(({ entry: { profile, session }, state }) => {
        const role = state === null ? undefined : t(`cluster.role.${state.role}`)
        return (
          <Link
            key={profile.id}
            href={session.phase === 'ready' ? paths.view(profile.id, 'overview') : paths.connectTo(profile.id)}
            className={styles.markDirector}
            aria-current={profile.id === directorId ? 'true' : undefined}
            title={[profile.name, t(`phase.${session.phase}`), role].filter((part) => part !== undefined).join(' · ')}
          >
            <StatusShape status={statusOfPhase(session.phase)} />
            <span className="sb-cut">{profile.name}</span>
            <span className="sb-hidden">{t(`phase.${session.phase}`)}</span>
            {state?.role === 'active' && <span className={styles.markRole}>{role}</span>}
          </Link>
        )
      })}
      {isApart && (
        <Link href={paths.view(directorId, 'hosts')} className={styles.markDiffers} title={t('cluster.differHint')}>
          <StatusShape status="degraded" />
          {t('cluster.differ')}
        </Link>
      )}
    </nav>
  )
}
