import { Badge, Group, List, Paper, Radio, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { adviseModes } from './modes.ts'
import type { StepProps } from './step-props.ts'

/** The four modes as cards, the best fit first, each with why it fits or why not. */
export function StepMode({ form, change }: StepProps) {
  const { t } = useTranslation()
  return (
    <Radio.Group
      label={t('wizard.mode.label')}
      description={t('wizard.mode.hint')}
      value={form.forwarding}
      onChange={(forwarding) => change({ forwarding })}
    >
      <Stack gap="xs" mt="xs" maw={640}>
        {adviseModes(form).map(({ mode, fits, isAvailable, reasons }) => (
          <Paper key={mode} withBorder p="sm" className={form.forwarding === mode ? 'card-selected' : undefined}>
            <Group justify="space-between" wrap="nowrap" align="flex-start">
              <Radio value={mode} label={t(`wizard.mode.names.${mode}`)} disabled={!isAvailable} fw={600} />
              <Badge variant="outline" color={fits && isAvailable ? 'var(--sb-up-text)' : 'gray'} size="sm">
                {t(isAvailable ? (fits ? 'wizard.mode.fits' : 'wizard.mode.fitsNot') : 'wizard.mode.unavailable')}
              </Badge>
            </Group>
            <Text size="sm" c="dimmed" pl={28}>
              {t(`wizard.mode.summary.${mode}`)}
            </Text>
            <List size="sm" pl={28} mt={4} spacing={2}>
              {reasons.map((reason) => (
                <List.Item key={reason}>{t(`wizard.mode.reason.${reason}`)}</List.Item>
              ))}
            </List>
          </Paper>
        ))}
      </Stack>
    </Radio.Group>
  )
}
