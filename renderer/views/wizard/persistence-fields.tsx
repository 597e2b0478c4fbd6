import { Checkbox, Group, Stack, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { addressBits } from '../../../core/model/address.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { useIssueText } from '../../components/issue-text.ts'
import { familyOfForm, objectionsTo } from './choices.ts'
import { useFieldErrors } from './field-errors.ts'
import type { StepProps } from './step-props.ts'

/** How long a client stays with its real server, how wide "a client" is, and the engine for SIP. */
export function PersistenceFields({ form, change, issues }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const { persistence } = form
  const set = (part: Partial<ServiceForm['persistence']>) => change({ persistence: { ...persistence, ...part } })
  const isRequired = objectionsTo(form, { persistence: { ...persistence, isOn: false } }).some(
    ({ expectation }) => expectation === 'anyPortIsPersistent',
  )
  const sip = useObjection(form, { persistence: { ...persistence, isOn: true, isSip: true } }, 'persistence.engine')
  return (
    <Stack gap="xs">
      <Checkbox
        label={t('wizard.persistence.label')}
        description={t(isRequired ? 'wizard.persistence.required' : 'wizard.persistence.hint')}
        checked={persistence.isOn}
        disabled={isRequired && persistence.isOn}
        onChange={(event) => set({ isOn: event.currentTarget.checked })}
      />
      {persistence.isOn && (
        <>
          <Group align="flex-start" gap="sm" pl={28}>
            <TextInput
              label={t('wizard.persistence.timeout')}
              description={t('wizard.persistence.timeoutHint')}
              value={persistence.timeoutSec}
              onChange={(event) => set({ timeoutSec: event.currentTarget.value })}
              error={errorOf('persistence.timeoutSec')}
              data-field="persistence.timeoutSec"
              inputMode="numeric"
              w={200}
            />
            <TextInput
              label={t('wizard.persistence.prefix')}
              description={t('wizard.persistence.prefixHint', { bits: addressBits[familyOfForm(form)] })}
              placeholder={String(addressBits[familyOfForm(form)])}
              value={persistence.prefixLength}
              onChange={(event) => set({ prefixLength: event.currentTarget.value })}
              error={errorOf('persistence.prefixLength')}
              data-field="persistence.prefixLength"
              inputMode="numeric"
              w={260}
            />
          </Group>
          <Checkbox
            pl={28}
            label={t('wizard.persistence.sip')}
            description={sip ?? t('wizard.persistence.sipHint')}
            checked={persistence.isSip}
            disabled={sip !== null && !persistence.isSip}
            error={errorOf('persistence.engine')}
            data-field="persistence.engine"
            onChange={(event) => set({ isSip: event.currentTarget.checked })}
          />
        </>
      )}
    </Stack>
  )
}

/** Each UDP packet by itself. */
export function OnePacketField({ form, change, issues }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const objection = useObjection(form, { onePacket: true }, 'onePacket')
  return (
    <Checkbox
      label={t('wizard.onePacket.label')}
      description={objection ?? t('wizard.onePacket.hint')}
      checked={form.onePacket}
      disabled={objection !== null && !form.onePacket}
      error={errorOf('onePacket')}
      data-field="onePacket"
      onChange={(event) => change({ onePacket: event.currentTarget.checked })}
    />
  )
}

/** The model's own sentence against a choice at one field; null where it has none. */
function useObjection(form: ServiceForm, choice: Partial<ServiceForm>, field: string): string | null {
  const { t } = useTranslation()
  const textOf = useIssueText()
  const issue = objectionsTo(form, choice).find(({ path }) => path.join('.') === field)
  if (issue === undefined) return null
  const known = `wizard.objection.${issue.expectation}`
  return t(known, { defaultValue: textOf(issue) })
}
