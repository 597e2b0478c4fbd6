import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { serviceKey } from '../../core/model/service.ts'
import { client } from '../connection/client.ts'
import { useCommand } from '../connection/use-call.ts'
import { InlineError } from '../components/inline-error.tsx'
import { StatusShape } from '../components/status-mark.tsx'
import { useDirectorState } from '../store/selectors.ts'
import { type UndoAfter, undoAfter, useUndoAfter } from '../views/hosts/undo-after.ts'
import styles from './frame.module.css'

/**
 * Host fixes of a deleted service, offered to be taken back once the deletion is applied and kept. Until then they must
 * stay: the deletion may still revert, and the service would come back without what it needs.
 */
export function UndoTasks({ directorId }: { readonly directorId: string }) {
  const wanted = useUndoAfter((s) => s.wanted)
  const state = useDirectorState(directorId)
  if (state === null || state.progress !== null) return null
  const present = new Set(state.spec.services.map(serviceKey))
  return wanted
    .filter((one) => one.directorId === directorId && !present.has(one.service))
    .map((one) => <UndoTask key={one.service} wanted={one} />)
}

function UndoTask({ wanted }: { readonly wanted: UndoAfter }) {
  const { t } = useTranslation()
  const done = () => undoAfter.set(wanted.directorId, wanted.service, [])
  const undo = useCommand(async () => {
    const { failed } = await client.call('fixes.undo', { directorId: wanted.directorId, ids: [...wanted.ids] })
    if (failed.length === 0) done()
    return failed
  })
  return (
    <div className={styles.task} data-tone="accent">
      <StatusShape status="draining" />
      <span role="status">{t('footer.undoFixes', { count: wanted.ids.length, service: wanted.service })}</span>
      <Button size="compact-xs" onClick={() => void undo.run()} loading={undo.isRunning}>
        {t('footer.undoFixesNow')}
      </Button>
      <Button size="compact-xs" variant="subtle" color="gray" onClick={done} disabled={undo.isRunning}>
        {t('footer.keepFixes')}
      </Button>
      <InlineError error={undo.error} />
    </div>
  )
}
