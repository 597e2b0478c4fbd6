import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  Select,
  Stack,
  Table,
  Text,
  Textarea,
  TextInput,
  Tooltip,
} from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AgentHello } from '../../../core/contract/agent.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { useFieldErrors } from './field-errors.ts'
import { AccessSelect } from './access-select.tsx'
import { rowsOfPaste, type UnreadLine } from './paste.ts'
import type { StepProps } from './step-props.ts'

type Row = ServiceForm['realServers'][number]
const newId = () => crypto.randomUUID()

/** The VIP and the real servers; many at once by pasting lines. */
export function StepAddresses({ form, change, issues, hello }: StepProps & { readonly hello: AgentHello | null }) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const [pasted, setPasted] = useState('')
  const [unread, setUnread] = useState<readonly UnreadLine[]>([])
  const changeRow = (id: string, part: Partial<Row>) =>
    change({ realServers: form.realServers.map((row) => (row.id === id ? { ...row, ...part } : row)) })
  const addPasted = () => {
    const { rows, unread: rest } = rowsOfPaste(pasted, newId)
    change({ realServers: [...form.realServers, ...rows] })
    setUnread(rest)
    setPasted(rest.map(({ text }) => text).join('\n'))
  }
  const isOwnAddress = issues.get('vip')?.expectation === 'notOwnAddress' || form.allowOwnAddress
  return (
    <Stack gap="sm">
      <Group align="flex-start" gap="sm">
        <TextInput
          label="VIP"
          description={t('wizard.addresses.vipHint')}
          value={form.vip}
          onChange={(event) => change({ vip: event.currentTarget.value })}
          error={errorOf('vip')}
          data-field="vip"
          w={240}
          classNames={{ input: 'sb-mono' }}
        />
        <Select
          label={t('wizard.addresses.interface')}
          description={t('wizard.addresses.interfaceHint')}
          placeholder={t('wizard.addresses.interfaceAuto')}
          clearable
          data={(hello?.interfaces ?? [])
            .filter(({ name }) => name !== 'lo')
            .map(({ name, addresses }) => ({
              value: name,
              label: `${name}  ${addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(' ')}`,
            }))}
          value={form.interface === '' ? null : form.interface}
          onChange={(value) => change({ interface: value ?? '' })}
          error={errorOf('interface')}
          w={300}
        />
        <Select
          label={t('wizard.addresses.announce')}
          description={t('wizard.addresses.announceHint')}
          data={(['arp', 'route', 'none'] as const).map((value) => ({
            value,
            label: t(`wizard.addresses.announces.${value}`),
          }))}
          value={form.announce}
          allowDeselect={false}
          onChange={(value) => change({ announce: value ?? 'arp' })}
          w={300}
        />
      </Group>
      {isOwnAddress && (
        <Checkbox
          label={t('wizard.addresses.allowOwnAddress')}
          checked={form.allowOwnAddress}
          onChange={(event) => change({ allowOwnAddress: event.currentTarget.checked })}
        />
      )}
      <Group align="flex-end" gap="sm">
        <Textarea
          label={t('wizard.addresses.paste')}
          description={t('wizard.addresses.pasteHint')}
          placeholder={t('wizard.addresses.pasteExample')}
          value={pasted}
          onChange={(event) => setPasted(event.currentTarget.value)}
          error={
            unread.length > 0
              ? t('wizard.addresses.unread', { lines: unread.map(({ line }) => line).join(', ') })
              : undefined
          }
          minRows={2}
          maxRows={8}
          autosize
          w={420}
          classNames={{ input: 'sb-mono' }}
        />
        <Button variant="default" onClick={addPasted} disabled={pasted.trim() === ''}>
          {t('wizard.addresses.addPasted')}
        </Button>
        <Button
          variant="default"
          onClick={() =>
            change({
              realServers: [
                ...form.realServers,
                { id: newId(), address: '', port: '', weight: '', name: '', access: { kind: 'direct' } },
              ],
            })
          }
        >
          {t('wizard.addresses.addRow')}
        </Button>
      </Group>
      {form.realServers.length === 0 ? (
        <Text
          size="sm"
          c={issues.has('realServers') ? 'var(--status-down-text)' : 'dimmed'}
          role={issues.has('realServers') ? 'alert' : undefined}
          data-field="realServers"
        >
          {t('wizard.addresses.none')}
        </Text>
      ) : (
        <Table verticalSpacing={2} horizontalSpacing={6} withTableBorder aria-label={t('wizard.addresses.table')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={40}>#</Table.Th>
              <Table.Th>{t('wizard.addresses.address')}</Table.Th>
              <Table.Th w={100}>{t('wizard.addresses.port')}</Table.Th>
              <Table.Th w={100}>{t('wizard.addresses.weight')}</Table.Th>
              <Table.Th>{t('wizard.addresses.name')}</Table.Th>
              <Table.Th w={240}>{t('wizard.addresses.access')}</Table.Th>
              <Table.Th w={40} aria-label={t('wizard.addresses.remove')} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {form.realServers.map((row, i) => (
              <Table.Tr key={row.id}>
                <Table.Td c="dimmed">{i + 1}</Table.Td>
                {(['address', 'port', 'weight', 'name'] as const).map((field) => (
                  <Table.Td key={field} valign="top">
                    <TextInput
                      aria-label={t('wizard.addresses.cell', { field: t(`wizard.addresses.${field}`), row: i + 1 })}
                      value={row[field]}
                      placeholder={field === 'port' ? form.port : field === 'weight' ? '1' : undefined}
                      onChange={(event) => changeRow(row.id, { [field]: event.currentTarget.value })}
                      error={errorOf(`realServers[${i}].${field}`)}
                      data-field={`realServers[${i}].${field}`}
                    />
                  </Table.Td>
                ))}
                <Table.Td valign="top">
                  <AccessSelect
                    label={t('wizard.addresses.cell', { field: t('wizard.addresses.access'), row: i + 1 })}
                    address={row.address}
                    access={row.access}
                    onChange={(access) => changeRow(row.id, { access })}
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
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  )
}
