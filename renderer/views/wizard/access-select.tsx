import { Button, Group, Modal, NumberInput, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { formatPath, issuesOf } from '../../../core/model/issue.ts'
import { HostAddress } from '../../../core/model/address.ts'
import { type RealServerAccess, SshTarget } from '../../../core/model/ssh.ts'
import { useFieldErrors } from './field-errors.ts'

const kinds = ['direct', 'throughDirector', 'custom', 'none'] as const

/** How a real server is reached over SSH for its checks, kept by its address; "other" opens a small form. */
export function AccessSelect(props: {
  readonly label: string
  readonly address: string
  readonly access: RealServerAccess
  readonly onChange: (access: RealServerAccess) => void
}) {
  const { t } = useTranslation()
  const [isEditing, setEditing] = useState(false)
  const { access } = props
  return (
    <>
      <Select
        aria-label={props.label}
        data={kinds.map((kind) => ({
          value: kind,
          label:
            kind === 'custom' && access.kind === 'custom'
              ? `${access.target.user}@${access.target.host}:${access.target.port}`
              : t(`wizard.access.${kind}`),
        }))}
        value={access.kind}
        allowDeselect={false}
        disabled={!HostAddress.safeParse(props.address.trim()).success}
        onChange={(kind) => {
          if (kind === 'custom') setEditing(true)
          else if (kind !== null) props.onChange({ kind: kind as 'direct' | 'throughDirector' | 'none' })
        }}
      />
      {isEditing && (
        <CustomAccess
          initial={access.kind === 'custom' ? access.target : { host: props.address, port: 22, user: 'root' }}
          onClose={() => setEditing(false)}
          onSave={(target) => {
            props.onChange({ kind: 'custom', target })
            setEditing(false)
          }}
        />
      )}
    </>
  )
}

function CustomAccess({
  initial,
  onClose,
  onSave,
}: {
  readonly initial: SshTarget
  readonly onClose: () => void
  readonly onSave: (target: SshTarget) => void
}) {
  const { t } = useTranslation()
  const [target, setTarget] = useState<SshTarget>(initial)
  const parsed = SshTarget.safeParse(target)
  const issues = new Map(
    (parsed.success ? [] : issuesOf(parsed.error, target)).map((issue) => [formatPath(issue.path), issue]),
  )
  const errorOf = useFieldErrors(issues)
  return (
    <Modal opened onClose={onClose} title={t('wizard.access.title')} size="sm">
      <Stack gap="xs">
        <TextInput
          label={t('wizard.access.host')}
          value={target.host}
          onChange={(event) => setTarget({ ...target, host: event.currentTarget.value })}
          error={errorOf('host')}
          data-autofocus
        />
        <NumberInput
          label={t('wizard.access.port')}
          value={target.port}
          onChange={(port) => setTarget({ ...target, port: Number(port) })}
          error={errorOf('port')}
        />
        <TextInput
          label={t('wizard.access.user')}
          value={target.user}
          onChange={(event) => setTarget({ ...target, user: event.currentTarget.value })}
          error={errorOf('user')}
        />
        <TextInput
          label={t('wizard.access.keyFile')}
          value={target.keyFile ?? ''}
          onChange={(event) => {
            const { keyFile: _former, ...rest } = target
            const keyFile = event.currentTarget.value
            setTarget(keyFile === '' ? rest : { ...rest, keyFile })
          }}
          error={errorOf('keyFile')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button disabled={!parsed.success} onClick={() => parsed.success && onSave(parsed.data)}>
            {t('wizard.access.save')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
