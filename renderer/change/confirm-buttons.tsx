import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { client } from '../connection/client.ts'
import { useCommand } from '../connection/use-call.ts'
import { InlineError } from '../components/inline-error.tsx'
import styles from './confirm-buttons.module.css'

/**
 * Keep or Revert for a revision that awaits its confirmation. The agent decides: the page shows what it answers.
 * `isRevertFirst` where a proof failed: then taking back is the suggestion.
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
  const input = { directorId, input: { revision } }
  const keep = useCommand(() => client.call('director.cluster.confirm', input))
  const revert = useCommand(() => client.call('director.cluster.revert', input))
  const isBusy = keep.isRunning || revert.isRunning
  const buttons = [
    <Button
      key="keep"
      size={size}
      variant={isRevertFirst ? 'default' : 'filled'}
      loading={keep.isRunning}
      disabled={isBusy}
      onClick={() => void keep.run()}
    >
      {t('apply.keep')}
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
      {t('apply.revert')}
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
