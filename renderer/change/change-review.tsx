import { Tabs } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import type { Command, Plan } from '../../core/model/plan.ts'
import { ClusterChecks } from '../cluster/cluster-checks.tsx'
import { OtherDocuments } from '../cluster/other-documents.tsx'
import { Icon } from '../components/icon.tsx'
import { InlineError } from '../components/inline-error.tsx'
import { IssueList, type IssueTarget } from '../components/issue-summary.tsx'
import { LoadingRows } from '../components/states.tsx'
import { TextDiff } from '../components/text-diff.tsx'
import { formatShare } from '../format/number.ts'
import styles from './change-review.module.css'
import { Commands } from './commands.tsx'
import { useStepSentence } from './step-sentence.ts'
import { type PlanOfAll, useYaml } from './use-plan.ts'

/**
 * A change before it is made, the same wherever one is reviewed: in words, what it does to traffic, the difference of
 * the document, and the commands that would do the same.
 */
export function ChangeReview({
  before,
  after,
  plan,
  directorId,
  directorName,
  hostCommands = [],
  target,
  isApplying = false,
  without = [],
  onWithout,
}: {
  /** The document that the change starts from. */
  readonly before: ClusterSpec
  readonly after: ClusterSpec
  readonly plan: PlanOfAll
  readonly directorId: string
  readonly directorName: string
  /** Commands on other hosts that belong to the change: fixes on real servers. */
  readonly hostCommands?: readonly Command[]
  /** Where the issues of a refused document lead. */
  readonly target?: IssueTarget
  /** What the directors have is changing just now: nothing is said of it. */
  readonly isApplying?: boolean
  /** Directors of the cluster that the change leaves out, and how to leave out others. */
  readonly without?: readonly string[]
  readonly onWithout?: (without: readonly string[]) => void
}) {
  const { t } = useTranslation()
  const sentenceOf = useStepSentence()
  const beforeYaml = useYaml(before)
  const afterYaml = useYaml(after)
  const steps = plan.value?.steps ?? []
  const commands = [...(plan.value?.commands ?? []), ...hostCommands]
  return (
    <div className={styles.review}>
      <section aria-label={t('review.words')}>
        <h3 className={styles.heading}>
          {plan.checks === null ? t('review.words') : t('cluster.words', { name: directorName })}
        </h3>
        {plan.error !== null && plan.checks === null ? (
          <InlineError error={plan.error} onRetry={plan.reload} target={target} />
        ) : plan.value === null ? (
          plan.error === null ? (
            <LoadingRows rows={3} />
          ) : (
            <p className="sb-dim">{t('cluster.noPlan', { name: directorName })}</p>
          )
        ) : steps.length === 0 ? (
          <p className="sb-dim">{t('review.noSteps')}</p>
        ) : (
          <ol className={styles.steps}>
            {steps.map(({ step }, i) => (
              <li key={i}>{sentenceOf(step)}</li>
            ))}
          </ol>
        )}
      </section>
      {plan.value !== null && steps.length > 0 && <RiskLine plan={plan.value} />}
      {plan.checks !== null && !isApplying && (
        <ClusterChecks
          directorId={directorId}
          checks={plan.checks}
          without={without}
          onWithout={onWithout}
          target={target}
        />
      )}
      {plan.value !== null && plan.value.warnings.length > 0 && (
        <section className={styles.warnings} aria-label={t('review.warnings')}>
          <h3 className={styles.heading}>{t('review.warnings')}</h3>
          <IssueList issues={plan.value.warnings} target={target} />
        </section>
      )}
      <Tabs defaultValue="diff" className={styles.tabs}>
        <Tabs.List>
          <Tabs.Tab value="diff">{t('review.diff')}</Tabs.Tab>
          <Tabs.Tab value="commands">{t('review.commands')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="diff" className={styles.tab}>
          {beforeYaml.value !== null && afterYaml.value !== null ? (
            <TextDiff before={beforeYaml.value} after={afterYaml.value} label={t('review.diffLabel')} />
          ) : (
            (beforeYaml.error ?? afterYaml.error) === null && <LoadingRows rows={4} />
          )}
          <InlineError error={beforeYaml.error ?? afterYaml.error} onRetry={afterYaml.reload} />
          {plan.checks !== null && !isApplying && (
            <OtherDocuments directorId={directorId} checks={plan.checks} after={after} />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="commands" className={styles.tab}>
          {plan.value !== null && <Commands commands={commands} steps={steps} directorName={directorName} />}
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}

/** One line of what the change does to traffic; counts come from the plan. */
function RiskLine({ plan }: { readonly plan: Plan }) {
  const { t, i18n } = useTranslation()
  const { realServersLeavingRing, servicesRemoved, flowsCut, slotsMoved } = plan.risk
  const moved = Math.max(0, ...Object.values(slotsMoved))
  const parts: string[] = [
    ...(servicesRemoved > 0 ? [t('risk.servicesRemoved', { count: servicesRemoved })] : []),
    ...(realServersLeavingRing > 0 ? [t('risk.leavingRing', { count: realServersLeavingRing })] : []),
    ...(flowsCut === null
      ? [t('risk.flowsUnknown')]
      : flowsCut > 0
        ? [t('risk.flowsCut', { count: flowsCut })]
        : [t('risk.noFlowsCut')]),
    ...(moved > 0 ? [t('risk.slotsMoved', { share: formatShare(moved, i18n.language) })] : []),
  ]
  const isGrave = servicesRemoved > 0 || (flowsCut ?? 0) > 0
  return (
    <p className={isGrave ? styles.riskGrave : styles.risk}>
      <Icon name={isGrave ? 'warning' : 'info'} />
      <span>
        <strong>{t('risk.title')}</strong> {parts.join('; ')}
      </span>
    </p>
  )
}
