import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { ClusterJob } from '../../core/contract/clusters.ts'
import { fromWireError } from '../../core/contract/errors.ts'
import { client } from '../connection/client.ts'
import { useCommand } from '../connection/use-call.ts'
import { InlineError } from '../components/inline-error.tsx'
import { useClusterJob } from '../store/cluster.ts'
import styles from './confirm-buttons.module.css'

/** Directors whose revision was made by the same apply and awaits its confirmation too; the director itself among them. */
function settledWith(job: ClusterJob | undefined, directorId: string, revision: number): string[] {
  const together = job?.state === 'applied' ? job.members.filter(({ result }) => result?.outcome === 'unconfirmed') : []
  const isOfJob = together.some((one) => one.directorId === directorId && one.result?.revision === revision)
  return isOfJob ? together.map((one) => one.directorId) : [directorId]
}

/**
 * Keep or Revert for a revision that awaits its confirmation, on all directors that got it in the same apply. The agents
 * decide: the page shows what they answer. `isRevertFirst` where a proof failed: then taking back is the suggestion.
 */
export function ConfirmButtons({
  directorId,
  revision,
  isRevertFirst = false,
  size = 'compact-xs',
}: {
  readonly directorId: string
  readonly revision: number
  readonly isRevertFirst?: boolean
  readonly size?: 'compact-xs' | 'sm'
}) {
  const { t } = useTranslation()
  const directorIds = settledWith(useClusterJob(directorId), directorId, revision)
  const settle = async (decision: 'confirm' | 'revert'): Promise<void> => {
    if (directorIds.length === 1) {
      const input = { directorId, input: { revision } }
      if (decision === 'confirm') await client.call('director.cluster.confirm', input)
      else await client.call('director.cluster.revert', input)
      return
    }
    const rows = await client.call('clusters.settle', { directorIds, decision })
    const failed = rows.find(({ error }) => error !== null)?.error ?? null
    if (failed !== null) throw fromWireError(failed)
  }
  const keep = useCommand(() => settle('confirm'))
  const revert = useCommand(() => settle('revert'))
  const isBusy = keep.isRunning || revert.isRunning
  const count = directorIds.length
  const buttons = [
    <Button
      key="keep"
      size={size}
      variant={isRevertFirst ? 'default' : 'filled'}
      loading={keep.isRunning}
      disabled={isBusy}
      onClick={() => void keep.run()}
    >
      {count === 1 ? t('apply.keep') : t('cluster.keep', { count })}
    </Button>,
    <Button
      key="revert"
      size={size}
      variant={isRevertFirst ? 'filled' : 'default'}
      color={isRevertFirst ? 'red' : undefined}
      loading={revert.isRunning}
      disabled={isBusy}
      onClick={() => void revert.run()}
    >
      {count === 1 ? t('apply.revert') : t('cluster.revert', { count })}
    </Button>,
  ]
  const error = keep.error ?? revert.error
  return (
    <>
      {isRevertFirst ? buttons.toReversed() : buttons}
      {error !== null && (
        <div className={styles.error}>
          <InlineError error={error} />
        </div>
      )}
    </>
  )
}
