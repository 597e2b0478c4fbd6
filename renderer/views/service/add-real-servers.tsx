import { Button, Modal, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { parseService } from '../../../core/model/cluster-spec.ts'
import type { Issue } from '../../../core/model/issue.ts'
import type { RealServer } from '../../../core/model/service.ts'
import { editSpec, useChange } from '../../change/change-store.ts'
import { addRealServers } from '../../change/edits.ts'
import { IssueSummary, fieldOf } from '../../components/issue-summary.tsx'
import { type ServiceView } from '../../store/service-state.ts'
import { serviceKey } from '../../../core/model/service.ts'
import { type UnreadLine, rowsOfPaste } from '../wizard/paste.ts'
import styles from './service.module.css'

const number = (text: string, otherwise: number): unknown =>
  text === '' ? otherwise : /^\d{1,9}$/.test(text) ? Number(text) : text

/** Real servers as lines, judged together with those that are there already; what is wrong names its line. */
export function AddRealServers({
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
  const [text, setText] = useState('')
  const [attempt, setAttempt] = useState(0)
  const [issues, setIssues] = useState<readonly Issue[]>([])
  const [unread, setUnread] = useState<readonly UnreadLine[]>([])
  const present = useChange(
    (s) => s.pending[directorId]?.spec.services.find((one) => serviceKey(one) === view.key) ?? view.service,
  )

  const add = () => {
    const { rows, unread: rest } = rowsOfPaste(text, () => '')
    const wanted = rows.map((row) => ({
      address: row.address,
      port: number(row.port, view.service.port),
      weight: number(row.weight, 1),
    }))
    const judged = parseService({ ...present, realServers: [...present.realServers, ...wanted] })
    const isNone = rows.length === 0 && rest.length === 0
    const found: Issue[] = isNone
      ? [{ path: ['realServers'], found: 'nothing', expectation: 'required' }]
      : judged.ok
        ? []
        : judged.issues
    setAttempt(attempt + 1)
    setIssues(found)
    setUnread(rest)
    if (!judged.ok || found.length > 0 || rest.length > 0) return
    const added: readonly RealServer[] = judged.value.realServers.slice(present.realServers.length)
    editSpec(directorId, addRealServers(view.key, added))
    setText('')
    onClose()
  }

  const labelOf = (issue: Issue): string => {
    const [list, index, field] = issue.path
    if (list !== 'realServers' || typeof index !== 'number') return t('service.add')
    const place = index - present.realServers.length + 1
    return t('service.newRealServer', { place, field: t(`column.field.${String(field ?? 'address')}`) })
  }

  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('service.addTitle', { name: view.service.name })}
      size={560}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          add()
        }}
      >
        <IssueSummary
          issues={issues}
          attempt={attempt}
          target={{ labelOf, goTo: () => document.querySelector<HTMLElement>('[data-field="realServers"]')?.focus() }}
        />
        {unread.length > 0 && (
          <p role="alert">
            {t('service.unread', { lines: unread.map(({ line, text: own }) => `${line}: ${own}`).join('; ') })}
          </p>
        )}
        <Textarea
          {...fieldOf(['realServers'])}
          label={t('service.addLabel')}
          description={t('service.addHint', { port: view.service.port })}
          placeholder={
            view.service.port === 0 ? '192.0.2.21\n192.0.2.22 2' : `192.0.2.21\n192.0.2.22:${view.service.port} 2`
          }
          autosize
          minRows={4}
          maxRows={14}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          classNames={{ input: 'sb-mono' }}
          spellCheck={false}
          data-autofocus
        />
        <p className="sb-dim">{t(`service.addNeeds.${view.service.forwarding}`)}</p>
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit">{t('service.addToChange')}</Button>
        </div>
      </form>
    </Modal>
  )
}
