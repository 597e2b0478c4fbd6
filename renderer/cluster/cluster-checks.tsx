import { Checkbox } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { ClusterCheck } from '../../core/contract/clusters.ts'
import type { Plan } from '../../core/model/plan.ts'
import { useStepSentence } from '../change/step-sentence.ts'
import { InlineError } from '../components/inline-error.tsx'
import type { IssueTarget } from '../components/issue-summary.tsx'
import { StatusMark } from '../components/status-mark.tsx'
import { type ClusterDirector, useCluster } from '../store/cluster.ts'
import styles from './cluster.module.css'

/**
 * What each director of the cluster has to say to the change, in the order of applying. Steps are listed only where
 * they differ from those of the director under review, which stand above.
 */
export function ClusterChecks({
  directorId,
  checks,
  without,
  onWithout,
  target,
}: {
  readonly directorId: string
  readonly checks: readonly ClusterCheck[]
  readonly without: readonly string[]
  /** Leaves directors out; left out, none can be. */
  readonly onWithout?: (without: readonly string[]) => void
  readonly target?: IssueTarget
}) {
  const { t } = useTranslation()
  const cluster = useCluster(directorId)
  const own = checks.find((check) => check.directorId === directorId)
  const digest = cluster.find(({ entry }) => entry.profile.id === directorId)?.state?.digest
  const left = cluster.filter(({ entry }) => without.includes(entry.profile.id))
  const leaving = (id: string, isOut: boolean) =>
    onWithout?.(isOut ? [...without, id] : without.filter((other) => other !== id))
  return (
    <section aria-label={t('cluster.checks')} className={styles.checks}>
      <h3 className={styles.heading}>{t('cluster.checks')}</h3>
      <p className="sb-dim">{t('cluster.order')}</p>
      <ol className={styles.members}>
        {checks.map((check) => (
          <Check
            key={check.directorId}
            check={check}
            director={cluster.find(({ entry }) => entry.profile.id === check.directorId)}
            ownPlan={own?.plan ?? null}
            ownDigest={digest}
            isOwn={check.directorId === directorId}
            target={target}
            onLeaveOut={
              onWithout === undefined || check.directorId === directorId ? null : () => leaving(check.directorId, true)
            }
          />
        ))}
      </ol>
      {left.map(({ entry }) => (
        <Checkbox
          key={entry.profile.id}
          checked
          onChange={() => leaving(entry.profile.id, false)}
          label={t('cluster.leftOut', { name: entry.profile.name })}
        />
      ))}
    </section>
  )
}

function Check({
  check,
  director,
  ownPlan,
  ownDigest,
  isOwn,
  target,
  onLeaveOut,
}: {
  readonly check: ClusterCheck
  readonly director: ClusterDirector | undefined
  readonly ownPlan: Plan | null
  readonly ownDigest: string | undefined
  readonly isOwn: boolean
  readonly target: IssueTarget | undefined
  readonly onLeaveOut: (() => void) | null
}) {
  const { t } = useTranslation()
  const sentenceOf = useStepSentence()
  const state = director?.state ?? null
  const name = director?.entry.profile.name ?? check.directorId
  const sentences = check.plan?.steps.map(({ step }) => sentenceOf(step)) ?? []
  const ownSentences = ownPlan?.steps.map(({ step }) => sentenceOf(step)) ?? []
  const isSame = sentences.length === ownSentences.length && sentences.every((one, i) => one === ownSentences[i])
  const isOther = !isOwn && state !== null && ownDigest !== undefined && state.digest !== ownDigest
  return (
    <li className={styles.member}>
      <span className={styles.memberName} title={name}>
        {name}
      </span>
      {check.error !== null ? (
        <StatusMark status="down" label={t('cluster.phase.refused')} isQuiet />
      ) : (
        <StatusMark
          status="up"
          isQuiet
          label={
            sentences.length === 0
              ? t('cluster.noSteps')
              : isOwn || !isSame
                ? t('cluster.steps', { count: sentences.length })
                : t('cluster.sameSteps', { count: sentences.length })
          }
        />
      )}
      <span className="sb-dim">{state === null ? '' : t(`cluster.role.${state.role}`)}</span>
      {check.error !== null && (
        <div className={styles.memberError}>
          <InlineError error={check.error} target={target} />
          {onLeaveOut !== null && check.error.code === 'OFFLINE' && (
            <Checkbox checked={false} onChange={onLeaveOut} label={t('cluster.leaveOut', { name })} />
          )}
        </div>
      )}
      {isOther && (
        <div className={styles.memberNote}>
          <StatusMark status="degraded" label={t('cluster.replaces', { revision: state.revision })} />
        </div>
      )}
      {!isOwn && !isSame && sentences.length > 0 && (
        <ol className={styles.memberSteps}>
          {sentences.map((sentence, i) => (
            <li key={i}>{sentence}</li>
          ))}
        </ol>
      )}
    </li>
  )
}
