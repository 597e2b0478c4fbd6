import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { paths } from '../app/paths.ts'
import { openReview, proposeRestore, useHasEdits } from '../change/change-store.ts'
import { Panel } from '../components/page.tsx'
import { StatusMark } from '../components/status-mark.tsx'
import { statusOfPhase } from '../frame/session-status.ts'
import { type ClusterDirector, commonDigest, contestedVips, isDiverged, useCluster } from '../store/cluster.ts'
import { useHindrance } from '../store/selectors.ts'
import styles from './cluster.module.css'
import { CompareDialog } from './compare-dialog.tsx'
import { FailoverDialog } from './failover-dialog.tsx'

/** A cluster's directors side by side: revision and digest, role, VIPs; and what brings them together again. */
export function ClusterPanel({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const cluster = useCluster(directorId)
  const [compared, setCompared] = useState<string | null>(null)
  const [target, setTarget] = useState<string | null>(null)
  const name = cluster[0]?.entry.profile.cluster
  if (name === undefined) return null
  const common = commonDigest(cluster)
  const isApart = isDiverged(cluster)
  const contested = contestedVips(cluster)
  const areActive = cluster.filter(({ state }) => state?.role === 'active').length
  return (
    <Panel title={t('cluster.title', { name })}>
      <div className={styles.stack}>
        {cluster.length < 2 && <p className="sb-dim">{t('cluster.alone')}</p>}
        {isApart && (
          <p role="status">
            <StatusMark status="degraded" label={t('cluster.differHint')} />
          </p>
        )}
        {contested.length > 0 && (
          <p role="status">
            <StatusMark status="down" label={t('cluster.contested', { vips: contested.join(', ') })} />
          </p>
        )}
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t('cluster.column.director')}</th>
              <th scope="col">{t('cluster.column.session')}</th>
              <th scope="col">{t('cluster.column.role')}</th>
              <th scope="col" className="sb-num">
                {t('cluster.column.revision')}
              </th>
              <th scope="col">{t('cluster.column.document')}</th>
              <th scope="col">{t('cluster.column.vips')}</th>
              <th scope="col">
                <span className="sb-hidden">{t('action.actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {cluster.map((director) => (
              <Row
                key={director.entry.profile.id}
                director={director}
                shownId={directorId}
                common={common}
                isApart={isApart}
                canBeActive={cluster.length > 1 && (areActive !== 1 || director.state?.role === 'standby')}
                onCompare={setCompared}
                onActive={setTarget}
              />
            ))}
          </tbody>
        </table>
      </div>
      <CompareDialog directorId={directorId} otherId={compared} onClose={() => setCompared(null)} />
      <FailoverDialog directorId={directorId} targetId={target} onClose={() => setTarget(null)} />
    </Panel>
  )
}

function Row({
  director: { entry, state, isLive },
  shownId,
  common,
  isApart,
  canBeActive,
  onCompare,
  onActive,
}: {
  readonly director: ClusterDirector
  readonly shownId: string
  readonly common: string | null
  readonly isApart: boolean
  readonly canBeActive: boolean
  readonly onCompare: (directorId: string) => void
  readonly onActive: (directorId: string) => void
}) {
  const { t } = useTranslation()
  const { profile, session } = entry
  const hindrance = useHindrance(profile.id)
  const isEdited = useHasEdits(profile.id)
  const isShown = profile.id === shownId
  const vips = [...new Set(state?.observed.vips.map(({ address }) => address))]
  return (
    <tr className={isLive ? undefined : 'sb-dim'}>
      <th scope="row" className={styles.director}>
        {isShown ? (
          profile.name
        ) : (
          <Link
            className="sb-link"
            href={session.phase === 'ready' ? paths.view(profile.id, 'hosts') : paths.connectTo(profile.id)}
          >
            {profile.name}
          </Link>
        )}
      </th>
      <td>
        <StatusMark status={statusOfPhase(session.phase)} label={t(`phase.${session.phase}`)} isQuiet />
      </td>
      <td>{state === null ? '–' : t(`cluster.role.${state.role}`)}</td>
      <td className="sb-num">{state === null ? '–' : state.revision}</td>
      <td>
        {state === null ? (
          '–'
        ) : state.revision === 0 ? (
          <StatusMark status="unknown" label={t('cluster.nothing')} isQuiet />
        ) : (
          <>
            <StatusMark
              status={state.digest === common ? 'up' : 'degraded'}
              label={state.digest === common ? t('cluster.same') : t('cluster.other')}
              isQuiet
            />
            <div className="sb-mono sb-dim">{state.digest}</div>
          </>
        )}
      </td>
      <td className="sb-mono">{vips.length === 0 ? '–' : vips.join(' ')}</td>
      <td>
        <div className={styles.rowActions}>
          {isApart && state !== null && !isShown && (
            <Button size="compact-xs" variant="default" onClick={() => onCompare(profile.id)}>
              {t('cluster.compare')}
            </Button>
          )}
          {isApart && state !== null && state.revision > 0 && (
            <Button
              size="compact-xs"
              variant="default"
              disabled={hindrance !== null || isEdited}
              title={hindrance !== null ? t(`hindrance.${hindrance}`) : isEdited ? t('cluster.edited') : undefined}
              onClick={() => {
                proposeRestore(profile.id, t('cluster.lineMessage', { name: profile.name, revision: state.revision }))
                openReview(profile.id)
              }}
            >
              {t('cluster.line')}
            </Button>
          )}
          {canBeActive && state !== null && (
            <Button
              size="compact-xs"
              variant="default"
              disabled={hindrance !== null}
              title={hindrance === null ? undefined : t(`hindrance.${hindrance}`)}
              onClick={() => onActive(profile.id)}
            >
              {t('failover.button')}
            </Button>
          )}
        </div>
      </td>
    </tr>
  )
}
