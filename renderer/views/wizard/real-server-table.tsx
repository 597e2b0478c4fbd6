import { ActionIcon, Checkbox, Select, Table, TextInput, Tooltip } from '@mantine/core'
import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ForwardingMethod, methodNames, translatesPorts } from '../../../core/model/dataplane.ts'
import type { RealServerForm } from '../../../core/model/draft.ts'
import type { AccessInHand } from '../../connection/use-access.ts'
import { AccessSelect } from './access-select.tsx'
import { useFieldErrors } from './field-errors.ts'
import { isByTunnel, isForEveryPort, offerOf } from './form.ts'
import styles from './real-server-table.module.css'
import { RowTunnelFields } from './row-tunnel-fields.tsx'
import type { StepProps } from './step-props.ts'

const thresholds = ['upperThreshold', 'lowerThreshold'] as const
const extraFields = ['name', 'forwarding', ...thresholds] as const

/** Where a real server's port may differ from the service's, or does without being allowed to. */
function showsPorts(form: StepProps['form']): boolean {
  const methods = form.realServers.map((row) => (row.forwarding === '' ? form.forwarding : row.forwarding))
  const translates = methods.some((name) => {
    const method = ForwardingMethod.safeParse(name).data
    return method !== undefined && translatesPorts(method)
  })
  const usual = ['', isForEveryPort(form) ? '0' : form.port.trim()]
  return (translates && !isForEveryPort(form)) || form.realServers.some(({ port }) => !usual.includes(port.trim()))
}

/** The real servers, one row each; limits and another way to reach one of them in a second line where they are wanted. */
export function RealServerTable({
  form,
  change,
  issues,
  hello,
  access,
}: StepProps & { readonly access: AccessInHand }) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const offer = offerOf(form)
  const isNeeded =
    form.realServers.some((row) => row.tunnel.type !== '' || extraFields.some((field) => row[field] !== '')) ||
    [...issues.values()].some(
      ({ path }) => path[0] === 'realServers' && ['tunnel', ...extraFields].some((field) => path.includes(field)),
    )
  const [isAsked, setAsked] = useState(false)
  const isMoreShown = isAsked || isNeeded
  const fields = ['address', ...(showsPorts(form) ? (['port'] as const) : []), 'weight'] as const
  const widths: Readonly<Record<string, number>> = { port: 90, weight: 80 }
  const changeRow = (id: string, part: Partial<RealServerForm>) =>
    change({ realServers: form.realServers.map((row) => (row.id === id ? { ...row, ...part } : row)) })
  const cellLabel = (field: string, i: number) =>
    t('wizard.addresses.cell', { field: t(`wizard.addresses.${field}`), row: i + 1 })
  const placeholderOf = (field: (typeof fields)[number]) =>
    field === 'port' ? (isForEveryPort(form) ? '0' : form.port) : field === 'weight' ? '1' : undefined
  return (
    <div className={styles.scroll}>
      <Table verticalSpacing={2} horizontalSpacing={6} withTableBorder aria-label={t('wizard.addresses.table')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={32}>#</Table.Th>
            {fields.map((field) => (
              <Table.Th key={field} w={widths[field]}>
                {t(`wizard.addresses.${field}`)}
              </Table.Th>
            ))}
            <Table.Th w={236}>{t('wizard.addresses.access')}</Table.Th>
            <Table.Th w={36} aria-label={t('wizard.addresses.remove')} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {form.realServers.map((row, i) => (
            <Fragment key={row.id}>
              <Table.Tr className={isMoreShown ? styles.first : undefined}>
                <Table.Td c="dimmed">{i + 1}</Table.Td>
                {fields.map((field) => (
                  <Table.Td key={field} valign="top">
                    <TextInput
                      aria-label={cellLabel(field, i)}
                      value={row[field]}
                      title={row[field]}
                      placeholder={placeholderOf(field)}
                      onChange={(event) => changeRow(row.id, { [field]: event.currentTarget.value })}
                      error={errorOf(`realServers[${i}].${field}`)}
                      data-field={`realServers[${i}].${field}`}
                      classNames={field === 'address' ? { input: 'sb-mono' } : {}}
                    />
                  </Table.Td>
                ))}
                <Table.Td valign="top">
                  <AccessSelect
                    label={cellLabel('access', i)}
                    address={row.address}
                    access={access.of(row.address)}
                    onChange={(chosen) => void access.set([row.address], chosen)}
                  />
                </Table.Td>
                <Table.Td valign="top">
                  <Tooltip label={t('wizard.addresses.remove')}>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t('wizard.addresses.removeRow', { row: i + 1 })}
                      onClick={() => change({ realServers: form.realServers.filter(({ id }) => id !== row.id) })}
                    >
                      ×
                    </ActionIcon>
                  </Tooltip>
                </Table.Td>
              </Table.Tr>
              {isMoreShown && (
                <Table.Tr>
                  <Table.Td />
                  <Table.Td colSpan={fields.length + 2}>
                    <div className={styles.fields}>
                      <TextInput
                        label={t('wizard.addresses.name')}
                        aria-label={cellLabel('name', i)}
                        value={row.name}
                        onChange={(event) => changeRow(row.id, { name: event.currentTarget.value })}
                        error={errorOf(`realServers[${i}].name`)}
                        data-field={`realServers[${i}].name`}
                        w={170}
                      />
                      {offer.forwarding.length > 1 && (
                        <Select
                          label={t('wizard.addresses.forwarding')}
                          aria-label={cellLabel('forwarding', i)}
                          data={[
                            { value: '', label: t('wizard.addresses.asService') },
                            ...offer.forwarding.map((value) => ({ value, label: methodNames[value] })),
                          ]}
                          value={row.forwarding}
                          allowDeselect={false}
                          onChange={(value) => changeRow(row.id, { forwarding: value ?? '' })}
                          error={errorOf(`realServers[${i}].forwarding`)}
                          data-field={`realServers[${i}].forwarding`}
                          w={140}
                        />
                      )}
                      {isByTunnel(form, row) && (
                        <RowTunnelFields
                          row={row}
                          index={i}
                          issues={issues}
                          hello={hello}
                          change={(tunnel) => changeRow(row.id, { tunnel: { ...row.tunnel, ...tunnel } })}
                        />
                      )}
                      {offer.hasThresholds &&
                        thresholds.map((field) => (
                          <TextInput
                            key={field}
                            label={t(`wizard.addresses.${field}`)}
                            aria-label={cellLabel(field, i)}
                            value={row[field]}
                            placeholder={t('wizard.addresses.noLimit')}
                            onChange={(event) => changeRow(row.id, { [field]: event.currentTarget.value })}
                            error={errorOf(`realServers[${i}].${field}`)}
                            data-field={`realServers[${i}].${field}`}
                            inputMode="numeric"
                            w={150}
                          />
                        ))}
                    </div>
                  </Table.Td>
                </Table.Tr>
              )}
            </Fragment>
          ))}
        </Table.Tbody>
      </Table>
      <Checkbox
        mt="xs"
        label={t('wizard.addresses.more')}
        description={offer.hasThresholds ? t('wizard.addresses.moreHint') : undefined}
        checked={isMoreShown}
        disabled={isNeeded}
        onChange={(event) => setAsked(event.currentTarget.checked)}
      />
    </div>
  )
}
