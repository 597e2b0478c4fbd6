import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { serviceAddress } from '../../../core/model/service.ts'
import { paths } from '../../app/paths.ts'
import { Address } from '../../components/address.tsx'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { FilterInput } from '../../components/filter-input.tsx'
import { OutRate } from '../../components/out-rate.tsx'
import { Page, Panel } from '../../components/page.tsx'
import { ServiceTags, protocolWord } from '../../components/service-tags.tsx'
import { Empty, Stale, StaleNotice } from '../../components/states.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { formatSi, formatWithUnit } from '../../format/number.ts'
import { measuredRates } from '../../series/measured.ts'
import { type Measure, activeFlowsOf, serviceIn } from '../../series/pick.ts'
import { latest } from '../../series/rates.ts'
import { useDirector, useFreshness } from '../../store/selectors.ts'
import { type ServiceView, byTrouble } from '../../store/service-state.ts'
import { useSamples, useWatchStats } from '../../store/stats-store.ts'
import { useServices } from '../../store/use-services.ts'
import { AdoptAction } from './adopt-action.tsx'
import { Drafts } from './drafts.tsx'
import { NewServiceButton, NewServiceError, useNewService } from './new-service.tsx'
import styles from './services.module.css'

interface Row {
  readonly view: ServiceView
  readonly connections: number | null
  readonly bits: number | null
  readonly bitsOut: number | null
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
      const rate = (measure: Measure) => latest(measuredRates(last, (sample) => serviceIn(sample, view.key), measure))
      const newest = last.at(-1)
      const own = newest === undefined ? undefined : serviceIn(newest, view.key)
      return {
        view,
        connections: rate('connections'),
        bits: rate('bitsIn'),
        bitsOut: rate('bitsOut'),
        flows: own === undefined ? null : activeFlowsOf(own),
      }
    })
  }, [services, samples])

  const hasForeign = services.some(({ isForeign }) => isForeign)
  const columns = useMemo(() => {
    const all: (Column<Row> | false)[] = [
      {
        id: 'state',
        header: t('column.state'),
        width: 100,
        sortBy: ({ view }) => byTrouble.indexOf(view.status),
        cell: ({ view }) => <StatusMark status={view.status} isQuiet />,
      },
      {
        id: 'name',
        header: t('column.name'),
        least: 120,
        sortBy: ({ view }) => view.service.name,
        cell: ({ view }) => (
          <Link href={paths.service(directorId, view.key)} className={styles.name} title={view.service.name}>
            {view.service.name}
          </Link>
        ),
      },
      {
        id: 'address',
        header: t('column.address'),
        width: 196,
        sortBy: ({ view }) => serviceAddress(view.service),
        cell: ({ view }) => (
          <span className={styles.address}>
            <Address text={serviceAddress(view.service)} />
            <span className={styles.protocol}>{protocolWord(view.service)}</span>
          </span>
        ),
      },
      {
        id: 'mode',
        header: t('column.mode'),
        least: 140,
        sortBy: ({ view }) => `${view.service.forwarding} ${view.service.dataplane}`,
        cell: ({ view }) => <ServiceTags view={view} isOneLine />,
      },
      {
        id: 'up',
        header: t('column.upTotal'),
        width: 74,
        align: 'end',
        sortBy: ({ view }) => view.counts.up,
        cell: ({ view }) => `${view.counts.up}/${view.counts.total}`,
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
        id: 'flows',
        isOptional: true,
        header: t('column.flows'),
        hint: t('service.flowsEstimated'),
        width: 100,
        align: 'end',
        sortBy: ({ flows }) => flows,
        cell: ({ flows }) => (flows === null ? '–' : formatSi(flows, i18n.language)),
      },
      {
        id: 'in',
        isOptional: true,
        header: t('column.in'),
        width: 100,
        align: 'end',
        sortBy: ({ bits }) => bits,
        cell: ({ bits }) => (bits === null ? '–' : formatWithUnit(bits, 'bit/s', i18n.language)),
      },
      {
        id: 'out',
        isOptional: true,
        header: t('column.out'),
        width: 100,
        align: 'end',
        sortBy: ({ bitsOut }) => bitsOut,
        cell: ({ view, bitsOut }) => <OutRate bits={bitsOut} forwarding={view.service.forwarding} />,
      },
      hasForeign && {
        id: 'adopt',
        header: <span className="sb-dim" />,
        width: 86,
        align: 'end',
        cell: ({ view }) => <AdoptAction directorId={directorId} view={view} />,
      },
    ]
    return all.filter((column) => column !== false)
  }, [t, i18n.language, directorId, hasForeign])

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
                  `${view.service.name} ${view.key} ${view.isForeign ? t('foreign.mark') : ''} ${view.service.realServers.map(({ address, name: own }) => `${address} ${own ?? ''}`).join(' ')}`
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
