import { Group, Select, Text, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { familyOf, HostAddress } from '../../../core/model/address.ts'
import { DataplaneName, dataplaneOffers } from '../../../core/model/dataplane.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { Tunnel, TunnelChecksum, TunnelType } from '../../../core/model/service.ts'
import { tunnelOverhead } from '../../../core/model/tunnel-overhead.ts'
import { familyOfForm } from './choices.ts'
import { useFieldErrors } from './field-errors.ts'
import { Segments } from './segments.tsx'
import type { StepProps } from './step-props.ts'

/** How packets travel to tunnel real servers, and what it costs. */
export function TunnelFields({ form, change, issues, hello }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const { tunnel } = form
  const set = (part: Partial<ServiceForm['tunnel']>) => change({ tunnel: { ...tunnel, ...part } })
  const type = TunnelType.safeParse(tunnel.type).data ?? 'ipip'
  const dataplane = DataplaneName.safeParse(form.dataplane).data ?? 'ebpf'
  const { tunnels, tunnelChecksums } = dataplaneOffers[dataplane]
  // Modules of the director's kernel: IPVS alone needs them.
  const isAbsent = (name: TunnelType) =>
    !tunnels.includes(name) ||
    (dataplane === 'ipvs' && hello?.ipvs.tunnels.find((one) => one.type === name)?.isAvailable === false)
  const takes = (checksum: Tunnel['checksum']) =>
    tunnelChecksums.includes(checksum) &&
    Tunnel.safeParse({ type, checksum, ...(type === 'gue' ? { port: 1 } : {}) }).success
  const checksum = TunnelChecksum.safeParse(tunnel.checksum).data ?? 'nocsum'
  return (
    <div>
      <Group align="flex-start" gap="lg">
        <Segments
          label={t('wizard.tunnel.type')}
          hint={t('wizard.tunnel.typeHint')}
          field="tunnel.type"
          options={TunnelType.options.map((value) => ({
            value,
            label: value.toUpperCase(),
            disabled: isAbsent(value) && value !== type,
          }))}
          value={type}
          onChange={(value) => set({ type: value })}
        />
        {type === 'gue' && (
          <TextInput
            label={t('wizard.tunnel.port')}
            description={t('wizard.tunnel.portHint')}
            value={tunnel.port}
            onChange={(event) => set({ port: event.currentTarget.value })}
            error={errorOf('tunnel.port')}
            data-field="tunnel.port"
            inputMode="numeric"
            w={170}
          />
        )}
        {type !== 'ipip' && (
          <Select
            label={t('wizard.tunnel.checksum')}
            description={t('wizard.tunnel.checksumHint')}
            data={TunnelChecksum.options.map((value) => ({
              value,
              label: t(`wizard.tunnel.checksums.${value}`),
              disabled: !takes(value),
            }))}
            value={checksum}
            allowDeselect={false}
            onChange={(value) => value !== null && set({ checksum: value })}
            error={errorOf('tunnel.checksum')}
            data-field="tunnel.checksum"
            w={230}
          />
        )}
      </Group>
      <Text size="sm" c="dimmed" mt={4}>
        {t('wizard.tunnel.cost', { bytes: tunnelOverhead({ type, checksum }, outerFamily(form)) })}
        {TunnelType.options.some(isAbsent) &&
          ` ${t('wizard.tunnel.absent', {
            types: TunnelType.options
              .filter(isAbsent)
              .map((name) => name.toUpperCase())
              .join(', '),
          })}`}
      </Text>
    </div>
  )
}

/** The outer header is of the real servers' family, which may be another than the VIP's. */
function outerFamily(form: ServiceForm): ReturnType<typeof familyOf> {
  const first = form.realServers
    .map(({ address }) => HostAddress.safeParse(address.trim()))
    .find(({ success }) => success)?.data
  return first === undefined ? familyOfForm(form) : familyOf(first)
}
