import { Button, Checkbox, Select, Switch, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DirectorState, InterfaceFacts } from '../../../core/contract/agent.ts'
import { SyncDaemon, SyncRole } from '../../../core/model/ipvs-settings.ts'
import { type Issue, formatPath, issuesOf } from '../../../core/model/issue.ts'
import { editSpec, useChange } from '../../change/change-store.ts'
import { setSync } from '../../change/edits.ts'
import { ipvsField } from '../../change/spec-issues.ts'
import { useIssueText } from '../../components/issue-text.ts'
import { Panel } from '../../components/page.tsx'
import styles from './director.module.css'
import { SyncDaemons, defaultGroup } from './sync-daemons.tsx'

interface Form {
  readonly isWanted: boolean
  readonly interface: string
  readonly roles: readonly SyncRole[]
  readonly syncId: string
  readonly group: string
  readonly port: string
  readonly ttl: string
}

const formOf = (daemon: SyncDaemon | undefined): Form => ({
  isWanted: daemon !== undefined,
  interface: daemon?.interface ?? '',
  roles: daemon?.roles ?? ['master', 'backup'],
  syncId: String(daemon?.syncId ?? 1),
  group: daemon?.group ?? '',
  port: String(daemon?.port ?? 8848),
  ttl: String(daemon?.ttl ?? 1),
})

const numeric = (text: string): unknown => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : text)

const inputOf = (form: Form): unknown => ({
  interface: form.interface,
  syncId: numeric(form.syncId),
  roles: form.roles,
  ...(form.group.trim() === '' ? {} : { group: form.group.trim() }),
  port: numeric(form.port),
  ttl: numeric(form.ttl),
})

/** The sync daemons that run, whoever started them, and the one that the document wants. */
export function SyncPanel({
  directorId,
  state,
  interfaces,
  isLocked,
}: {
  readonly directorId: string
  readonly state: DirectorState
  readonly interfaces: readonly InterfaceFacts[]
  readonly isLocked: boolean
}) {
  const { t } = useTranslation()
  const pending = useChange((s) => s.pending[directorId]?.spec)
  const wanted = (pending ?? state.spec).ipvs?.sync
  return (
    <Panel title={t('ipvs.sync')}>
      <p className="sb-dim">{t('ipvs.syncHint')}</p>
      <h3 className={styles.subhead}>{t('ipvs.running')}</h3>
      <SyncDaemons daemons={state.observed.ipvs.syncDaemons} />
      <h3 className={styles.subhead}>{t('ipvs.wanted')}</h3>
      {/* Another wanted daemon (discarded, rolled back, applied elsewhere) is another form. */}
      <SyncForm
        key={JSON.stringify(wanted ?? null)}
        directorId={directorId}
        wanted={wanted}
        interfaces={interfaces}
        isLocked={isLocked}
      />
    </Panel>
  )
}

function SyncForm({
  directorId,
  wanted,
  interfaces,
  isLocked,
}: {
  readonly directorId: string
  readonly wanted: SyncDaemon | undefined
  readonly interfaces: readonly InterfaceFacts[]
  readonly isLocked: boolean
}) {
  const { t } = useTranslation()
  const textOf = useIssueText()
  const [form, setForm] = useState(() => formOf(wanted))
  const [issues, setIssues] = useState<readonly Issue[]>([])
  const isChanged = JSON.stringify(form) !== JSON.stringify(formOf(wanted))
  const put = (change: Partial<Form>) => setForm({ ...form, ...change })
  const errorOf = (field: string) => {
    const issue = issues.find(({ path }) => formatPath(path) === field)
    return issue === undefined ? undefined : textOf(issue)
  }
  const text = (field: 'syncId' | 'group' | 'port' | 'ttl', placeholder?: string) => (
    <TextInput
      {...ipvsField(`sync.${field}`)}
      label={t(`ipvs.${field}`)}
      placeholder={placeholder}
      value={form[field]}
      error={errorOf(field)}
      disabled={isLocked}
      onChange={(event) => put({ [field]: event.currentTarget.value })}
      classNames={{ input: 'sb-mono' }}
    />
  )
  const commit = () => {
    if (!form.isWanted) {
      setIssues([])
      return editSpec(directorId, setSync(undefined))
    }
    const judged = SyncDaemon.safeParse(inputOf(form))
    setIssues(judged.success ? [] : issuesOf(judged.error, inputOf(form)))
    if (judged.success) editSpec(directorId, setSync(judged.data))
  }
  // One that has gone from the host is still what the document says.
  const names = [
    ...new Set([...interfaces.map(({ name }) => name), ...(form.interface === '' ? [] : [form.interface])]),
  ]
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        commit()
      }}
    >
      <Switch
        {...ipvsField('sync')}
        label={t('ipvs.wantedSync')}
        checked={form.isWanted}
        disabled={isLocked}
        onChange={(event) => put({ isWanted: event.currentTarget.checked })}
      />
      {form.isWanted && (
        <>
          <Checkbox.Group
            label={t('ipvs.roles')}
            value={[...form.roles]}
            error={errorOf('roles')}
            onChange={(roles) => put({ roles: SyncRole.options.filter((role) => roles.includes(role)) })}
          >
            <div className={styles.choices}>
              {SyncRole.options.map((role) => (
                <Checkbox
                  key={role}
                  value={role}
                  disabled={isLocked}
                  label={`${t(`ipvs.role.${role}`)}: ${t(`ipvs.roleHint.${role}`)}`}
                />
              ))}
            </div>
          </Checkbox.Group>
          <div className={styles.fields}>
            <Select
              {...ipvsField('sync.interface')}
              label={t('ipvs.interface')}
              data={names}
              value={form.interface === '' ? null : form.interface}
              error={errorOf('interface')}
              disabled={isLocked}
              allowDeselect={false}
              onChange={(value) => put({ interface: value ?? '' })}
            />
            {text('syncId')}
            {text('group', defaultGroup)}
            {text('port')}
            {text('ttl')}
          </div>
          <p className="sb-dim">
            {t('ipvs.syncIdHint')} {t('ipvs.groupHint', { group: defaultGroup })}
          </p>
        </>
      )}
      {isChanged && (
        <div className={styles.buttons}>
          <Button
            variant="default"
            onClick={() => {
              setForm(formOf(wanted))
              setIssues([])
            }}
          >
            {t('ipvs.asApplied')}
          </Button>
          <Button type="submit" disabled={isLocked}>
            {t('ipvs.toChange')}
          </Button>
        </div>
      )}
    </form>
  )
}
