import { Button, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { parseService } from '../../../core/model/cluster-spec.ts'
import { dataplaneNames, methodNames } from '../../../core/model/dataplane.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { formatPath, type Issue } from '../../../core/model/issue.ts'
import { serviceKey, type VirtualService } from '../../../core/model/service.ts'
import { editSpec, useChange } from '../../change/change-store.ts'
import { onService } from '../../change/edits.ts'
import { fieldOf, IssueSummary } from '../../components/issue-summary.tsx'
import { useIssueText } from '../../components/issue-text.ts'
import { Facts, Panel } from '../../components/page.tsx'
import { useDirector, useDirectorState, useHindrance } from '../../store/selectors.ts'
import type { ServiceView } from '../../store/service-state.ts'
import { BalancingFields } from '../wizard/balancing-fields.tsx'
import { CheckFields } from '../wizard/check-fields.tsx'
import { formOf } from '../wizard/form-of-service.ts'
import { issuesByField } from '../wizard/form-steps.ts'
import { settingsOf } from '../wizard/form.ts'
import styles from './service.module.css'

interface Edit {
  readonly form: ServiceForm
  readonly notes: string
}

/** The service with what the form says of its settings; its identity and its real servers stay as they are. */
function edited(service: VirtualService, { form, notes }: Edit): Record<string, unknown> {
  const { notes: _notes, schedulerFlags, persistence, onePacket, tunnel, localAddresses, ...kept } = service
  return { ...kept, ...settingsOf(form), name: form.name, ...(notes.trim() === '' ? {} : { notes }) }
}

/** What makes the service the one it is, to read; everything else, to change. */
export function SettingsTab({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const present = useChange(
    (s) => s.pending[directorId]?.spec.services.find((one) => serviceKey(one) === view.key) ?? view.service,
  )
  return (
    <div className={styles.stack}>
      <Identity directorId={directorId} view={view} />
      <Settings directorId={directorId} serviceId={view.key} present={present} />
    </div>
  )
}

function Identity({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t } = useTranslation()
  const observed = useDirectorState(directorId)?.observed
  const { service } = view
  const programmed = observed?.services.find((one) => serviceKey(one) === view.key)
  const vip = observed?.vips.find(({ address }) => address === service.vip)
  const vipRows = [
    [t('service.settings.announce'), t(`service.settings.announceBy.${service.announce}`)],
    [t('service.settings.interface'), programmed?.interface || (service.interface ?? '–')],
    [
      t('service.settings.vipHeld'),
      vip === undefined ? t('service.settings.vipAbsent') : t('service.settings.vipOn', { interface: vip.interface }),
    ],
  ] as const
  return (
    <Panel title={t('service.settings.identity')}>
      <Facts
        rows={[
          [
            t('column.vip'),
            <span key="vip" className="sb-mono">
              {view.key}
            </span>,
          ],
          [t('column.mode'), methodNames[service.forwarding]],
          [t('service.settings.dataplane'), dataplaneNames[service.dataplane]],
          ...(service.vip === undefined ? [] : vipRows),
          ...(service.dataplane === 'ebpf'
            ? ([
                [
                  t('service.settings.ring'),
                  <span key="ring" className="sb-mono">
                    {programmed?.ringDigest ?? '–'}
                  </span>,
                ],
              ] as const)
            : []),
        ]}
      />
      <p className={styles.hint}>{t('service.settings.identityHint')}</p>
    </Panel>
  )
}

function Settings({
  directorId,
  serviceId,
  present,
}: {
  readonly directorId: string
  readonly serviceId: string
  readonly present: VirtualService
}) {
  const { t } = useTranslation()
  const textOf = useIssueText()
  const hindrance = useHindrance(directorId)
  const hello = useDirector(directorId)?.session.hello ?? null
  const [edit, setEdit] = useState<Edit | null>(null)
  const [attempt, setAttempt] = useState(0)
  const shown = edit ?? { form: formOf(present), notes: present.notes ?? '' }
  const judged = parseService(edited(present, shown))
  const issues: readonly Issue[] = attempt > 0 && !judged.ok ? judged.issues : []
  const errorOf = (field: string): string | undefined => {
    const issue = issues.find(({ path }) => formatPath(path) === field)
    return issue === undefined ? undefined : textOf(issue)
  }
  const change = (part: Partial<ServiceForm>) => setEdit({ ...shown, form: { ...shown.form, ...part } })
  const fields = { form: shown.form, change, issues: issuesByField(issues), hello }
  return (
    <Panel title={t('service.settings.edit')}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          setAttempt(attempt + 1)
          if (!judged.ok) return
          editSpec(
            directorId,
            onService(serviceId, () => judged.value),
          )
          setEdit(null)
          setAttempt(0)
        }}
      >
        <fieldset className={styles.fieldset} disabled={hindrance !== null}>
          <IssueSummary issues={issues} attempt={attempt} />
          <TextInput
            {...fieldOf(['name'])}
            label={t('service.field.name')}
            value={shown.form.name}
            error={errorOf('name')}
            maxLength={200}
            maw={420}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
          <BalancingFields {...fields} />
          <CheckFields {...fields} />
          <Textarea
            {...fieldOf(['notes'])}
            label={t('service.field.notes')}
            value={shown.notes}
            error={errorOf('notes')}
            autosize
            minRows={2}
            maxRows={8}
            maw={560}
            onChange={(event) => setEdit({ ...shown, notes: event.currentTarget.value })}
          />
          <div className={styles.buttons}>
            <Button variant="default" disabled={edit === null} onClick={() => setEdit(null)}>
              {t('service.settings.reset')}
            </Button>
            <Button type="submit" disabled={edit === null || hindrance !== null}>
              {t('service.addToChange')}
            </Button>
          </div>
        </fieldset>
      </form>
    </Panel>
  )
}
