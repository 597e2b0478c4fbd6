import { Loader } from '@mantine/core'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { ConnectStep, DirectorEntry } from '../../../core/contract/session.ts'
import { Icon } from '../../components/icon.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { formatMs } from '../../format/number.ts'
import { useNow } from '../../store/clock.ts'
import styles from './connect.module.css'
import { UnfitList, unfitOf } from './unfit-list.tsx'

/** The steps of a connection with what each found and how long it took; a failure stands at its step with its reason. */
export function ConnectSteps({ entry, onRetry }: { readonly entry: DirectorEntry; readonly onRetry?: () => void }) {
  const { t } = useTranslation()
  const { session } = entry
  const isRemoving = session.phase === 'removing'
  const elapsedOf = useStepTimes(session.steps)
  const failed = session.steps.find(({ state }) => state === 'failed')
  return (
    <ol className={styles.steps} aria-label={t('connect.steps')}>
      {session.steps.map((step) => (
        <li
          key={step.id}
          className={styles.step}
          data-state={step.state}
          aria-current={step.state === 'running' ? 'step' : undefined}
        >
          <span className={styles.stepMark} data-state={step.state}>
            <StepMark state={step.state} />
          </span>
          <span className={styles.stepTitle}>{t(`connect.${step.id}.title`)}</span>
          <span className={styles.stepDetail}>
            {step.detail !== null && t(detailKey(step, isRemoving), step.params)}
            {step.progress !== null && step.state === 'running' && (
              <progress
                className={styles.progress}
                max={1}
                value={step.progress}
                aria-label={t(`connect.${step.id}.title`)}
              />
            )}
            <span className="sb-hidden">{t(`stepState.${step.state}`)}</span>
          </span>
          <span className={styles.stepTime}>
            <Elapsed ms={elapsedOf(step)} />
          </span>
          {step === failed && session.error !== null && session.error.code !== 'SSH_HOST_KEY_CHANGED' && (
            <div className={styles.stepExtra}>
              <InlineError error={withoutUnfit(session.error)} onRetry={onRetry}>
                {unfitOf(session.error).length > 0 ? <UnfitList reasons={unfitOf(session.error)} /> : undefined}
              </InlineError>
            </div>
          )}
        </li>
      ))}
      {failed === undefined && session.error !== null && session.phase === 'failed' && (
        <li className={styles.step}>
          <div className={styles.stepExtra}>
            <InlineError error={session.error} onRetry={onRetry} />
          </div>
        </li>
      )}
    </ol>
  )
}

function detailKey(step: ConnectStep, isRemoving: boolean): string {
  return isRemoving && step.id === 'install' ? `connect.remove.${step.detail}` : `connect.${step.id}.${step.detail}`
}

function StepMark({ state }: { readonly state: ConnectStep['state'] }) {
  switch (state) {
    case 'running':
      return <Loader size={13} aria-hidden="true" />
    case 'done':
      return <Icon name="check" size={14} />
    case 'failed':
      return <Icon name="close" size={14} />
    case 'skipped':
      return <Icon name="chevronRight" size={12} />
    case 'pending':
      return (
        <svg width="8" height="8" aria-hidden="true">
          <circle cx="4" cy="4" r="3" fill="none" stroke="currentColor" />
        </svg>
      )
  }
}

/**
 * How long each step has run, as this page saw it; null for what was over before the page looked. The contract does not
 * carry times: they would be of another clock.
 */
function useStepTimes(steps: readonly ConnectStep[]): (step: ConnectStep) => number | null {
  const times = useRef(new Map<string, { startedAtMs: number | null; endedAtMs: number | null }>())
  const now = performance.now()
  useNow(200)
  for (const { id, state } of steps) {
    const known = times.current.get(id)
    if (state === 'pending' || state === 'skipped') times.current.delete(id)
    else if (state === 'running') {
      if (known === undefined || known.endedAtMs !== null) times.current.set(id, { startedAtMs: now, endedAtMs: null })
    } else if (known === undefined) times.current.set(id, { startedAtMs: null, endedAtMs: now })
    else if (known.endedAtMs === null) times.current.set(id, { ...known, endedAtMs: now })
  }
  return ({ id }) => {
    const known = times.current.get(id)
    return known === undefined || known.startedAtMs === null ? null : (known.endedAtMs ?? now) - known.startedAtMs
  }
}

function Elapsed({ ms }: { readonly ms: number | null }) {
  const { i18n } = useTranslation()
  if (ms === null) return null
  return ms < 1000 ? formatMs(ms, i18n.language) : `${(ms / 1000).toFixed(1)} s`
}

function withoutUnfit(error: NonNullable<DirectorEntry['session']['error']>) {
  const details = Object.fromEntries(Object.entries(error.details ?? {}).filter(([key]) => !key.startsWith('unfit.')))
  return { ...error, details }
}
