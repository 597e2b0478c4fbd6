import { Button } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { DirectorState } from '../../../core/contract/agent.ts'
import { serviceKey } from '../../../core/model/service.ts'
import { type DriftLine, type DriftValue, driftLines } from '../../../core/reconcile/drift-lines.ts'
import { directorGroup, takeTheirs } from '../../../core/reconcile/take-theirs.ts'
import { editSpec, openReview, proposeRestore, updateChange, useHasEdits } from '../../change/change-store.ts'
import { Panel } from '../../components/page.tsx'
import { useDirectorState, useHindrance } from '../../store/selectors.ts'
import styles from './changes.module.css'
import { WriterNotice } from './writer-notice.tsx'

/**
 * What the kernel has against what the newest revision wants, line by line. Both ways out are changes that are reviewed:
 * the present document once more, or a document that says what the kernel has.
 */
export function Drift({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const state = useDirectorState(directorId)
  const hindrance = useHindrance(directorId)
  const isEdited = useHasEdits(directorId)
  if (state === null) return null
  const { writers } = state.observed.ipvs
  const groups = groupsOf(driftLines(state.drift))
  const take = (group?: string) => {
    const what = group === directorGroup ? t('drift.director') : group
    editSpec(directorId, (spec) => takeTheirs(spec, state.observed, state.drift, group).spec)
    updateChange(directorId, {
      message: what === undefined ? t('drift.takeAllMessage') : t('drift.takeMessage', { what }),
    })
    openReview(directorId)
  }
  return (
    <Panel title={t('drift.title', { revision: state.revision })}>
      <div className={styles.stack}>
        <p>{t('drift.hint')}</p>
        <WriterNotice writers={writers} refusal="restore" />
        {groups.map(([group, lines]) => (
          <DriftGroup
            key={group}
            group={group}
            lines={lines}
            state={state}
            onTake={hindrance === null ? () => take(group) : null}
          />
        ))}
        <div className={styles.actions}>
          <Button
            disabled={hindrance !== null || isEdited || writers.length > 0}
            title={isEdited ? t('cluster.edited') : undefined}
            onClick={() => {
              proposeRestore(directorId, t('changes.restoreMessage', { revision: state.revision }))
              openReview(directorId)
            }}
          >
            {t('drift.restore')}
          </Button>
          <TakeAll state={state} isDisabled={hindrance !== null} onTake={() => take()} />
          {hindrance !== null && <span className="sb-dim">{t(`hindrance.${hindrance}`)}</span>}
        </div>
      </div>
    </Panel>
  )
}

const groupsOf = (lines: readonly DriftLine[]): [string, DriftLine[]][] => [...Map.groupBy(lines, ({ group }) => group)]

function DriftGroup({
  group,
  lines,
  state,
  onTake,
}: {
  readonly group: string
  readonly lines: readonly DriftLine[]
  readonly state: DirectorState
  /** Null where nothing can be changed now. */
  readonly onTake: (() => void) | null
}) {
  const { t } = useTranslation()
  const name = state.spec.services.find((service) => serviceKey(service) === group)?.name
  const title = group === directorGroup ? t('drift.director') : name === undefined ? group : `${name} · ${group}`
  const left = useMemo(() => takeTheirs(state.spec, state.observed, state.drift, group), [state, group])
  const isTakeable = left.spec !== state.spec
  return (
    <section aria-label={title}>
      <div className={styles.groupHead}>
        <h3 className={styles.groupName}>{title}</h3>
        {isTakeable && (
          <Button
            variant="default"
            size="compact-xs"
            disabled={onTake === null}
            onClick={() => onTake?.()}
            aria-label={t('drift.takeOf', { what: title })}
          >
            {t('drift.take')}
          </Button>
        )}
      </div>
      <table className={`${styles.lines} ${styles.columns}`}>
        <thead>
          <tr>
            <th scope="col">{t('drift.column.what')}</th>
            <th scope="col">{t('drift.column.kernel')}</th>
            <th scope="col">{t('drift.column.revision', { revision: state.revision })}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, i) => (
            <tr key={i}>
              <th scope="row">{t(`drift.what.${line.subject}`, { name: line.name })}</th>
              <td className={styles.kernel}>
                <Value value={line.kernel} />
              </td>
              <td>
                <Value value={line.revision} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {left.left.length > 0 && <p className="sb-dim">{t('drift.onlyRestore', { count: left.left.length })}</p>}
    </section>
  )
}

function Value({ value }: { readonly value: DriftValue }) {
  const { t } = useTranslation()
  return 'text' in value ? <span className="sb-mono">{value.text}</span> : t(`drift.value.${value.word}`)
}

/** Everything that the document has a word for; the rest of each group says that only restoring ends it. */
function TakeAll({
  state,
  isDisabled,
  onTake,
}: {
  readonly state: DirectorState
  readonly isDisabled: boolean
  readonly onTake: () => void
}) {
  const { t } = useTranslation()
  const { spec } = useMemo(() => takeTheirs(state.spec, state.observed, state.drift), [state])
  if (spec === state.spec) return null
  return (
    <Button variant="default" disabled={isDisabled} onClick={onTake}>
      {t('drift.takeAll')}
    </Button>
  )
}
