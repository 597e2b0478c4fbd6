import { Group, List, Paper, Radio, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { AgentHello } from '../../../core/contract/agent.ts'
import { useFieldErrors } from './field-errors.ts'
import { StatusMark } from '../../components/status-mark.tsx'
import type { StepProps } from './step-props.ts'

/** Which dataplane, which scheduler, and how real servers are checked. */
export function StepDataplane({ form, change, issues, hello }: StepProps & { readonly hello: AgentHello | null }) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const { check } = form
  const checkField = (field: 'intervalMs' | 'timeoutMs' | 'rise' | 'fall') => (
    <TextInput
      label={t(`wizard.dataplane.check.${field}`)}
      description={t(`wizard.dataplane.check.${field}Hint`)}
      value={check[field]}
      onChange={(event) => change({ check: { ...check, [field]: event.currentTarget.value } })}
      error={errorOf(`check.${field}`)}
      data-field={`check.${field}`}
      inputMode="numeric"
      w={150}
    />
  )
  return (
    <Stack gap="md" maw={680}>
      <Radio.Group
        label={t('wizard.dataplane.label')}
        value={form.dataplane}
        onChange={(dataplane) => change({ dataplane })}
      >
        <Paper withBorder p="sm" mt={4} className="card-selected">
          <Radio value="ebpf" label="eBPF" fw={600} />
          <Text size="sm" c="dimmed" pl={28}>
            {t('wizard.dataplane.ebpf')}
          </Text>
          {hello !== null && (
            <List size="sm" pl={28} mt={4} listStyleType="none" spacing={2}>
              {!hello.dataplane.isAvailable && (
                <List.Item>
                  <StatusMark status="down" label={hello.dataplane.reason ?? ''} />
                </List.Item>
              )}
              {hello.dataplane.hooks.map(({ hook, isUsable, reason }) => (
                <List.Item key={hook}>
                  <StatusMark status={isUsable ? 'up' : 'unknown'} label={hook} />{' '}
                  <Text span size="sm" c="dimmed">
                    {reason}
                  </Text>
                </List.Item>
              ))}
            </List>
          )}
        </Paper>
      </Radio.Group>
      <Radio.Group
        label={t('wizard.dataplane.scheduler')}
        value={form.scheduler}
        onChange={(scheduler) => change({ scheduler })}
      >
        <Radio mt={4} value="mh" label={t('wizard.dataplane.mh')} description={t('wizard.dataplane.mhHint')} />
      </Radio.Group>
      <Stack gap="xs">
        <Text size="sm" fw={500} id="check-type">
          {t('wizard.dataplane.check.label')}
        </Text>
        <SegmentedControl
          aria-labelledby="check-type"
          w={260}
          data={[
            { value: 'tcp', label: t('wizard.dataplane.check.tcp') },
            { value: 'none', label: t('wizard.dataplane.check.none') },
          ]}
          value={check.type}
          onChange={(type) => change({ check: { ...check, type: type as 'tcp' | 'none' } })}
        />
        {check.type === 'tcp' ? (
          <Group align="flex-start">
            {checkField('intervalMs')}
            {checkField('timeoutMs')}
            {checkField('rise')}
            {checkField('fall')}
          </Group>
        ) : (
          <Text size="sm" c="dimmed">
            {t('wizard.dataplane.check.noneHint')}
          </Text>
        )}
      </Stack>
    </Stack>
  )
}
