import { ActionIcon, Button, Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Issue, formatPath, issuesOf } from '../../../core/model/issue.ts'
import { ClientHost } from '../../../core/model/ssh.ts'
import { client } from '../../connection/client.ts'
import { useCommand, useFetched } from '../../connection/use-call.ts'
import { Icon } from '../../components/icon.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { IssueSummary, fieldOf } from '../../components/issue-summary.tsx'
import { useIssueText } from '../../components/issue-text.ts'
import { Panel } from '../../components/page.tsx'
import { useConsole } from '../../store/console-store.ts'
import { TargetFields } from '../connect/target-fields.tsx'
import { emptyTarget, formatTarget, idFor, targetOf } from '../connect/target-text.ts'
import styles from './hosts.module.css'

/** Hosts that proofs can be run from: a director cannot test its own VIP in DR. */
export function ClientHosts() {
  const { t } = useTranslation()
  const isOpen = useConsole((s) => s.link.phase === 'open')
  const [isAdding, setIsAdding] = useState(false)
  const hosts = useFetched(isOpen ? 'clientHosts' : null, (signal) => client.call('clientHosts.list', {}, { signal }))
  const forget = useCommand(async (id: string) => {
    await client.call('clientHosts.forget', { id })
    hosts.reload()
  })
  const list = hosts.value ?? []
  return (
    <Panel
      title={t('clientHosts.title')}
      isFlush
      aside={
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Icon name="plus" size={12} />}
          onClick={() => setIsAdding(true)}
        >
          {t('clientHosts.add')}
        </Button>
      }
    >
      {(hosts.error ?? forget.error) !== null && (
        <div className={styles.pad}>
          <InlineError error={hosts.error ?? forget.error} onRetry={hosts.reload} />
        </div>
      )}
      {list.length === 0 && hosts.error === null && <p className={styles.empty}>{t('clientHosts.none')}</p>}
      <ul className={styles.list}>
        {list.map(({ id, name, target }) => (
          <li key={id} className={styles.row}>
            <Icon name="hosts" size={14} />
            <span className={styles.rowMain}>
              <span className={`sb-cut ${styles.rowName}`} title={name}>
                {name}
              </span>
              <span className="sb-mono sb-dim sb-cut">{formatTarget(target)}</span>
            </span>
            <ActionIcon
              size={24}
              aria-label={t('clientHosts.forget', { name })}
              title={t('clientHosts.forget', { name })}
              onClick={() => void forget.run(id)}
            >
              <Icon name="trash" size={14} />
            </ActionIcon>
          </li>
        ))}
      </ul>
      <AddClientHost
        isOpen={isAdding}
        taken={new Set(list.map(({ id }) => id))}
        onClose={() => setIsAdding(false)}
        onSaved={() => {
          setIsAdding(false)
          hosts.reload()
        }}
      />
    </Panel>
  )
}

function AddClientHost({
  isOpen,
  taken,
  onClose,
  onSaved,
}: {
  readonly isOpen: boolean
  readonly taken: ReadonlySet<string>
  readonly onClose: () => void
  readonly onSaved: () => void
}) {
  const { t } = useTranslation()
  const textOf = useIssueText()
  const [name, setName] = useState('')
  const [target, setTarget] = useState(emptyTarget)
  const [attempt, setAttempt] = useState(0)
  const input = {
    id: idFor(name || target.host, taken),
    name: name.trim() === '' ? target.host.trim() : name.trim(),
    target: targetOf(target),
  }
  const judged = ClientHost.safeParse(input)
  const issues: readonly Issue[] = attempt > 0 && !judged.success ? issuesOf(judged.error, input) : []
  const nameIssue = issues.find(({ path }) => formatPath(path) === 'name')
  const save = useCommand(async () => {
    if (!judged.success) return
    await client.call('clientHosts.save', { host: judged.data })
    setName('')
    setTarget(emptyTarget)
    setAttempt(0)
    onSaved()
  })
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('clientHosts.addTitle')}
      size={540}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          setAttempt(attempt + 1)
          void save.run()
        }}
      >
        <p className="sb-dim">{t('clientHosts.hint')}</p>
        <IssueSummary
          issues={issues}
          attempt={attempt}
          target={{ labelOf: (issue) => t(`target.${String(issue.path.at(-1))}`) }}
        />
        <TextInput
          {...fieldOf(['name'])}
          label={t('target.name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={nameIssue === undefined ? undefined : textOf(nameIssue)}
          data-autofocus
        />
        <TargetFields value={target} onChange={setTarget} issues={issues} path={['target']} />
        <InlineError error={save.error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={save.isRunning}>
            {t('clientHosts.save')}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
