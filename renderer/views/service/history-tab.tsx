import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { RevisionSummary } from '../../../core/model/revision.ts'
import { paths } from '../../app/paths.ts'
import { client } from '../../connection/client.ts'
import { useFetched } from '../../connection/use-call.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { LoadingRows } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { useDirector, useDirectorState, useFreshness } from '../../store/selectors.ts'
import styles from './service.module.css'

/** Revisions that touched this service; differences and roll back are on the page of all changes. */
export function HistoryTab({ directorId, serviceKey }: { readonly directorId: string; readonly serviceKey: string }) {
  const { t } = useTranslation()
  const revision = useDirectorState(directorId)?.revision ?? 0
  const isLive = useFreshness(directorId) === 'live'
  const skewMs = useDirector(directorId)?.session.clockSkewMs ?? 0
  const history = useFetched(isLive ? `${directorId} ${revision}` : null, (signal) =>
    client.call('director.cluster.history', { directorId, input: { limit: 500 } }, { signal }),
  )
  const rows = (history.value ?? []).filter(({ touched }) => touched.includes(serviceKey))
  const columns: Column<RevisionSummary>[] = [
    {
      id: 'revision',
      header: t('column.revision'),
      width: 90,
      align: 'end',
      sortBy: (row) => row.revision,
      cell: (row) => row.revision,
    },
    {
      id: 'at',
      header: t('column.when'),
      width: 150,
      sortBy: (row) => row.atMs,
      cell: (row) => <Time atMs={row.atMs} skewMs={skewMs} />,
    },
    {
      id: 'outcome',
      header: t('column.outcome'),
      width: 130,
      sortBy: (row) => row.outcome,
      cell: (row) => t(`outcome.${row.outcome}`),
    },
    {
      id: 'who',
      header: t('column.who'),
      width: 200,
      sortBy: ({ author }) => author.user,
      cell: ({ author }) => `${author.user} · ${author.via}`,
    },
    {
      id: 'message',
      header: t('column.message'),
      cell: (row) => <span title={row.message}>{row.message}</span>,
    },
  ]
  return (
    <>
      <InlineError error={history.error} onRetry={history.reload} />
      {history.value === null && history.error === null && isLive && <LoadingRows rows={4} />}
      {history.value !== null && (
        <div className={styles.tableBox}>
          <DataTable
            label={t('service.tab.history')}
            rows={rows}
            columns={columns}
            rowKey={(row) => String(row.revision)}
            initialSort={{ id: 'revision', isDescending: true }}
            empty={t('service.noHistory')}
          />
        </div>
      )}
      <p style={{ marginTop: 10 }}>
        <Link className="sb-link" href={paths.view(directorId, 'changes')}>
          {t('service.allChanges')}
        </Link>
      </p>
    </>
  )
}
