import { Badge, Radio, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { type DataplaneName, dataplaneNames } from '../../../core/model/dataplane.ts'
import { BalancingFields } from './balancing-fields.tsx'
import { CheckFields } from './check-fields.tsx'
import { ChoiceCard } from './choice-card.tsx'
import { dataplanes, obstaclesOf, presenceOf, suggestDataplane } from './choices.ts'
import { useObstacleWords } from './dataplane-notice.tsx'
import { useFieldErrors } from './field-errors.ts'
import { MarkedLine } from './marked-line.tsx'
import type { StepProps } from './step-props.ts'

/** Which dataplane, which scheduler, and how real servers are checked. */
export function StepDataplane(props: StepProps) {
  const { t } = useTranslation()
  const { form, change, issues, hello } = props
  const errorOf = useFieldErrors(issues)
  const wordsOf = useObstacleWords()
  const suggestion = suggestDataplane(form, hello)
  const blocked = (name: DataplaneName) => presenceOf(name, hello) === 'missing' || obstaclesOf(form, name).length > 0
  return (
    <Stack gap="md" maw={720}>
      <Radio.Group
        label={t('wizard.dataplane.label')}
        value={form.dataplane}
        error={errorOf('dataplane')}
        data-field="dataplane"
        tabIndex={-1}
        onChange={(dataplane) => change({ dataplane })}
      >
        <Stack gap="xs" mt={4}>
          {dataplanes.map((name) => (
            <ChoiceCard
              key={name}
              value={name}
              name={dataplaneNames[name]}
              isChosen={form.dataplane === name}
              isDisabled={blocked(name)}
              mark={
                suggestion?.name === name && (
                  <Badge variant="outline" color="var(--sb-up-text)" size="sm">
                    {t('wizard.dataplane.suggested')}
                  </Badge>
                )
              }
            >
              <Text size="sm">{t(`wizard.dataplane.summary.${name}`)}</Text>
              {suggestion?.name === name && (
                <Text size="sm" c="dimmed">
                  {t(`wizard.dataplane.suggestion.${suggestion.why}`)}
                </Text>
              )}
              {obstaclesOf(form, name).map((issue) => (
                <MarkedLine key={String(issue.path[0])} status="down">
                  {wordsOf(issue)}
                </MarkedLine>
              ))}
              {name === 'ebpf' ? <EbpfPresence hello={hello} /> : <IpvsPresence hello={hello} />}
            </ChoiceCard>
          ))}
        </Stack>
      </Radio.Group>
      <BalancingFields {...props} />
      <CheckFields {...props} />
    </Stack>
  )
}

/** What the eBPF dataplane finds on this director. */
function EbpfPresence({ hello }: Pick<StepProps, 'hello'>) {
  if (hello === null) return null
  const { isAvailable, reason, hooks } = hello.dataplane
  return (
    <>
      {!isAvailable && <MarkedLine status="down">{reason}</MarkedLine>}
      {hooks.map(({ hook, isUsable, reason: why }) => (
        <MarkedLine key={hook} status={isUsable ? 'up' : 'unknown'}>
          {hook}{' '}
          <Text span size="sm" c="dimmed">
            {why}
          </Text>
        </MarkedLine>
      ))}
    </>
  )
}

/** Whether this director's kernel has IPVS: four answers, since each wants another remedy. */
function IpvsPresence({ hello }: Pick<StepProps, 'hello'>) {
  const { t } = useTranslation()
  if (hello === null) return null
  const { availability, reason, version } = hello.ipvs
  const isMissing = presenceOf('ipvs', hello) === 'missing'
  return (
    <MarkedLine status={isMissing ? 'down' : 'up'} more={isMissing ? reason : undefined}>
      {t(`wizard.dataplane.ipvs.${availability}`, { version: version ?? '' })}
    </MarkedLine>
  )
}
