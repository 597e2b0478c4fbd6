import { Button, Drawer } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { serviceKey } from '../../core/model/service.ts'
import { paths } from '../app/paths.ts'
import { ClusterProgress } from '../cluster/cluster-progress.tsx'
import { InlineError } from '../components/inline-error.tsx'
import { TextDiff } from '../components/text-diff.tsx'
import { useClusterJob } from '../store/cluster.ts'
import { useDirector, useDirectorState, useHindrance } from '../store/selectors.ts'
import { ApplyOptionsForm } from './apply-options.tsx'
import {
  type PendingChange,
  applyChange,
  closeReview,
  discardChange,
  rebaseChange,
  updateChange,
  useChange,
} from './change-store.ts'
import { ChangeReview } from './change-review.tsx'
import { confirmSeconds, drainSeconds } from './confirm-time.ts'
import { mergeSpec } from './merge.ts'
import { isOutdated, useOnNewest } from './newest-base.ts'
import styles from './review-drawer.module.css'
import { useSpecIssues } from './spec-issues.ts'
import { usePlan, useYaml } from './use-plan.ts'

/** The pending change of whichever director is under review, at the right of every view. */
export function ReviewDrawer() {
  const directorId = useChange((s) => s.reviewOf)
  const change = useChange((s) => (s.reviewOf === null ? undefined : s.pending[s.reviewOf]))
  const { t } = useTranslation()
  return (
    <Drawer
      opened={directorId !== null && change !== undefined}
      onClose={closeReview}
      position="right"
      size={620}
      title={t('review.title')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      classNames={{ title: styles.title, body: styles.drawerBody }}
    >
      {directorId !== null && change !== undefined && <Review directorId={directorId} change={change} />}
    </Drawer>
  )
}

function Review({ directorId, change }: { readonly directorId: string; readonly change: PendingChange }) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const state = useDirectorState(directorId)
  const name = useDirector(directorId)?.profile.name ?? directorId
  const hindrance = useHindrance(directorId)
  const isOld = isOutdated(change, state)
  const shown = useOnNewest(directorId, change) ?? { before: change.base, after: change.spec }
  // While it is applied the directors' states change under it: the plan that was reviewed stays.
  const shownSpec = change.isApplying ? null : shown.after
  const plan = usePlan(directorId, shownSpec, change.adopt, change.without, drainSeconds(change.drainSec))
  const job = useClusterJob(directorId)
  const isOfCluster = plan.checks !== null
  // A job of before says nothing about this change.
  const ownJob = isOfCluster && (change.isApplying || change.error !== null) ? job : undefined
  const target = useSpecIssues(directorId, shown.after, closeReview)
  const removesShownService = useMemo(() => {
    const kept = new Set(change.spec.services.map(serviceKey))
    return change.base.services.some((service) => !kept.has(serviceKey(service)))
  }, [change])

  const apply = async () => {
    const result = await applyChange(directorId)
    if (result === null || result.failure !== null) return
    closeReview()
    if (removesShownService) navigate(paths.view(directorId, 'services'))
  }

  const isReady =
    hindrance === null &&
    plan.value !== null &&
    plan.error === null &&
    confirmSeconds(change.confirmWithinSec) !== undefined &&
    drainSeconds(change.drainSec) !== undefined
  return (
    <div className={styles.review}>
      <div className={styles.scroll}>
        {isOld && <Outdated directorId={directorId} change={change} />}
        <ChangeReview
          before={shown.before}
          after={shown.after}
          plan={plan}
          directorId={directorId}
          directorName={name}
          target={target}
          isApplying={change.isApplying}
          without={change.without}
          onWithout={(without) => updateChange(directorId, { without })}
        />
        <ApplyOptionsForm
          message={change.message}
          confirmWithinSec={change.confirmWithinSec}
          drainSec={change.drainSec}
          onMessage={(message) => updateChange(directorId, { message })}
          onConfirmWithinSec={(confirmWithinSec) => updateChange(directorId, { confirmWithinSec })}
          onDrainSec={(drainSec) => updateChange(directorId, { drainSec })}
        />
      </div>
      <div className={styles.foot}>
        {ownJob === undefined ? (
          <InlineError error={change.error} target={target} />
        ) : (
          <ClusterProgress job={ownJob} target={target} />
        )}
        {hindrance !== null && !change.isApplying && <p className="sb-dim">{t(`hindrance.${hindrance}`)}</p>}
        <div className={styles.buttons}>
          <Button variant="default" onClick={() => discardChange(directorId)} disabled={change.isApplying}>
            {t('review.discard')}
          </Button>
          <span className={styles.spring} />
          <Button variant="default" onClick={closeReview}>
            {t('review.later')}
          </Button>
          <Button onClick={() => void apply()} loading={change.isApplying} disabled={!isReady || isOld}>
            {isOfCluster
              ? t('cluster.apply', { count: plan.checks?.length ?? 0 })
              : t('review.apply', { count: plan.value?.steps.length ?? 0 })}
          </Button>
        </div>
      </div>
    </div>
  )
}

/** The base is outdated: the edits stay, the winner's difference is shown, and one button puts the edits on top. */
function Outdated({ directorId, change }: { readonly directorId: string; readonly change: PendingChange }) {
  const { t } = useTranslation()
  const state = useDirectorState(directorId)
  const base = useYaml(change.base)
  const theirs = useYaml(state?.spec ?? null)
  const clashes = useMemo(
    () => (state === null ? [] : mergeSpec(change.base, change.spec, state.spec).clashes),
    [change, state],
  )
  if (state === null) return null
  return (
    <section className={styles.outdated} role="alert" aria-label={t('outdated.title')}>
      <p className={styles.outdatedTitle}>
        {t('outdated.sentence', { base: change.baseRevision, now: state.revision })}
      </p>
      <p className="sb-dim">{t('outdated.kept')}</p>
      {base.value !== null && theirs.value !== null && (
        <TextDiff before={base.value} after={theirs.value} label={t('outdated.theirs', { revision: state.revision })} />
      )}
      {clashes.length > 0 && (
        <>
          <p>{t('outdated.clashes', { count: clashes.length })}</p>
          <ul className={styles.clashes}>
            {clashes.map(({ place, mine, theirs: other }) => (
              <li key={place}>
                <span className="sb-mono">{place}</span>: {t('outdated.clash', { mine, theirs: other })}
              </li>
            ))}
          </ul>
        </>
      )}
      <Button onClick={() => rebaseChange(directorId)} className={styles.rebase}>
        {t('outdated.rebase', { revision: state.revision })}
      </Button>
    </section>
  )
}
