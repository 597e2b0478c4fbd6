import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { paths } from '../../app/paths.ts'
import { type Command, useCommand } from '../../connection/use-call.ts'
import { Icon } from '../../components/icon.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { startDraft } from '../wizard/use-draft.ts'

/** Opens the wizard on a new draft, which is kept before it is shown: its link works from the first moment. */
export function useNewService(directorId: string | undefined): Command<[], void> {
  const [, navigate] = useLocation()
  return useCommand(async () => {
    if (directorId === undefined) return
    navigate(paths.draft(directorId, await startDraft(directorId)))
  })
}

export function NewServiceButton({
  command,
  isDisabled = false,
}: {
  readonly command: Command<[], void>
  readonly isDisabled?: boolean
}) {
  const { t } = useTranslation()
  return (
    <Button
      leftSection={<Icon name="plus" size={14} />}
      loading={command.isRunning}
      disabled={isDisabled}
      onClick={() => void command.run()}
    >
      {t('action.newService')}
    </Button>
  )
}

/** Why no draft could be made; stands on top of the view. */
export function NewServiceError({ command }: { readonly command: Command<[], void> }) {
  return <InlineError error={command.error} onRetry={() => void command.run()} />
}
