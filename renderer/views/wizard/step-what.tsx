import { Checkbox, Group, Radio, Stack, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { methodNames } from '../../../core/model/dataplane.ts'
import { ServiceForm } from '../../../core/model/draft.ts'
import { More } from '../../components/more.tsx'
import { Notice } from '../../components/notice.tsx'
import { DataplaneNotice } from './dataplane-notice.tsx'
import { useFieldErrors } from './field-errors.ts'
import { isForEveryPort } from './form.ts'
import { Segments } from './segments.tsx'
import type { StepProps } from './step-props.ts'

const { placement, protocol, matchBy, family } = ServiceForm.shape
const protocols = protocol.unwrap().options

/** What the service is for; the answers decide which modes fit. */
export function StepWhat({ form, change, issues }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const isByMark = form.matchBy === 'fwmark'
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
      {!isByMark && (
        <Group align="flex-start" gap="lg">
          <Segments
            label={t('wizard.what.protocol')}
            hint={t('wizard.what.protocolHint')}
            field="protocol"
            options={protocols.map((value) => ({ value, label: value.toUpperCase() }))}
            value={form.protocol}
            onChange={(value) => change({ protocol: value })}
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
      )}
      {!isByMark && isForEveryPort(form) && <Notice>{t('wizard.what.everyPort')}</Notice>}
      <More label={t('wizard.what.more')} isNeeded={isByMark}>
        <Stack gap="sm">
          <Radio.Group
            label={t('wizard.what.matchBy')}
            value={form.matchBy}
            onChange={(value) => change({ matchBy: matchBy.unwrap().parse(value) })}
          >
            <Stack gap={6} mt={4}>
              {matchBy.unwrap().options.map((value) => (
                <Radio
                  key={value}
                  value={value}
                  label={t(`wizard.what.matches.${value}.label`)}
                  description={t(`wizard.what.matches.${value}.hint`)}
                />
              ))}
            </Stack>
          </Radio.Group>
          {isByMark && (
            <Group align="flex-start" gap="lg">
              <TextInput
                label={t('wizard.what.fwmark')}
                description={t('wizard.what.fwmarkHint')}
                value={form.fwmark}
                onChange={(event) => change({ fwmark: event.currentTarget.value })}
                error={errorOf('fwmark')}
                data-field="fwmark"
                inputMode="numeric"
                w={240}
              />
              <Segments
                label={t('wizard.what.family')}
                hint={t('wizard.what.familyHint')}
                field="family"
                options={family.unwrap().options.map((value) => ({ value, label: t(`wizard.family.${value}`) }))}
                value={form.family}
                onChange={(value) => change({ family: value })}
              />
            </Group>
          )}
        </Stack>
      </More>
      <DataplaneNotice form={form} fields={['protocol', 'port', 'fwmark']} />
      <Radio.Group
        label={t('wizard.what.placement')}
        value={form.placement}
        onChange={(value) => change({ placement: placement.parse(value) })}
      >
        <Stack gap={6} mt={4}>
          {placement.options.map((value) => (
            <Radio
              key={value}
              value={value}
              label={t(`wizard.what.placements.${value}.label`)}
              description={t(`wizard.what.placements.${value}.hint`)}
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
        description={t('wizard.what.portsDifferHint', { methods: `${methodNames.nat}, ${methodNames.fullnat}` })}
        checked={form.portsDiffer}
        disabled={isForEveryPort(form)}
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
