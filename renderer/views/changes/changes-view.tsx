import { Button, Group, Select } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { RevisionSummary } from '../../../core/model/revision.ts'
import { openReview, proposeSpec } from '../../change/change-store.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { Page, Panel } from '../../components/page.tsx'
import { Empty, LoadingRows, Stale, StaleNotice } from '../../components/states.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { Time } from '../../components/time.tsx'
import { client } from '../../connection/client.ts'
import { useCommand, useFetched } from '../../connection/use-call.ts'
import { useDirectorState, useFreshness, useHindrance } from '../../store/selectors.ts'
import type { Status } from '../../store/service-state.ts'
import { Drift } from './drift.tsx'
import { ForeignServices } from './foreign-services.tsx'
import { RevisionDiff } from './revision-diff.tsx'

const markOf: Record<RevisionSummary['outcome'], Status> = {
  applying: 'unknown',
  unconfirmed: 'degraded',
  confirmed: 'up',
  reverted: 'draining',
  failed: 'down',
}

/** Time line of revisions: who, when, from where, what; the difference of any two; roll back as a new change. */
export default function ChangesView({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const state = useDirectorState(directorId)
  const freshness = useFreshness(directorId)
  const revision = state?.revision ?? 0
  const settled = `${state?.progress?.phase ?? 'none'} ${state?.lastResult?.revision ?? 0} ${state?.lastResult?.outcome ?? ''}`
  const history = useFetched(
    freshness === 'none' ? null : `${directorId} ${revision} ${settled} ${freshness}`,
    (signal) => client.call('director.cluster.history', { directorId, input: {} }, { signal }),
  )
  const [selected, setSelected] = useState<number | null>(null)
  const [against, setAgainst] = useState<number | null>(null)
  const rows = history.value ?? []
  const shown = rows.find((row) => row.revision === selected) ?? rows[0]
  const columns = useColumns()
  return (
    <Page title={t('changes.title')} subtitle={state === null ? undefined : t('changes.newest', { revision })}>
      <StaleNotice directorId={directorId} />
      <Stale freshness={freshness}>
        {state !== null && state.drift.length > 0 && <Drift directorId={directorId} />}
        <ForeignServices directorId={directorId} />
        <InlineError error={history.error} onRetry={history.reload} />
        {history.value === null ? (
          history.error === null && <LoadingRows />
        ) : rows.length === 0 ? (
          <Empty icon="changes" sentence={t('changes.empty')} />
        ) : (
          <>
            <Panel isFlush label={t('changes.table')}>
              <DataTable
                label={t('changes.table')}
                rows={rows}
                columns={columns}
                rowKey={(row) => String(row.revision)}
                selectedKey={shown === undefined ? null : String(shown.revision)}
                onSelect={(row) => setSelected(row.revision)}
                maxHeight="40vh"
              />
            </Panel>
            {shown !== undefined && (
              <Panel
                title={t('changes.difference', { revision: shown.revision })}
                aside={
                  <Group gap="xs">
                    <Select
                      aria-label={t('changes.against')}
                      data={[
                        { value: 'before', label: t('changes.before') },
                        ...rows
                          .filter((row) => row.revision !== shown.revision)
                          .map((row) => ({
                            value: String(row.revision),
                            label: t('changes.revision', { revision: row.revision }),
                          })),
                      ]}
                      value={against === null || against === shown.revision ? 'before' : String(against)}
                      allowDeselect={false}
                      onChange={(value) => setAgainst(value === null || value === 'before' ? null : Number(value))}
                    />
                    <RollBack directorId={directorId} revision={shown.revision} newest={revision} />
                  </Group>
                }
              >
                <RevisionDiff
                  directorId={directorId}
                  revision={shown.revision}
                  against={against === null || against === shown.revision ? shown.revision - 1 : against}
                />
              </Panel>
            )}
          </>
        )}
      </Stale>
    </Page>
  )
}

function useColumns(): readonly Column<RevisionSummary>[] {
  const { t } = useTranslation()
  return useMemo(
    () => [
      {
        id: 'revision',
        header: t('changes.number'),
        width: 70,
        align: 'end',
        cell: (row) => row.revision,
        sortBy: (row) => row.revision,
      },
      {
        id: 'at',
        header: t('changes.at'),
        width: 150,
        cell: (row) => <Time atMs={row.atMs} />,
        sortBy: (row) => row.atMs,
      },
      {
        id: 'outcome',
        header: t('changes.outcome'),
        width: 260,
        cell: (row) => (
          <StatusMark
            status={markOf[row.outcome]}
            label={
              row.revertReason === null
                ? t(`outcome.${row.outcome}`)
                : t('changes.outcomeBecause', {
                    outcome: t(`outcome.${row.outcome}`),
                    reason: t(`revertReason.${row.revertReason}`),
                  })
            }
            isQuiet
          />
        ),
      },
      { id: 'message', header: t('changes.message'), cell: (row) => <span title={row.message}>{row.message}</span> },
      {
        id: 'author',
        header: t('changes.author'),
        width: 200,
        cell: (row) => `${row.author.user} · ${t(`changes.via.${row.author.via}`)} · ${row.author.from}`,
      },
      {
        id: 'touched',
        header: t('changes.touched'),
        width: 220,
        cell: (row) => (
          <span className="sb-mono" title={row.touched.join(' ')}>
            {row.touched.join(' ')}
          </span>
        ),
      },
    ],
    [t],
  )
}

/** Proposes an older document as a new change, which is reviewed like any other. */
function RollBack({
  directorId,
  revision,
  newest,
}: {
  readonly directorId: string
  readonly revision: number
  readonly newest: number
}) {
  const { t } = useTranslation()
  const hindrance = useHindrance(directorId)
  const propose = useCommand(async () => {
    const { spec } = await client.call('director.cluster.revision', { directorId, input: { revision } })
    proposeSpec(directorId, spec, t('changes.rollBackMessage', { revision }))
    openReview(directorId)
  })
  return (
    <>
      <Button
        variant="default"
        loading={propose.isRunning}
        disabled={revision === newest || hindrance !== null}
        title={hindrance === null ? undefined : t(`hindrance.${hindrance}`)}
        onClick={() => void propose.run()}
      >
        {t('changes.rollBack', { revision })}
      </Button>
      <InlineError error={propose.error} />
    </>
  )
}
