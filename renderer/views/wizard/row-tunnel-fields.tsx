import { Select, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RealServerForm } from '../../../core/model/draft.ts'
import { Tunnel, TunnelChecksum, TunnelType } from '../../../core/model/service.ts'
import { useFieldErrors } from './field-errors.ts'
import type { StepProps } from './step-props.ts'

/** Another tunnel to one real server than to the others: its type, and what that type has. */
export function RowTunnelFields({
  row,
  index,
  issues,
  hello,
  change,
}: Pick<StepProps, 'issues' | 'hello'> & {
  readonly row: RealServerForm
  readonly index: number
  readonly change: (part: Partial<RealServerForm['tunnel']>) => void
}) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const { tunnel } = row
  const type = TunnelType.safeParse(tunnel.type).data
  const label = (field: string) => t('wizard.addresses.cell', { field, row: index + 1 })
  const isAbsent = (name: TunnelType) => hello?.ipvs.tunnels.find((one) => one.type === name)?.isAvailable === false
  const takes = (checksum: Tunnel['checksum']) =>
    Tunnel.safeParse({ type, checksum, ...(type === 'gue' ? { port: 1 } : {}) }).success
  return (
    <>
      <Select
        label={t('wizard.tunnel.type')}
        aria-label={label(t('wizard.tunnel.type'))}
        data={[
          { value: '', label: t('wizard.addresses.asService') },
          ...TunnelType.options.map((value) => ({
            value,
            label: value.toUpperCase(),
            disabled: isAbsent(value) && value !== type,
          })),
        ]}
        value={tunnel.type}
        allowDeselect={false}
        onChange={(value) =>
          change({ type: value ?? '', ...(value === 'gue' && tunnel.port === '' ? { port: '6080' } : {}) })
        }
        error={errorOf(`realServers[${index}].tunnel.type`)}
        data-field={`realServers[${index}].tunnel.type`}
        w={140}
      />
      {type === 'gue' && (
        <TextInput
          label={t('wizard.tunnel.port')}
          aria-label={label(t('wizard.tunnel.port'))}
          value={tunnel.port}
          onChange={(event) => change({ port: event.currentTarget.value })}
          error={errorOf(`realServers[${index}].tunnel.port`)}
          data-field={`realServers[${index}].tunnel.port`}
          inputMode="numeric"
          w={110}
        />
      )}
      {type !== undefined && type !== 'ipip' && (
        <Select
          label={t('wizard.tunnel.checksum')}
          aria-label={label(t('wizard.tunnel.checksum'))}
          data={TunnelChecksum.options.map((value) => ({
            value,
            label: t(`wizard.tunnel.checksums.${value}`),
            disabled: !takes(value),
          }))}
          value={TunnelChecksum.safeParse(tunnel.checksum).data ?? 'nocsum'}
          allowDeselect={false}
          onChange={(value) => value !== null && change({ checksum: value })}
          error={errorOf(`realServers[${index}].tunnel.checksum`)}
          data-field={`realServers[${index}].tunnel.checksum`}
          w={200}
        />
      )}
    </>
  )
}
