import { Stack, TagsInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { familyOf } from '../../../core/model/address.ts'
import { useIssueText } from '../../components/issue-text.ts'
import { familyOfForm } from './choices.ts'
import { issuesUnder } from './form-steps.ts'
import { MarkedLine } from './marked-line.tsx'
import type { StepProps } from './step-props.ts'

/** FullNAT: which of the director's addresses real servers see as their client. */
export function LocalAddressesField({ form, change, issues, hello }: StepProps) {
  const { t } = useTranslation()
  const textOf = useIssueText()
  const own = (hello?.interfaces ?? [])
    .filter(({ name }) => name !== 'lo')
    .flatMap(({ addresses }) => addresses.map(({ address }) => address))
    .filter((address) => familyOf(address) === familyOfForm(form) && address !== form.vip.trim())
  const [wrong] = issuesUnder(issues, 'localAddresses')
  const obstacle = hello?.ipvs.fullnatObstacle ?? null
  return (
    <Stack gap={6}>
      <TagsInput
        size="xs"
        label={t('wizard.localAddresses.label')}
        description={t('wizard.localAddresses.hint')}
        placeholder={form.localAddresses.length === 0 ? t('wizard.localAddresses.none') : undefined}
        data={[...new Set(own)]}
        value={[...form.localAddresses]}
        onChange={(localAddresses) => change({ localAddresses })}
        error={wrong === undefined ? undefined : textOf(wrong)}
        data-field="localAddresses"
        splitChars={[',', ' ']}
        acceptValueOnBlur
        maxTags={64}
        maw={460}
      />
      {obstacle !== null && <MarkedLine status="degraded">{t('wizard.mode.obstacle', { obstacle })}</MarkedLine>}
    </Stack>
  )
}
