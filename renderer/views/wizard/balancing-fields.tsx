import { Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { More } from '../../components/more.tsx'
import { issuesUnder } from './form-steps.ts'
import { offerOf, usesTunnel } from './form.ts'
import { LocalAddressesField } from './local-addresses-field.tsx'
import { OnePacketField, PersistenceFields } from './persistence-fields.tsx'
import { SchedulerFields } from './scheduler-fields.tsx'
import type { StepProps } from './step-props.ts'
import { TunnelFields } from './tunnel-fields.tsx'

/** Who gets a connection and how it gets there, as far as the chosen dataplane and mode have a say in it. */
export function BalancingFields(props: StepProps) {
  const { t } = useTranslation()
  const { form, issues } = props
  const offer = offerOf(form)
  const isWrong = ['persistence', 'onePacket'].some((field) => issuesUnder(issues, field).length > 0)
  return (
    <Stack gap="md">
      <SchedulerFields {...props} />
      {usesTunnel(form) && <TunnelFields {...props} />}
      {form.forwarding === 'fullnat' && <LocalAddressesField {...props} />}
      {(offer.hasPersistence || offer.hasOnePacket) && (
        <More
          label={t('wizard.dataplane.more')}
          isNeeded={isWrong || (offer.hasPersistence && form.persistence.isOn) || form.onePacket}
        >
          <Stack gap="sm">
            {offer.hasPersistence && <PersistenceFields {...props} />}
            {offer.hasOnePacket && <OnePacketField {...props} />}
          </Stack>
        </More>
      )}
    </Stack>
  )
}
