import { useTranslation } from 'react-i18next'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { Facts, Panel } from '../../components/page.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { Time } from '../../components/time.tsx'
import { formatMs } from '../../format/number.ts'
import { useDirector } from '../../store/selectors.ts'
import type { RealServerView, ServiceView } from '../../store/service-state.ts'
import { HostChecks } from './host-checks.tsx'
import styles from './service.module.css'

/** What the agent asks of each real server, and what the hosts themselves look like. */
export function ChecksTab({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t, i18n } = useTranslation()
  const skewMs = useDirector(directorId)?.session.clockSkewMs ?? 0
  const { check } = view.service
  const columns: Column<RealServerView>[] = [
    {
      id: 'state',
      header: t('column.state'),
      width: 130,
      sortBy: ({ status }) => status,
      cell: ({ status, isOffline }) => (
        <StatusMark status={status} isQuiet label={isOffline ? t('status.offline') : undefined} />
      ),
    },
    {
      id: 'server',
      header: t('column.realServer'),
      width: 220,
      sortBy: ({ key }) => key,
      cell: ({ key }) => <span className="sb-mono">{key}</span>,
    },
    {
      id: 'latency',
      header: t('column.latency'),
      width: 110,
      align: 'end',
      sortBy: ({ measured }) => measured?.checkLatencyMs ?? null,
      cell: ({ measured }) =>
        typeof measured?.checkLatencyMs === 'number' ? formatMs(measured.checkLatencyMs, i18n.language) : '–',
    },
    {
      id: 'since',
      header: t('column.lastChange'),
      width: 130,
      align: 'end',
      sortBy: ({ measured }) => measured?.sinceMs ?? null,
      cell: ({ measured }) =>
        typeof measured?.sinceMs === 'number' ? <Time atMs={measured.sinceMs} skewMs={skewMs} /> : '–',
    },
    {
      id: 'error',
      header: t('column.checkError'),
      cell: ({ measured }) => <span title={measured?.checkError ?? undefined}>{measured?.checkError ?? ''}</span>,
    },
  ]
  return (
    <div className={styles.stack}>
      <Panel title={t('service.check.title')}>
        {check.type === 'none' ? (
          <p className="sb-dim">{t('service.check.none')}</p>
        ) : (
          <Facts
            rows={[
              [t('service.check.type'), t('service.check.tcp', { port: view.service.port })],
              [t('service.check.interval'), formatMs(check.intervalMs, i18n.language)],
              [t('service.check.timeout'), formatMs(check.timeoutMs, i18n.language)],
              [t('service.check.rise'), check.rise],
              [t('service.check.fall'), check.fall],
            ]}
          />
        )}
      </Panel>
      <Panel isFlush title={t('service.check.results')}>
        <DataTable
          label={t('service.check.results')}
          rows={view.realServers}
          columns={columns}
          rowKey={({ key }) => key}
          maxHeight="360px"
        />
      </Panel>
      <HostChecks directorId={directorId} view={view} />
    </div>
  )
}
