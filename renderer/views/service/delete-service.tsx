import { Button, Checkbox, Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { serviceAddress } from '../../../core/model/service.ts'
import { client } from '../../connection/client.ts'
import { useCommand, useFetched } from '../../connection/use-call.ts'
import { editSpec, openReview } from '../../change/change-store.ts'
import { removeService } from '../../change/edits.ts'
import { CommandBlock } from '../../components/copy.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { useDirector } from '../../store/selectors.ts'
import type { ServiceView } from '../../store/service-state.ts'
import styles from './service.module.css'
import { undoAfter } from '../hosts/undo-after.ts'

/** Deleting is a change like any other; what the wizard fixed on the hosts for it can be taken back along with it. */
export function DeleteService({
  directorId,
  view,
  isOpen,
  onClose,
}: {
  readonly directorId: string
  readonly view: ServiceView
  readonly isOpen: boolean
  readonly onClose: () => void
}) {
  const { t } = useTranslation()
  const isProduction = useDirector(directorId)?.profile.isProduction ?? false
  const [wantsUndo, setWantsUndo] = useState(false)
  const [typed, setTyped] = useState('')
  const fixes = useFetched(isOpen ? `${directorId} ${view.key}` : null, (signal) =>
    client.call('fixes.list', { directorId }, { signal }),
  )
  const own = (fixes.value ?? []).filter(({ service, undoneAtMs }) => service === view.key && undoneAtMs === null)
  const propose = useCommand(async () => {
    editSpec(directorId, removeService(view.key))
    undoAfter.set(directorId, view.key, wantsUndo ? own.map(({ id }) => id) : [])
    onClose()
    openReview(directorId)
  })
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('service.deleteTitle', { name: view.service.name })}
      size={560}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={styles.stack}>
        <p>{t('service.deleteSentence', { address: serviceAddress(view.service) })}</p>
        <InlineError error={fixes.error ?? propose.error} onRetry={fixes.reload} />
        {own.length > 0 && (
          <>
            <Checkbox
              label={t('service.undoFixes', { count: own.length })}
              description={t('service.undoFixesHint')}
              checked={wantsUndo}
              onChange={(event) => setWantsUndo(event.currentTarget.checked)}
            />
            {wantsUndo &&
              own.map(({ id, fix }) => (
                <CommandBlock
                  key={id}
                  commands={fix.undo}
                  title={t('review.on', { host: fix.host })}
                  label={t('review.commandsOn', { host: fix.host })}
                />
              ))}
          </>
        )}
        {isProduction && (
          <TextInput
            label={t('service.typeName', { name: view.service.name })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('action.cancel')}
          </Button>
          <Button
            color="red"
            disabled={(isProduction && typed !== view.service.name) || fixes.value === null}
            onClick={() => void propose.run()}
          >
            {t('service.deleteReview')}
          </Button>
        </div>
      </div>
    </Modal>
  )
}
