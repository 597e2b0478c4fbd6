import { Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useYaml } from '../change/use-plan.ts'
import { InlineError } from '../components/inline-error.tsx'
import { LoadingRows } from '../components/states.tsx'
import { TextDiff } from '../components/text-diff.tsx'
import { useDirectorState } from '../store/selectors.ts'
import { useDirectorName } from './cluster-progress.tsx'

/** The documents of two directors of a cluster, line by line. */
export function CompareDialog({
  directorId,
  otherId,
  onClose,
}: {
  readonly directorId: string
  /** Null while nothing is compared. */
  readonly otherId: string | null
  readonly onClose: () => void
}) {
  const { t } = useTranslation()
  const nameOf = useDirectorName()
  const title = t('cluster.compareTitle', { first: nameOf(directorId), second: nameOf(otherId ?? '') })
  return (
    <Modal
      opened={otherId !== null}
      onClose={onClose}
      title={title}
      size={760}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {otherId !== null && <Difference directorId={directorId} otherId={otherId} label={title} />}
    </Modal>
  )
}

function Difference({
  directorId,
  otherId,
  label,
}: {
  readonly directorId: string
  readonly otherId: string
  readonly label: string
}) {
  const own = useYaml(useDirectorState(directorId)?.spec ?? null)
  const other = useYaml(useDirectorState(otherId)?.spec ?? null)
  const error = own.error ?? other.error
  if (error !== null) return <InlineError error={error} onRetry={own.reload} />
  if (own.value === null || other.value === null) return <LoadingRows rows={4} />
  return <TextDiff before={own.value} after={other.value} label={label} />
}
