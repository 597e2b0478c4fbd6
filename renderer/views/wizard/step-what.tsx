import { Checkbox, Group, Radio, Stack, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { useFieldErrors } from './field-errors.ts'
import type { StepProps } from './step-props.ts'

const placements = ['sameNetwork', 'routed', 'otherSite'] as const

/** What the service is for; the answers decide which modes fit. */
export function StepWhat({ form, change, issues }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  return (
    <Stack gap="sm" maw={560}>
      <TextInput
        label={t('wizard.what.name')}
        description={t('wizard.what.nameHint')}
        value={form.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={errorOf('name')}
        data-field="name"
        maxLength={200}
        autoFocus
      />
      <Group align="flex-start" gap="sm">
        <TextInput
          label={t('wizard.what.protocol')}
          value="TCP"
          readOnly
          w={110}
          description={t('wizard.what.protocolHint')}
        />
        <TextInput
          label={t('wizard.what.port')}
          description={t('wizard.what.portHint')}
          value={form.port}
          onChange={(event) => change({ port: event.currentTarget.value })}
          error={errorOf('port')}
          data-field="port"
          inputMode="numeric"
          w={300}
        />
      </Group>
      <Radio.Group
        label={t('wizard.what.placement')}
        value={form.placement}
        onChange={(value) => change({ placement: value as ServiceForm['placement'] })}
      >
        <Stack gap={6} mt={4}>
          {placements.map((placement) => (
            <Radio
              key={placement}
              value={placement}
              label={t(`wizard.what.placements.${placement}.label`)}
              description={t(`wizard.what.placements.${placement}.hint`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      <Checkbox
        label={t('wizard.what.needsClientAddress')}
        description={t('wizard.what.needsClientAddressHint')}
        checked={form.needsClientAddress}
        onChange={(event) => change({ needsClientAddress: event.currentTarget.checked })}
      />
      <Checkbox
        label={t('wizard.what.portsDiffer')}
        description={t('wizard.what.portsDifferHint')}
        checked={form.portsDiffer}
        onChange={(event) => change({ portsDiffer: event.currentTarget.checked })}
      />
      <Checkbox
        label={t('wizard.what.hasWindows')}
        description={t('wizard.what.hasWindowsHint')}
        checked={form.hasWindows}
        onChange={(event) => change({ hasWindows: event.currentTarget.checked })}
      />
    </Stack>
  )
}
