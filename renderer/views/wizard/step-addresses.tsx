import { Button, Checkbox, Group, Select, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Announce } from '../../../core/model/service.ts'
import { Notice } from '../../components/notice.tsx'
import type { AccessInHand } from '../../connection/use-access.ts'
import { familyOfForm } from './choices.ts'
import { DataplaneNotice } from './dataplane-notice.tsx'
import { useFieldErrors } from './field-errors.ts'
import { emptyRow } from './form.ts'
import { MarkedLine } from './marked-line.tsx'
import { rowsOfPaste, type UnreadLine } from './paste.ts'
import { RealServerTable } from './real-server-table.tsx'
import type { StepProps } from './step-props.ts'

const newId = () => crypto.randomUUID()

/** The VIP and the real servers; many at once by pasting lines. */
export function StepAddresses({ access, ...props }: StepProps & { readonly access: AccessInHand }) {
  const { t } = useTranslation()
  const { form, change, issues } = props
  const [pasted, setPasted] = useState('')
  const [unread, setUnread] = useState<readonly UnreadLine[]>([])
  const addPasted = () => {
    const { rows, unread: rest } = rowsOfPaste(pasted, newId)
    change({ realServers: [...form.realServers, ...rows] })
    setUnread(rest)
    setPasted(rest.map(({ text }) => text).join('\n'))
  }
  return (
    <Stack gap="sm">
      {form.matchBy === 'fwmark' ? (
        <Notice>{t('wizard.addresses.byMark', { fwmark: form.fwmark.trim() })}</Notice>
      ) : (
        <VipFields {...props} />
      )}
      <DataplaneNotice form={form} fields={['vip']} />
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
        <Button variant="default" onClick={() => change({ realServers: [...form.realServers, emptyRow(newId())] })}>
          {t('wizard.addresses.addRow')}
        </Button>
      </Group>
      {form.realServers.length === 0 ? (
        <Text
          size="sm"
          c={issues.has('realServers') ? 'var(--sb-down-text)' : 'dimmed'}
          role={issues.has('realServers') ? 'alert' : undefined}
          data-field="realServers"
          tabIndex={-1}
        >
          {t('wizard.addresses.none')}
        </Text>
      ) : (
        <RealServerTable {...props} access={access} />
      )}
    </Stack>
  )
}

/** The address of the service, where it stands, and who makes it known. */
function VipFields({ form, change, issues, hello }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const isIpv6 = familyOfForm(form) === 'ipv6'
  const isOwnAddress = issues.get('vip')?.expectation === 'notOwnAddress' || form.allowOwnAddress
  return (
    <>
      <Group align="flex-start" gap="sm">
        <TextInput
          label="VIP"
          description={t('wizard.addresses.vipHint')}
          value={form.vip}
          onChange={(event) => change({ vip: event.currentTarget.value })}
          error={errorOf('vip')}
          data-field="vip"
          title={form.vip}
          // A whole IPv6 address is to be seen.
          w={form.vip.includes(':') ? 320 : 250}
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
          data-field="interface"
          w={216}
        />
        <Select
          label={t('wizard.addresses.announce')}
          description={t('wizard.addresses.announceHint')}
          data={Announce.options.map((value) => ({ value, label: t(`wizard.addresses.announces.${value}`) }))}
          value={form.announce}
          allowDeselect={false}
          onChange={(value) => change({ announce: value ?? 'arp' })}
          w={232}
        />
      </Group>
      {isIpv6 && hello !== null && !hello.families.includes('ipv6') && (
        <MarkedLine status="down">{t('wizard.addresses.noIpv6')}</MarkedLine>
      )}
      {isOwnAddress && (
        <Checkbox
          label={t('wizard.addresses.allowOwnAddress')}
          checked={form.allowOwnAddress}
          onChange={(event) => change({ allowOwnAddress: event.currentTarget.checked })}
        />
      )}
    </>
  )
}
