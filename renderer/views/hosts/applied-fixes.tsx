import { Button, Checkbox, Modal } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { WireError } from '../../../core/contract/errors.ts'
import type { AppliedFix } from '../../../core/diagnosis/finding.ts'
import { client } from '../../connection/client.ts'
import { useCommand, useFetched } from '../../connection/use-call.ts'
import { CommandBlock } from '../../components/copy.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { Panel } from '../../components/page.tsx'
import { Time } from '../../components/time.tsx'
import { useConsole } from '../../store/console-store.ts'
import { useDirector } from '../../store/selectors.ts'
import { useRuleTitle } from './rule-title.ts'
import styles from './hosts.module.css'

/** What was changed on hosts for a service, and the way back: the commands are shown before they run. */
export function AppliedFixes({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const titleOf = useRuleTitle()
  const isOpen = useConsole((s) => s.link.phase === 'open')
  const directorName = useDirector(directorId)?.profile.name ?? directorId
  const fixes = useFetched(isOpen ? directorId : null, (signal) =>
    client.call('fixes.list', { directorId }, { signal }),
  )
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [isPlanShown, setIsPlanShown] = useState(false)
  const [failures, setFailures] = useState<readonly { id: string; error: WireError }[]>([])
  const list = (fixes.value ?? []).toSorted((a, b) => b.appliedAtMs - a.appliedAtMs)
  const selected = list.filter(({ id, undoneAtMs }) => chosen.has(id) && undoneAtMs === null)
  const nameOf = (host: string) => (host === 'director' ? directorName : host)

  const undo = useCommand(async () => {
    const { failed } = await client.call('fixes.undo', { directorId, ids: selected.map(({ id }) => id) })
    setFailures(failed)
    setChosen(new Set())
    setIsPlanShown(false)
    fixes.reload()
  })

  return (
    <Panel
      title={t('fixes.title')}
      isFlush
      aside={
        selected.length > 0 && (
          <Button size="compact-xs" onClick={() => setIsPlanShown(true)}>
            {t('fixes.undo', { count: selected.length })}
          </Button>
        )
      }
    >
      {(fixes.error !== null || failures.length > 0) && (
        <div className={styles.pad}>
          <InlineError error={fixes.error} onRetry={fixes.reload} />
          {failures.map(({ id, error }) => (
            <InlineError key={id} error={error} />
          ))}
        </div>
      )}
      {list.length === 0 && fixes.error === null && <p className={styles.empty}>{t('fixes.none')}</p>}
      <ul className={styles.list}>
        {list.map((one) => (
          <Row
            key={one.id}
            applied={one}
            title={titleOf(one.fix.rule)}
            host={nameOf(one.fix.host)}
            isChosen={chosen.has(one.id)}
            onChoose={(isChosen) =>
              setChosen(isChosen ? new Set([...chosen, one.id]) : new Set([...chosen].filter((id) => id !== one.id)))
            }
          />
        ))}
      </ul>
      <Modal
        opened={isPlanShown}
        onClose={() => setIsPlanShown(false)}
        title={t('fixes.planTitle', { count: selected.length })}
        size={620}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <div className={styles.form}>
          <p className="sb-dim">{t('fixes.planHint')}</p>
          {[...new Set(selected.map(({ fix }) => fix.host))].map((host) => (
            <CommandBlock
              key={host}
              // Newest first: what was built on another fix goes before it.
              commands={selected.filter(({ fix }) => fix.host === host).flatMap(({ fix }) => fix.undo)}
              title={t('review.on', { host: nameOf(host) })}
              label={t('review.commandsOn', { host: nameOf(host) })}
            />
          ))}
          <InlineError error={undo.error} />
          <div className={styles.buttons}>
            <Button variant="default" onClick={() => setIsPlanShown(false)} data-autofocus>
              {t('action.cancel')}
            </Button>
            <Button onClick={() => void undo.run()} loading={undo.isRunning}>
              {t('fixes.undo', { count: selected.length })}
            </Button>
          </div>
        </div>
      </Modal>
    </Panel>
  )
}

function Row({
  applied,
  title,
  host,
  isChosen,
  onChoose,
}: {
  readonly applied: AppliedFix
  readonly title: string
  readonly host: string
  readonly isChosen: boolean
  readonly onChoose: (isChosen: boolean) => void
}) {
  const { t } = useTranslation()
  const isUndone = applied.undoneAtMs !== null
  return (
    <li className={styles.row}>
      <Checkbox
        aria-label={t('fixes.choose', { title, host })}
        disabled={isUndone}
        checked={isChosen && !isUndone}
        onChange={(event) => onChoose(event.currentTarget.checked)}
      />
      <span className={styles.rowMain}>
        <span className="sb-mono">{host}</span>
        <span className="sb-cut" title={title}>
          {title}
        </span>
        <span className="sb-mono sb-dim">{applied.service}</span>
      </span>
      <span className="sb-dim">
        {applied.undoneAtMs !== null ? (
          <>
            {t('fixes.undone')} <Time atMs={applied.undoneAtMs} />
          </>
        ) : (
          <Time atMs={applied.appliedAtMs} />
        )}
      </span>
    </li>
  )
}
