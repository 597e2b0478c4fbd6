import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { repliesPassDirector } from '../../../core/model/dataplane.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import { openReview } from '../../change/change-store.ts'
import { usePendingSpec } from '../../change/newest-base.ts'
import { DataTable } from '../../components/data-table.tsx'
import { FilterInput } from '../../components/filter-input.tsx'
import { Icon } from '../../components/icon.tsx'
import { Empty } from '../../components/states.tsx'
import { formatSi } from '../../format/number.ts'
import { useDirector, useHindrance } from '../../store/selectors.ts'
import type { ServiceView } from '../../store/service-state.ts'
import { AddRealServers } from './add-real-servers.tsx'
import { useRealServerColumns } from './real-server-columns.tsx'
import { useRealServerRows } from './real-server-rows.ts'
import styles from './service.module.css'

/** The real servers as they are, as they are wanted, and as the pending change will have them. */
export function RealServersTab({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t, i18n } = useTranslation()
  const [filter, setFilter] = useState('')
  const [isAdding, setIsAdding] = useState(false)
  const hindrance = useHindrance(directorId)
  const skewMs = useDirector(directorId)?.session.clockSkewMs ?? 0
  const rows = useRealServerRows(directorId, view)
  const pendingSpec = usePendingSpec(directorId)
  const pendingService = pendingSpec?.services.find((one) => serviceKey(one) === view.key)
  const hasPending = pendingSpec !== null
  const pending = useMemo(
    () => (hasPending ? new Map(pendingService?.realServers.map((server) => [realServerKey(server), server])) : null),
    [hasPending, pendingService],
  )
  const added = pendingService?.realServers.filter(
    (server) => !view.realServers.some(({ key }) => key === realServerKey(server)),
  )
  const isLocked = hindrance !== null
  const isDirect = !view.realServers.some(({ forwarding }) => repliesPassDirector(forwarding))

  const columns = useRealServerColumns({ directorId, view, pending, isLocked, skewMs })
  const draining = rows.filter(({ server }) => server.status === 'draining')
  return (
    <>
      <div className={styles.toolbar}>
        <FilterInput value={filter} onChange={setFilter} label={t('service.filter')} />
        {!view.isForeign && hindrance !== null && hindrance !== 'offline' && (
          <span className="sb-dim">{t(`hindrance.${hindrance}`)}</span>
        )}
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
        {view.service.dataplane === 'ipvs' && <span className="sb-dim">{t('service.ipvsRefresh')}</span>}
        {!view.isForeign && (
          <Button
            variant="default"
            leftSection={<Icon name="plus" size={14} />}
            disabled={isLocked}
            onClick={() => setIsAdding(true)}
          >
            {t('service.add')}
          </Button>
        )}
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
      {!view.isForeign && (
        <AddRealServers directorId={directorId} view={view} isOpen={isAdding} onClose={() => setIsAdding(false)} />
      )}
    </>
  )
}
