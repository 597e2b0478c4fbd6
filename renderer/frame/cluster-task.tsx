import { ActionIcon, Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type ClusterJob, isJobOver } from '../../core/contract/clusters.ts'
import { ConfirmButtons } from '../change/confirm-buttons.tsx'
import { ClusterProgress, useDirectorName } from '../cluster/cluster-progress.tsx'
import { statusOfJob } from '../cluster/member-status.ts'
import { Icon } from '../components/icon.tsx'
import { StatusShape } from '../components/status-mark.tsx'
import { useRemaining } from '../store/clock.ts'
import { useClusterJob } from '../store/cluster.ts'
import { type ConsoleState, useConsole } from '../store/console-store.ts'
import styles from './frame.module.css'

/** An apply to several directors: how far it is, what awaits its confirmation on all of them, or how it ended badly. */
export function ClusterTask({ directorId }: { readonly directorId: string }) {
  const job = useClusterJob(directorId)
  const data = useConsole((s) => s.data)
  const [closed, setClosed] = useState<string | null>(null)
  if (job === undefined) return null
  if (job.state === 'applied') {
    const awaiting = awaitingOf(job, data)
    return awaiting.length === 0 ? null : <AwaitingTask awaiting={awaiting} />
  }
  if (isJobOver(job) && closed === job.id) return null
  return <JobTask job={job} onClose={() => setClosed(job.id)} />
}

interface Awaiting {
  readonly directorId: string
  readonly revision: number
  /** Page's monotonic clock at which it reverts by itself. */
  readonly endsAtMs: number
  readonly isLive: boolean
}

/** Directors that got the document by this job and still await the confirmation, as far as they were heard. */
function awaitingOf(job: ClusterJob, data: ConsoleState['data']): Awaiting[] {
  return job.members.flatMap(({ directorId, result }) => {
    const known = data[directorId]
    const progress = known?.state?.progress
    if (known === undefined || progress?.phase !== 'awaiting-confirmation' || progress.revision !== result?.revision) {
      return []
    }
    const endsAtMs = known.receivedAtMs + (progress.remainingMs ?? Number.POSITIVE_INFINITY)
    return [{ directorId, revision: progress.revision, endsAtMs, isLive: known.isLive }]
  })
}

/** True while the cluster's own line says what a single director's would say. */
export function useIsClusterTask(directorId: string): boolean {
  const job = useClusterJob(directorId)
  const data = useConsole((s) => s.data)
  if (job === undefined) return false
  return job.state === 'applied' ? awaitingOf(job, data).length > 0 : !isJobOver(job)
}

function AwaitingTask({ awaiting }: { readonly awaiting: readonly Awaiting[] }) {
  const { t } = useTranslation()
  const nameOf = useDirectorName()
  const first = awaiting.reduce((a, b) => (b.endsAtMs < a.endsAtMs ? b : a))
  const left = useRemaining(Number.isFinite(first.endsAtMs) ? first.endsAtMs : null, 0)
  const lost = awaiting.filter(({ isLive }) => !isLive).map((one) => nameOf(one.directorId))
  return (
    <div className={styles.task} data-tone="accent">
      <StatusShape status="degraded" />
      <span role="status">{t('cluster.awaiting', { count: awaiting.length })}</span>
      {left !== null && <span>{t('footer.revertsIn', { seconds: Math.ceil(left / 1000) })}</span>}
      {lost.length > 0 && <span>{t('cluster.awaitingLost', { names: lost.join(', ') })}</span>}
      <ConfirmButtons directorId={first.directorId} revision={first.revision} />
    </div>
  )
}

function JobTask({ job, onClose }: { readonly job: ClusterJob; readonly onClose: () => void }) {
  const { t } = useTranslation()
  const nameOf = useDirectorName()
  const [isOpen, details] = useDisclosure(false)
  const isOver = isJobOver(job)
  const at = job.members.find(({ phase }) => phase === 'applying' || phase === 'takingBack' || phase === 'checking')
  const tone = !isOver ? undefined : job.state === 'notTakenBack' ? 'bad' : 'warn'
  return (
    <div className={styles.task} data-tone={tone}>
      <StatusShape status={statusOfJob[job.state]} />
      <span role="status">{t(`cluster.job.${job.state}`, { count: job.members.length })}</span>
      {at !== undefined && (
        <span className="sb-dim">
          {nameOf(at.directorId)}: {t(`cluster.phase.${at.phase}`)}
        </span>
      )}
      <Button size="compact-xs" variant="default" onClick={details.open}>
        {t('cluster.job.show')}
      </Button>
      {isOver && (
        <ActionIcon size={24} aria-label={t('footer.close')} onClick={onClose}>
          <Icon name="close" size={12} />
        </ActionIcon>
      )}
      <Modal
        opened={isOpen}
        onClose={details.close}
        title={t('cluster.job.label')}
        size={620}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <ClusterProgress job={job} />
      </Modal>
    </div>
  )
}
