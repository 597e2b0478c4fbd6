import { Button, Checkbox, Modal } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { failoverFacts, failoverWay } from '../../core/model/failover.ts'
import { serviceAddress } from '../../core/model/service.ts'
import { client } from '../connection/client.ts'
import { useCommand } from '../connection/use-call.ts'
import { Icon } from '../components/icon.tsx'
import { InlineError } from '../components/inline-error.tsx'
import { StatusMark } from '../components/status-mark.tsx'
import { type ClusterDirector, useCluster } from '../store/cluster.ts'
import type { Status } from '../store/service-state.ts'
import styles from './cluster.module.css'

/** Makes another director carry the VIPs, after saying who has them and what becomes of the connections. */
export function FailoverDialog({
  directorId,
  targetId,
  onClose,
}: {
  readonly directorId: string
  /** Null while none is asked for. */
  readonly targetId: string | null
  readonly onClose: () => void
}) {
  const { t } = useTranslation()
  const cluster = useCluster(directorId)
  const target = cluster.find(({ entry }) => entry.profile.id === targetId)
  return (
    <Modal
      opened={target !== undefined}
      onClose={onClose}
      title={t('failover.title', { name: target?.entry.profile.name ?? '' })}
      size={680}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {target !== undefined && <Failover cluster={cluster} target={target} onClose={onClose} />}
    </Modal>
  )
}

function Failover({
  cluster,
  target,
  onClose,
}: {
  readonly cluster: readonly ClusterDirector[]
  readonly target: ClusterDirector
  readonly onClose: () => void
}) {
  const { t } = useTranslation()
  const [dead, setDead] = useState<readonly string[]>([])
  const { name, id } = target.entry.profile
  const away = cluster.filter(({ entry }) => entry.session.phase !== 'ready' && entry.profile.id !== id)
  const failOver = useCommand(async () => {
    const directorIds = cluster.map(({ entry }) => entry.profile.id)
    const rows = await client.call('clusters.failover', { directorIds, to: id, evenWithout: [...dead] })
    const isDone = rows.find((row) => row.directorId === id)?.role === 'active'
    if (isDone) onClose()
    return rows
  })
  const [rows, setRows] = useState<Awaited<ReturnType<typeof failOver.run>>>(null)
  const isReady = target.isLive && away.every(({ entry }) => dead.includes(entry.profile.id))
  return (
    <div className={styles.stack}>
      <p>{t('failover.sentence', { name })}</p>
      <VipOwners cluster={cluster} />
      {target.state !== null && <Consequences spec={target.state.spec} />}
      {away.map(({ entry: { profile } }) => (
        <div key={profile.id} className={styles.warning} role="note">
          <Icon name="warning" />
          <div className={styles.checks}>
            <p>{t('failover.away', { name: profile.name })}</p>
            <Checkbox
              checked={dead.includes(profile.id)}
              onChange={(event) =>
                setDead(
                  event.currentTarget.checked
                    ? [...dead, profile.id]
                    : dead.filter((directorId) => directorId !== profile.id),
                )
              }
              label={t('failover.dead', { name: profile.name })}
            />
          </div>
        </div>
      ))}
      <InlineError error={failOver.error} />
      {rows?.map(({ directorId, error }) => (
        <InlineError key={directorId} error={error} />
      ))}
      <div className={styles.buttons}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('action.cancel')}
        </Button>
        <Button
          disabled={!isReady}
          loading={failOver.isRunning}
          onClick={() => void failOver.run().then((answer) => setRows(answer))}
        >
          {t('failover.make', { name })}
        </Button>
      </div>
    </div>
  )
}

/** Each VIP with the director that carries it, by what the directors themselves see on their interfaces. */
function VipOwners({ cluster }: { readonly cluster: readonly ClusterDirector[] }) {
  const { t } = useTranslation()
  const owners = new Map<string, string[]>()
  for (const { state } of cluster) {
    for (const { vip, announce } of state?.spec.services ?? []) {
      if (vip !== undefined && announce !== 'none') owners.set(vip, [])
    }
  }
  for (const { entry, state } of cluster) {
    for (const { address } of state?.observed.vips ?? []) owners.get(address)?.push(entry.profile.name)
  }
  return (
    <section aria-label={t('failover.owners')}>
      <h3 className={styles.heading}>{t('failover.owners')}</h3>
      {owners.size === 0 ? (
        <p className="sb-dim">{t('failover.noVip')}</p>
      ) : (
        <ul className={styles.facts}>
          {[...owners].map(([vip, names]) => (
            <li key={vip} className={styles.fact}>
              <span className="sb-mono">{vip}</span>
              {names.length === 1 ? (
                <span>{names[0]}</span>
              ) : (
                <StatusMark
                  status={names.length === 0 ? 'unknown' : 'down'}
                  label={names.length === 0 ? t('failover.nobody') : t('failover.several', { names: names.join(', ') })}
                />
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const statusOf: Readonly<Record<(typeof failoverFacts)[keyof typeof failoverFacts]['outcome'], Status>> = {
  continue: 'up',
  conditional: 'degraded',
  lost: 'down',
}

/** What becomes of established connections, service by service. */
function Consequences({ spec }: { readonly spec: ClusterSpec }) {
  const { t } = useTranslation()
  const roles = spec.ipvs?.sync?.roles ?? []
  const isSynced = roles.includes('master') && roles.includes('backup')
  const ways = Map.groupBy(spec.services, (service) => failoverWay(service, isSynced))
  return (
    <section aria-label={t('failover.connections')}>
      <h3 className={styles.heading}>{t('failover.connections')}</h3>
      <ul className={styles.facts}>
        {[...ways].map(([way, services]) => (
          <li key={way}>
            <StatusMark status={statusOf[failoverFacts[way].outcome]} label={t(`failover.way.${way}`)} isQuiet />
            <div className="sb-dim">
              {services.map((service) => `${service.name} (${serviceAddress(service)})`).join(', ')}
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}
