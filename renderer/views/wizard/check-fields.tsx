import { Group, Stack, Text, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useFieldErrors } from './field-errors.ts'
import { isForEveryPort } from './form.ts'
import { Segments } from './segments.tsx'
import type { StepProps } from './step-props.ts'

const fields = ['intervalMs', 'timeoutMs', 'rise', 'fall'] as const

/** How real servers are checked; a service of every port has none to connect to. */
export function CheckFields({ form, change, issues }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const { check } = form
  if (isForEveryPort(form)) {
    return (
      <div>
        <Text size="sm" fw={500}>
          {t('wizard.dataplane.check.label')}
        </Text>
        <Text size="sm" c="dimmed">
          {t('wizard.dataplane.check.noPort')}
        </Text>
      </div>
    )
  }
  return (
    <Stack gap="xs">
      <Segments
        label={t('wizard.dataplane.check.label')}
        field="check.type"
        options={[
          { value: 'tcp', label: t('wizard.dataplane.check.tcp') },
          { value: 'none', label: t('wizard.dataplane.check.none') },
        ]}
        value={check.type}
        onChange={(type) => change({ check: { ...check, type } })}
      />
      {check.type === 'tcp' ? (
        <>
          {form.protocol !== 'tcp' && (
            <Text size="sm" c="dimmed">
              {t('wizard.dataplane.check.otherProtocol', { protocol: form.protocol.toUpperCase() })}
            </Text>
          )}
          <Group align="flex-start">
            {fields.map((field) => (
              <TextInput
                key={field}
                label={t(`wizard.dataplane.check.${field}`)}
                description={t(`wizard.dataplane.check.${field}Hint`)}
                value={check[field]}
                onChange={(event) => change({ check: { ...check, [field]: event.currentTarget.value } })}
                error={errorOf(`check.${field}`)}
                data-field={`check.${field}`}
                inputMode="numeric"
                w={150}
              />
            ))}
          </Group>
        </>
      ) : (
        <Text size="sm" c="dimmed">
          {t('wizard.dataplane.check.noneHint')}
        </Text>
      )}
    </Stack>
  )
}
