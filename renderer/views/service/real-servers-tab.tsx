import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import { editSpec, openReview, useChange } from '../../change/change-store.ts'
import { realServerField } from '../../change/spec-issues.ts'
import { setWeight } from '../../change/edits.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { FilterInput } from '../../components/filter-input.tsx'
import { Icon } from '../../components/icon.tsx'
import { Empty } from '../../components/states.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { Time } from '../../components/time.tsx'
import { formatMs, formatShare, formatSi, formatWithUnit } from '../../format/number.ts'
import { useDirector, useHindrance } from '../../store/selectors.ts'
import { type RealServerView, type ServiceView, byTrouble } from '../../store/service-state.ts'
import { AddRealServers } from './add-real-servers.tsx'
import { RealServerActions } from './real-server-actions.tsx'
import { type RealServerRow, useRealServerRows } from './real-server-rows.ts'
import styles from './service.module.css'
import { WeightInput } from './weight-input.tsx'

/** Farther from the expected share than this reads as a wrong weight or a sticky client, with enough connections. */
const shareTolerance = 0.3

/** The real servers as they are, as they are wanted, and as the pending change will have them. */
export function RealServersTab({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t, i18n } = useTranslation()
  const [filter, setFilter] = useState('')
  const [isAdding, setIsAdding] = useState(false)
  const hindrance = useHindrance(directorId)
  const skewMs = useDirector(directorId)?.session.clockSkewMs ?? 0
  const rows = useRealServerRows(directorId, view)
  const pendingService = useChange((s) =>
    s.pending[directorId]?.spec.services.find((one) => serviceKey(one) === view.key),
  )
  const hasPending = useChange((s) => s.pending[directorId] !== undefined)
  const pending = useMemo(
    () => new Map(pendingService?.realServers.map((server) => [realServerKey(server), server])),
    [pendingService],
  )
  const added = pendingService?.realServers.filter(
    (server) => !view.realServers.some(({ key }) => key === realServerKey(server)),
  )
  const isLocked = hindrance !== null
  const isDirect = view.service.forwarding === 'dr'

  const columns = useMemo((): Column<RealServerRow>[] => {
    const label = (server: RealServerView) => server.name ?? server.key
    const pendingOf = (server: RealServerView) => (hasPending ? pending.get(server.key) : server.desired)
    return [
      {
        id: 'state',
        header: t('column.state'),
        width: 118,
        sortBy: ({ server }) => byTrouble.indexOf(server.status),
        cell: ({ server }) => {
          const next = pendingOf(server)
          const toCome =
            next === undefined
              ? t('service.pending.remove')
              : next.state === server.desired.state
                ? null
                : t(`service.pending.${next.state}`)
          return (
            <span title={server.measured?.checkError ?? undefined}>
              <StatusMark status={server.status} isQuiet label={server.isOffline ? t('status.offline') : undefined} />
              {toCome !== null && <span className={styles.pendingRow}> → {toCome}</span>}
            </span>
          )
        },
      },
      {
        id: 'address',
        header: t('column.realServer'),
        sortBy: ({ server }) => server.key,
        cell: ({ server }) => (
          <span title={server.name === undefined ? server.key : `${server.name} · ${server.key}`}>
            <span className="sb-mono">{server.key}</span>
            {server.name !== undefined && <span className="sb-dim"> {server.name}</span>}
          </span>
        ),
      },
      {
        id: 'weight',
        header: t('column.weight'),
        width: 96,
        align: 'end',
        sortBy: ({ server }) => server.desired.weight,
        cell: ({ server }) => {
          const next = pendingOf(server)
          return (
            <>
              {server.observedWeight !== null && server.observedWeight !== server.desired.weight && (
                <span className={styles.was} title={t('service.observedWeight')}>
                  {server.observedWeight} →{' '}
                </span>
              )}
              <WeightInput
                value={next?.weight ?? server.desired.weight}
                applied={server.desired.weight}
                label={t('service.weightOf', { name: label(server) })}
                field={realServerField(view.key, server.key, 'weight')}
                isDisabled={isLocked || next === undefined}
                onCommit={(weight) => editSpec(directorId, setWeight(view.key, server.key, weight))}
              />
            </>
          )
        },
      },
      {
        id: 'share',
        header: t('column.share'),
        hint: t('service.shareHint'),
        width: 124,
        align: 'end',
        sortBy: ({ share }) => share,
        cell: ({ share, expected, isTelling }) => {
          const isOff =
            isTelling && share !== null && expected > 0 && Math.abs(share - expected) / expected > shareTolerance
          return (
            <span className={styles.share}>
              <span className={isOff ? styles.shareOff : undefined}>
                {share === null ? '–' : formatShare(share, i18n.language)}
              </span>
              <span className={styles.was}>/ {formatShare(expected, i18n.language)}</span>
            </span>
          )
        },
      },
      {
        id: 'flows',
        header: isDirect ? t('column.flowsEstimated') : t('column.flows'),
        hint: isDirect ? t('service.flowsEstimated') : undefined,
        width: 104,
        align: 'end',
        sortBy: ({ server }) => server.measured?.activeFlows ?? null,
        cell: ({ server }) =>
          server.measured === undefined ? '–' : formatSi(server.measured.activeFlows, i18n.language),
      },
      {
        id: 'connections',
        header: t('column.connections'),
        width: 82,
        align: 'end',
        sortBy: ({ connections }) => connections,
        cell: ({ connections }) => (connections === null ? '–' : formatSi(connections, i18n.language)),
      },
      {
        id: 'in',
        isOptional: true,
        header: t('column.in'),
        width: 104,
        align: 'end',
        sortBy: ({ bits }) => bits,
        cell: ({ bits }) => (bits === null ? '–' : formatWithUnit(bits, 'bit/s', i18n.language)),
      },
      {
        id: 'latency',
        isOptional: true,
        header: t('column.latency'),
        hint: t('service.latencyHint'),
        width: 112,
        align: 'end',
        sortBy: ({ server }) => server.measured?.checkLatencyMs ?? null,
        cell: ({ server }) => {
          const { measured } = server
          if (measured === undefined) return '–'
          if (measured.checkLatencyMs !== null) return formatMs(measured.checkLatencyMs, i18n.language)
          return measured.checkError === null ? '–' : <span title={measured.checkError}>{measured.checkError}</span>
        },
      },
      {
        id: 'since',
        isOptional: true,
        header: t('column.lastChange'),
        width: 96,
        align: 'end',
        sortBy: ({ server }) => server.measured?.sinceMs ?? null,
        cell: ({ server }) =>
          typeof server.measured?.sinceMs === 'number' ? <Time atMs={server.measured.sinceMs} skewMs={skewMs} /> : '–',
      },
      {
        id: 'actions',
        header: <span className="sb-dim" />,
        width: 70,
        align: 'end',
        cell: ({ server }) => (
          <RealServerActions
            directorId={directorId}
            service={view.key}
            realServer={server.key}
            name={label(server)}
            state={pendingOf(server)?.state}
            isLocked={isLocked}
          />
        ),
      },
    ]
  }, [t, i18n.language, directorId, view.key, pending, hasPending, isLocked, isDirect, skewMs])

  const draining = rows.filter(({ server }) => server.status === 'draining')
  return (
    <>
      <div className={styles.toolbar}>
        <FilterInput value={filter} onChange={setFilter} label={t('service.filter')} />
        {hindrance !== null && hindrance !== 'offline' && <span className="sb-dim">{t(`hindrance.${hindrance}`)}</span>}
        {draining.length > 0 && (
          <span>
            {t('service.draining', {
              count: draining.length,
              flows: formatSi(
                draining.reduce((sum, { server }) => sum + (server.measured?.activeFlows ?? 0), 0),
                i18n.language,
              ),
            })}
            {isDirect && ` (${t('figure.estimated')})`}
          </span>
        )}
        <span className={styles.spring} />
        {added !== undefined && added.length > 0 && (
          <Button variant="light" onClick={() => openReview(directorId)}>
            {t('service.toAdd', { count: added.length })}
          </Button>
        )}
        <Button
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          disabled={isLocked}
          onClick={() => setIsAdding(true)}
        >
          {t('service.add')}
        </Button>
      </div>
      <div className={styles.tableBox}>
        <DataTable
          label={t('service.tab.realServers')}
          rows={rows}
          columns={columns}
          rowKey={({ server }) => server.key}
          searchText={({ server }) => `${server.key} ${server.name ?? ''} ${t(`status.${server.status}`)}`}
          filter={filter}
          empty={<Empty icon="hosts" sentence={t('service.noRealServers')} />}
        />
      </div>
      <AddRealServers directorId={directorId} view={view} isOpen={isAdding} onClose={() => setIsAdding(false)} />
    </>
  )
}
