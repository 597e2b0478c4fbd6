import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { paths } from '../../app/paths.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { FilterInput } from '../../components/filter-input.tsx'
import { Page, Panel } from '../../components/page.tsx'
import { Empty, Stale, StaleNotice } from '../../components/states.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { formatSi, formatWithUnit } from '../../format/number.ts'
import { activeFlowsOf, counterOf, serviceIn } from '../../series/pick.ts'
import { latest, ratesOf } from '../../series/rates.ts'
import { useDirector, useFreshness } from '../../store/selectors.ts'
import { type ServiceView, byTrouble } from '../../store/service-state.ts'
import { useSamples, useWatchStats } from '../../store/stats-store.ts'
import { useServices } from '../../store/use-services.ts'
import { Drafts } from './drafts.tsx'
import { NewServiceButton, NewServiceError, useNewService } from './new-service.tsx'
import styles from './services.module.css'

interface Row {
  readonly view: ServiceView
  readonly connections: number | null
  readonly bits: number | null
  readonly flows: number | null
}

/** All services as a table, for those who have many. */
export default function ServicesView({ directorId }: { readonly directorId: string }) {
  const { t, i18n } = useTranslation()
  const [, navigate] = useLocation()
  const [filter, setFilter] = useState('')
  useWatchStats(directorId)
  const services = useServices(directorId)
  const samples = useSamples(directorId)
  const freshness = useFreshness(directorId)
  const name = useDirector(directorId)?.profile.name ?? directorId
  const newService = useNewService(directorId)

  const rows = useMemo((): Row[] => {
    const last = samples.slice(-2)
    return services.map((view) => {
      const rate = (measure: 'connections' | 'bitsIn') =>
        latest(ratesOf(last, (sample) => counterOf(serviceIn(sample, view.key)?.counters, measure)))
      const newest = last.at(-1)
      const own = newest === undefined ? undefined : serviceIn(newest, view.key)
      return {
        view,
        connections: rate('connections'),
        bits: rate('bitsIn'),
        flows: own === undefined ? null : activeFlowsOf(own),
      }
    })
  }, [services, samples])

  const columns = useMemo(
    (): Column<Row>[] => [
      {
        id: 'state',
        header: t('column.state'),
        width: 116,
        sortBy: ({ view }) => byTrouble.indexOf(view.status),
        cell: ({ view }) => <StatusMark status={view.status} isQuiet />,
      },
      {
        id: 'name',
        header: t('column.name'),
        sortBy: ({ view }) => view.service.name,
        cell: ({ view }) => (
          <Link href={paths.service(directorId, view.key)} className={styles.name} title={view.service.name}>
            {view.service.name}
          </Link>
        ),
      },
      {
        id: 'address',
        header: t('column.vip'),
        width: 176,
        sortBy: ({ view }) => `${view.service.vip}:${view.service.port}`,
        cell: ({ view }) => (
          <span className="sb-mono">
            {view.service.vip}:{view.service.port}
          </span>
        ),
      },
      {
        id: 'mode',
        isOptional: true,
        header: t('column.mode'),
        width: 64,
        sortBy: ({ view }) => view.service.forwarding,
        cell: ({ view }) => view.service.forwarding.toUpperCase(),
      },
      {
        id: 'up',
        header: t('column.upTotal'),
        width: 84,
        align: 'end',
        sortBy: ({ view }) => view.counts.up,
        cell: ({ view }) => `${view.counts.up}/${view.counts.total}`,
      },
      {
        id: 'connections',
        header: t('column.connections'),
        width: 110,
        align: 'end',
        sortBy: ({ connections }) => connections,
        cell: ({ connections }) => (connections === null ? '–' : formatSi(connections, i18n.language)),
      },
      {
        id: 'flows',
        isOptional: true,
        header: t('column.flows'),
        hint: t('service.flowsEstimated'),
        width: 110,
        align: 'end',
        sortBy: ({ flows }) => flows,
        cell: ({ flows }) => (flows === null ? '–' : formatSi(flows, i18n.language)),
      },
      {
        id: 'in',
        header: t('column.in'),
        width: 110,
        align: 'end',
        sortBy: ({ bits }) => bits,
        cell: ({ bits }) => (bits === null ? '–' : formatWithUnit(bits, 'bit/s', i18n.language)),
      },
    ],
    [t, i18n.language, directorId],
  )

  return (
    <Page
      title={t('nav.services')}
      isFilled
      actions={
        <>
          {services.length > 0 && <FilterInput value={filter} onChange={setFilter} label={t('services.filter')} />}
          <NewServiceButton command={newService} isDisabled={freshness !== 'live'} />
        </>
      }
    >
      <StaleNotice directorId={directorId} />
      <NewServiceError command={newService} />
      <Stale freshness={freshness}>
        <div className={styles.stack}>
          <Drafts directorId={directorId} />
          {services.length === 0 ? (
            <Panel>
              <Empty
                icon="services"
                sentence={t('overview.noServices', { name })}
                more={t('overview.noServicesMore')}
                action={{ label: t('action.newService'), onClick: () => void newService.run() }}
              />
            </Panel>
          ) : (
            <div className={styles.tableBox}>
              <DataTable
                label={t('nav.services')}
                rows={rows}
                columns={columns}
                rowKey={({ view }) => view.key}
                searchText={({ view }) =>
                  `${view.service.name} ${view.key} ${view.service.realServers.map(({ address, name: own }) => `${address} ${own ?? ''}`).join(' ')}`
                }
                filter={filter}
                onOpen={({ view }) => navigate(paths.service(directorId, view.key))}
              />
            </div>
          )}
        </div>
      </Stale>
    </Page>
  )
}
