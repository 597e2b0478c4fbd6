import { Badge, Radio, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { dataplaneNames, methodNames } from '../../../core/model/dataplane.ts'
import { TunnelType } from '../../../core/model/service.ts'
import { tunnelOverhead } from '../../../core/model/tunnel-overhead.ts'
import { CardFacts, ChoiceCard } from './choice-card.tsx'
import { dataplanesFor, familyOfForm } from './choices.ts'
import { DataplaneNotice } from './dataplane-notice.tsx'
import { useFieldErrors } from './field-errors.ts'
import { MarkedLine } from './marked-line.tsx'
import { adviseModes, type ModeAdvice } from './modes.ts'
import type { StepProps } from './step-props.ts'

/** The four modes as cards, the best fit first, each with why it fits or why not, its limits and what it needs. */
export function StepMode({ form, change, issues, hello }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const factsOf = useModeFacts({ form, hello })
  return (
    <Stack gap="sm" maw={680}>
      <Radio.Group
        label={t('wizard.mode.label')}
        description={t('wizard.mode.hint')}
        value={form.forwarding}
        error={errorOf('forwarding')}
        data-field="forwarding"
        tabIndex={-1}
        onChange={(forwarding) => change({ forwarding })}
      >
        <Stack gap="xs" mt="xs">
          {adviseModes(form, hello).map((advice) => (
            <ChoiceCard
              key={advice.mode}
              value={advice.mode}
              name={methodNames[advice.mode]}
              isChosen={form.forwarding === advice.mode}
              isDisabled={advice.isMissing}
              mark={<ModeMark advice={advice} />}
            >
              <Text size="sm">{t(`wizard.mode.summary.${advice.mode}`)}</Text>
              <CardFacts rows={factsOf(advice)} />
              {advice.obstacle !== null && (
                <MarkedLine status="degraded">{t('wizard.mode.obstacle', { obstacle: advice.obstacle })}</MarkedLine>
              )}
            </ChoiceCard>
          ))}
        </Stack>
      </Radio.Group>
      <DataplaneNotice form={form} fields={['forwarding']} />
    </Stack>
  )
}

function ModeMark({ advice: { fits, isMissing } }: { readonly advice: ModeAdvice }) {
  const { t } = useTranslation()
  return (
    <Badge variant="outline" color={fits && !isMissing ? 'var(--sb-up-text)' : 'gray'} size="sm">
      {t(isMissing ? 'wizard.mode.missing' : fits ? 'wizard.mode.fits' : 'wizard.mode.fitsNot')}
    </Badge>
  )
}

/** Smallest MTU of the director's interfaces that are up: the path is hardly wider. */
const pathMtu = (hello: StepProps['hello']): number =>
  Math.min(1500, ...(hello?.interfaces ?? []).filter(({ name, isUp }) => isUp && name !== 'lo').map(({ mtu }) => mtu))

function useModeFacts({ form, hello }: Pick<StepProps, 'form' | 'hello'>) {
  const { t } = useTranslation()
  const family = familyOfForm(form)
  const overheads = TunnelType.options.map((type) => ({
    type,
    bytes: tunnelOverhead({ type, checksum: 'nocsum' }, family),
  }))
  const mtu = pathMtu(hello)
  const cost = t('wizard.mode.overhead', {
    bytes: overheads.map(({ type, bytes }) => `${type.toUpperCase()} ${bytes}`).join(', '),
    mtu,
    mss: mtu - (overheads[0]?.bytes ?? 0) - (family === 'ipv4' ? 40 : 60),
  })
  return ({ mode, reasons, isMissing }: ModeAdvice) =>
    [
      [t('wizard.mode.why'), reasons.map((reason) => t(`wizard.mode.reason.${reason}`)).join(' ')],
      [t('wizard.mode.limits'), t(`wizard.mode.limit.${mode}`)],
      [t('wizard.mode.onRealServers'), t(`wizard.mode.realServers.${mode}`)],
      [t('wizard.mode.onDirector'), t(`wizard.mode.director.${mode}`)],
      [t('wizard.mode.cost'), mode === 'tun' ? cost : ''],
      [
        t('wizard.mode.dataplanes'),
        isMissing
          ? t('wizard.mode.noDataplane', { reason: hello?.ipvs.reason ?? '' })
          : dataplanesFor(mode)
              .map((name) => dataplaneNames[name])
              .join(', '),
      ],
    ] as const
}
