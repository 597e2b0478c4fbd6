import { Autocomplete, Button, Checkbox, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Issue, formatPath } from '../../../core/model/issue.ts'
import { client } from '../../connection/client.ts'
import { useCommand } from '../../connection/use-call.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { IssueSummary, fieldOf } from '../../components/issue-summary.tsx'
import { useIssueText } from '../../components/issue-text.ts'
import { useConsole } from '../../store/console-store.ts'
import type { FormStart } from './connect-view.tsx'
import styles from './connect.module.css'
import { TargetFields } from './target-fields.tsx'
import { emptyTarget, idFor, profileOf, textOfTarget } from './target-text.ts'

/** Host, user, key and jump host of a director. Saving connects at once: that is what the form is for. */
export function DirectorForm({
  start,
  onCancel,
  onSaved,
}: {
  readonly start: FormStart
  readonly onCancel: () => void
  readonly onSaved: (directorId: string) => void
}) {
  const { t } = useTranslation()
  const textOf = useIssueText()
  const directors = useConsole((s) => s.directors) ?? []
  const edited = directors.find(({ profile }) => profile.id === start.editedId)?.profile
  const [name, setName] = useState(start.name)
  const [target, setTarget] = useState(start.target === null ? emptyTarget : textOfTarget(start.target))
  const [isProduction, setIsProduction] = useState(edited?.isProduction ?? false)
  const [cluster, setCluster] = useState(edited?.cluster ?? '')
  const [attempt, setAttempt] = useState(0)

  const id = start.editedId ?? idFor(name || target.host, new Set(directors.map(({ profile }) => profile.id)))
  const judged = profileOf(id, name, target, isProduction, cluster)
  const issues: readonly Issue[] = attempt > 0 && !judged.ok ? judged.issues : []
  const issueAt = (path: string) => issues.find((issue) => formatPath(issue.path) === path)
  const nameIssue = issueAt('name')
  const clusterIssue = issueAt('cluster')
  const clusters = [...new Set(directors.flatMap(({ profile }) => profile.cluster ?? []))].toSorted()

  const save = useCommand(async () => {
    if (!judged.ok) return
    await client.call('directors.save', { profile: judged.profile })
    await client.call('directors.connect', { directorId: judged.profile.id })
    onSaved(judged.profile.id)
  })

  const labelOf = (issue: Issue): string => {
    const isJump = issue.path.includes('jump')
    const field = String(issue.path.at(-1))
    if (field === 'name' || field === 'cluster') return t(`target.${field}`)
    return t(isJump ? `target.jumpField.${field}` : `target.${field}`)
  }

  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setAttempt((before) => before + 1)
        if (judged.ok) void save.run()
      }}
    >
      <h2 className={styles.headName}>{edited === undefined ? t('connect.newTitle') : t('connect.editTitle')}</h2>
      <IssueSummary issues={issues} target={{ labelOf }} attempt={attempt} />
      <TextInput
        {...fieldOf(['name'])}
        label={t('target.name')}
        description={t('target.nameHint')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={nameIssue === undefined ? undefined : textOf(nameIssue)}
        data-autofocus
      />
      <TargetFields value={target} onChange={setTarget} issues={issues} path={['target']} />
      <Autocomplete
        {...fieldOf(['cluster'])}
        label={t('target.cluster')}
        description={t('target.clusterHint')}
        data={clusters}
        value={cluster}
        onChange={setCluster}
        error={clusterIssue === undefined ? undefined : textOf(clusterIssue)}
      />
      <Checkbox
        label={t('target.production')}
        description={t('target.productionHint')}
        checked={isProduction}
        onChange={(event) => setIsProduction(event.currentTarget.checked)}
      />
      <InlineError error={save.error} />
      <div className={styles.buttonsStart}>
        <Button type="submit" loading={save.isRunning}>
          {t('connect.connect')}
        </Button>
        <Button variant="default" onClick={onCancel}>
          {t('action.cancel')}
        </Button>
      </div>
    </form>
  )
}
