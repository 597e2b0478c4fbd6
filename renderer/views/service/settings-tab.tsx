import { Button, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { parseService } from '../../../core/model/cluster-spec.ts'
import { type Issue, formatPath } from '../../../core/model/issue.ts'
import { type VirtualService, serviceKey } from '../../../core/model/service.ts'
import { editSpec, useChange } from '../../change/change-store.ts'
import { onService } from '../../change/edits.ts'
import { IssueSummary, fieldOf } from '../../components/issue-summary.tsx'
import { useIssueText } from '../../components/issue-text.ts'
import { Facts, Panel } from '../../components/page.tsx'
import { useDirectorState, useHindrance } from '../../store/selectors.ts'
import type { ServiceView } from '../../store/service-state.ts'
import styles from './service.module.css'

const numeric = (text: string): unknown =>
  text.trim() === '' ? undefined : /^\d{1,9}$/.test(text.trim()) ? Number(text) : text

interface Form {
  readonly name: string
  readonly notes: string
  readonly intervalMs: string
  readonly timeoutMs: string
  readonly rise: string
  readonly fall: string
}

function formOf(service: VirtualService): Form {
  const check = service.check.type === 'tcp' ? service.check : null
  const text = (value: number | undefined) => (value === undefined ? '' : String(value))
  return {
    name: service.name,
    notes: service.notes ?? '',
    intervalMs: text(check?.intervalMs),
    timeoutMs: text(check?.timeoutMs),
    rise: text(check?.rise),
    fall: text(check?.fall),
  }
}

function edited(service: VirtualService, form: Form): Record<string, unknown> {
  const { notes: _notes, ...rest } = service
  return {
    ...rest,
    name: form.name,
    ...(form.notes.trim() === '' ? {} : { notes: form.notes }),
    check:
      service.check.type === 'none'
        ? service.check
        : {
            type: 'tcp',
            intervalMs: numeric(form.intervalMs),
            timeoutMs: numeric(form.timeoutMs),
            rise: numeric(form.rise),
            fall: numeric(form.fall),
          },
  }
}

/** What makes the service the one it is, to read; its name, notes and check, to change. */
export function SettingsTab({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t } = useTranslation()
  const textOf = useIssueText()
  const hindrance = useHindrance(directorId)
  const observed = useDirectorState(directorId)?.observed
  const present = useChange(
    (s) => s.pending[directorId]?.spec.services.find((one) => serviceKey(one) === view.key) ?? view.service,
  )
  const [form, setForm] = useState<Form | null>(null)
  const [attempt, setAttempt] = useState(0)
  const shown = form ?? formOf(present)
  const judged = parseService(edited(present, shown))
  const issues: readonly Issue[] = attempt > 0 && !judged.ok ? judged.issues : []
  const programmed = observed?.services.find((one) => serviceKey(one) === view.key)
  const vip = observed?.vips.find(({ address }) => address === view.service.vip)

  const field = (name: keyof Form, path: readonly string[]) => {
    const issue = issues.find((one) => formatPath(one.path) === formatPath(path))
    return {
      ...fieldOf(path),
      label: t(`service.field.${name}`),
      value: shown[name],
      error: issue === undefined ? undefined : textOf(issue),
      disabled: hindrance !== null,
      onChange: (event: { readonly currentTarget: { readonly value: string } }) =>
        setForm({ ...shown, [name]: event.currentTarget.value }),
    }
  }

  return (
    <div className={styles.stack}>
      <Panel title={t('service.settings.identity')}>
        <Facts
          rows={[
            [
              t('column.vip'),
              <span key="vip" className="sb-mono">
                {view.key}
              </span>,
            ],
            [t('column.mode'), view.service.forwarding.toUpperCase()],
            [t('service.settings.dataplane'), t(`dataplane.${view.service.dataplane}`)],
            [t('service.settings.scheduler'), t('service.settings.mh')],
            [t('service.settings.announce'), t(`service.settings.announceBy.${view.service.announce}`)],
            [t('service.settings.interface'), programmed?.interface ?? view.service.interface ?? '–'],
            [
              t('service.settings.vipHeld'),
              vip === undefined
                ? t('service.settings.vipAbsent')
                : t('service.settings.vipOn', { interface: vip.interface }),
            ],
            [
              t('service.settings.ring'),
              <span key="ring" className="sb-mono">
                {programmed?.ringDigest ?? '–'}
              </span>,
            ],
          ]}
        />
        <p className="sb-dim" style={{ marginTop: 10 }}>
          {t('service.settings.identityHint')}
        </p>
      </Panel>
      <Panel title={t('service.settings.edit')}>
        <form
          className={styles.form}
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            setAttempt(attempt + 1)
            if (!judged.ok) return
            editSpec(
              directorId,
              onService(view.key, () => judged.value),
            )
            setForm(null)
            setAttempt(0)
          }}
        >
          <IssueSummary
            issues={issues}
            attempt={attempt}
            target={{ labelOf: (issue) => t(`service.field.${String(issue.path.at(-1))}`) }}
          />
          <TextInput {...field('name', ['name'])} maxLength={200} />
          {present.check.type === 'tcp' && (
            <>
              <div className={styles.two}>
                <TextInput {...field('intervalMs', ['check', 'intervalMs'])} inputMode="numeric" />
                <TextInput {...field('timeoutMs', ['check', 'timeoutMs'])} inputMode="numeric" />
              </div>
              <div className={styles.two}>
                <TextInput {...field('rise', ['check', 'rise'])} inputMode="numeric" />
                <TextInput {...field('fall', ['check', 'fall'])} inputMode="numeric" />
              </div>
            </>
          )}
          <Textarea {...field('notes', ['notes'])} autosize minRows={2} maxRows={8} />
          <div className={styles.buttons}>
            <Button variant="default" disabled={form === null} onClick={() => setForm(null)}>
              {t('service.settings.reset')}
            </Button>
            <Button type="submit" disabled={form === null || hindrance !== null}>
              {t('service.addToChange')}
            </Button>
          </div>
        </form>
      </Panel>
    </div>
  )
}
