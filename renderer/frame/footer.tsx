import { ActionIcon, Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { DirectorEntry } from '../../core/contract/session.ts'
import type { ApplyProgress, ApplyResult } from '../../core/model/revision.ts'
import { paths } from '../app/paths.ts'
import { discardChange, openReview, useChange } from '../change/change-store.ts'
import { countEdits } from '../change/count-edits.ts'
import { ConfirmButtons } from '../change/confirm-buttons.tsx'
import { Icon } from '../components/icon.tsx'
import { StatusShape } from '../components/status-mark.tsx'
import { Time } from '../components/time.tsx'
import { useNow, useRemaining } from '../store/clock.ts'
import { useConsole } from '../store/console-store.ts'
import { useDirector, useDirectorData, useFreshness } from '../store/selectors.ts'
import { ClusterTask, useIsClusterTask } from './cluster-task.tsx'
import styles from './frame.module.css'
import { UndoTasks } from './undo-task.tsx'

/** The only place for what runs or is pending; stands under every view. */
export function Footer({ directorId }: { readonly directorId: string | undefined }) {
  const { t } = useTranslation()
  const link = useConsole((s) => s.link)
  const directors = useConsole((s) => s.directors)
  const busy = (directors ?? []).filter(({ session }) => isBusy(session.phase))
  return (
    <footer className={styles.foot} aria-label={t('footer.label')}>
      <LinkTask />
      {busy.map((entry) => (
        <SessionTask key={entry.profile.id} entry={entry} />
      ))}
      {directorId !== undefined && <ClusterTask directorId={directorId} />}
      {directorId !== undefined && <ApplyTask directorId={directorId} />}
      {directorId !== undefined && <UndoTasks directorId={directorId} />}
      {directorId !== undefined && <PendingTask directorId={directorId} />}
      {link.phase === 'open' && (
        <div className={`${styles.task} ${styles.idle}`}>
          {directorId === undefined ? t('footer.noDirector') : t('footer.idle')}
        </div>
      )}
    </footer>
  )
}

const isBusy = (phase: DirectorEntry['session']['phase']): boolean =>
  phase === 'connecting' || phase === 'question' || phase === 'reconnecting' || phase === 'removing'

/** The page's own connection to the console. */
function LinkTask() {
  const { t } = useTranslation()
  const link = useConsole((s) => s.link)
  const now = useNow()
  if (link.phase === 'open') return null
  const seconds = link.retryAtMs === null ? 0 : Math.max(0, Math.ceil((link.retryAtMs - now) / 1000))
  return (
    <div className={styles.task} data-tone={link.wasOpen ? 'warn' : undefined} role="status">
      <StatusShape status={link.wasOpen ? 'degraded' : 'unknown'} />
      {link.phase === 'waiting' ? t('footer.linkWaiting', { seconds }) : t('footer.linkConnecting')}
    </div>
  )
}

/** A director that is being connected, asks something, or has been lost. */
function SessionTask({ entry: { profile, session } }: { readonly entry: DirectorEntry }) {
  const { t } = useTranslation()
  const receivedAtMs = useReceived(session)
  const left = useRemaining(session.retryInMs, receivedAtMs)
  const step = session.steps.find(({ state }) => state === 'running')
  const seconds = left === null ? null : Math.ceil(left / 1000)
  return (
    <div className={styles.task} data-tone={session.phase === 'reconnecting' ? 'warn' : undefined}>
      <StatusShape status={session.phase === 'reconnecting' ? 'degraded' : 'draining'} />
      <span role="status">
        {session.phase === 'reconnecting'
          ? t('footer.reconnecting', { name: profile.name, attempt: session.attempt })
          : t(`footer.${session.phase}`, { name: profile.name })}
      </span>
      {session.phase === 'reconnecting' && seconds !== null && seconds > 0 && (
        <span>{t('footer.nextTry', { seconds })}</span>
      )}
      {session.phase === 'connecting' && step !== undefined && (
        <span className="sb-dim">{t(`connect.${step.id}.title`)}</span>
      )}
      <Link className="sb-link" href={paths.connectTo(profile.id)}>
        {session.phase === 'question' ? t('footer.answer') : t('footer.details')}
      </Link>
    </div>
  )
}

/** `performance.now` when this object was first seen; lengths of time in it run from there. */
function useReceived(value: object): number {
  const [seen, setSeen] = useState({ value, atMs: performance.now() })
  if (seen.value !== value) {
    const next = { value, atMs: performance.now() }
    setSeen(next)
    return next.atMs
  }
  return seen.atMs
}

/** An apply as it runs, waits for its confirmation, or ended badly. */
function ApplyTask({ directorId }: { readonly directorId: string }) {
  const data = useDirectorData(directorId)
  const freshness = useFreshness(directorId)
  const isClusterTask = useIsClusterTask(directorId)
  const state = data?.state
  if (isClusterTask || data === undefined || state === null || state === undefined) return null
  if (state.progress !== null) {
    return (
      <ProgressTask
        directorId={directorId}
        progress={state.progress}
        receivedAtMs={data.receivedAtMs}
        isReachable={freshness === 'live'}
      />
    )
  }
  return state.lastResult === null ? null : <ResultTask directorId={directorId} result={state.lastResult} />
}

function ProgressTask({
  directorId,
  progress,
  receivedAtMs,
  isReachable,
}: {
  readonly directorId: string
  readonly progress: ApplyProgress
  readonly receivedAtMs: number
  readonly isReachable: boolean
}) {
  const { t } = useTranslation()
  const skewMs = useDirector(directorId)?.session.clockSkewMs ?? 0
  const left = useRemaining(progress.remainingMs, receivedAtMs)
  const done = progress.steps.length === 0 ? 1 : progress.stepsDone / progress.steps.length
  if (!isReachable) {
    return (
      <div className={styles.task} data-tone="warn" role="status">
        <StatusShape status="degraded" />
        <span>
          {progress.revertsAtMs === null ? (
            t('footer.applyUnreachable', { revision: progress.revision })
          ) : (
            <>
              {t('footer.revertsAt', { revision: progress.revision })}{' '}
              <strong>
                <Time atMs={progress.revertsAtMs} isFull skewMs={skewMs} />
              </strong>{' '}
              {t('footer.directorTime')}
            </>
          )}
        </span>
      </div>
    )
  }
  if (progress.phase !== 'awaiting-confirmation') {
    return (
      <div className={styles.task} data-tone="accent">
        <span role="status">
          {t(`footer.${progress.phase}`, {
            revision: progress.revision,
            done: progress.stepsDone,
            total: progress.steps.length,
          })}
        </span>
        <span className={styles.bar}>
          <span style={{ transform: `scaleX(${done})` }} />
        </span>
      </div>
    )
  }
  return (
    <div className={styles.task} data-tone="accent">
      <StatusShape status="draining" />
      <span>{t('footer.awaiting', { revision: progress.revision })}</span>
      {left !== null && (
        <span className={styles.count} role="timer" aria-live="off">
          {t('footer.revertsIn', { seconds: Math.ceil(left / 1000) })}
        </span>
      )}
      <ConfirmButtons directorId={directorId} revision={progress.revision} />
    </div>
  )
}

/** What the last apply came to, where it is worth a word: taken back, failed, or kept with drift. Until it is closed. */
function ResultTask({ directorId, result }: { readonly directorId: string; readonly result: ApplyResult }) {
  const { t } = useTranslation()
  const id = `${directorId} ${result.revision} ${result.outcome}`
  const [closed, setClosed] = useState<string | null>(null)
  const isBad = result.failure !== null || result.outcome === 'failed' || result.outcome === 'reverted'
  const hasDrift = result.drift.length > 0
  if ((!isBad && !hasDrift) || closed === id) return null
  const key = result.failure !== null ? 'failed' : isBad ? result.outcome : 'drift'
  return (
    <div className={styles.task} data-tone={key === 'reverted' ? 'warn' : 'bad'} role="status">
      <StatusShape status={key === 'reverted' ? 'degraded' : 'down'} />
      <span className="sb-cut" title={result.failure?.message}>
        {t(`footer.result.${key}`, {
          revision: result.revision,
          why: result.failure?.message ?? '',
          count: result.drift.length,
        })}
      </span>
      <Link className="sb-link" href={paths.view(directorId, 'changes')}>
        {t('nav.changes')}
      </Link>
      <ActionIcon size={24} aria-label={t('footer.close')} onClick={() => setClosed(id)}>
        <Icon name="close" size={12} />
      </ActionIcon>
    </div>
  )
}

/** Edits that wait for their review. */
function PendingTask({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const change = useChange((s) => s.pending[directorId])
  if (change === undefined) return null
  const edits = countEdits(change.base, change.spec)
  return (
    <div className={styles.task} data-tone="accent">
      <span role="status">
        {edits === 0
          ? t('footer.pendingSame', { revision: change.baseRevision })
          : t('footer.pending', { count: edits })}
      </span>
      <Button size="compact-xs" onClick={() => openReview(directorId)}>
        {t('footer.review')}
      </Button>
      <Button size="compact-xs" variant="subtle" color="gray" onClick={() => discardChange(directorId)}>
        {t('footer.discard')}
      </Button>
    </div>
  )
}
