import { Button, Modal, Radio, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { DirectorEntry } from '../../../core/contract/session.ts'
import { paths } from '../../app/paths.ts'
import { client } from '../../connection/client.ts'
import { useCommand } from '../../connection/use-call.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { useDirectorState } from '../../store/selectors.ts'
import styles from './hosts.module.css'

/** Takes the agent off the host: with the traffic left working without it, or with everything taken down. */
export function RemoveAgent({
  entry,
  isOpen,
  onClose,
}: {
  readonly entry: DirectorEntry
  readonly isOpen: boolean
  readonly onClose: () => void
}) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const { profile } = entry
  const services = useDirectorState(profile.id)?.spec.services.length ?? 0
  const [keepTraffic, setKeepTraffic] = useState(true)
  const [typed, setTyped] = useState('')
  const remove = useCommand(async () => {
    // The steps are shown where connections are shown.
    navigate(paths.connectTo(profile.id))
    return client.call('directors.removeAgent', { directorId: profile.id, keepTraffic })
  })
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('hosts.removeTitle', { name: profile.name })}
      size={540}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={styles.form}>
        <Radio.Group
          label={t('hosts.removeQuestion', { count: services })}
          value={keepTraffic ? 'keep' : 'down'}
          onChange={(value) => setKeepTraffic(value === 'keep')}
        >
          <div className={styles.choices} style={{ marginTop: 8 }}>
            <Radio value="keep" label={t('hosts.removeKeep')} description={t('hosts.removeKeepHint')} />
            <Radio value="down" label={t('hosts.removeDown')} description={t('hosts.removeDownHint')} />
          </div>
        </Radio.Group>
        {profile.isProduction && (
          <TextInput
            label={t('service.typeName', { name: profile.name })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <InlineError error={remove.error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('action.cancel')}
          </Button>
          <Button
            color="red"
            loading={remove.isRunning}
            disabled={profile.isProduction && typed !== profile.name}
            onClick={() => void remove.run()}
          >
            {t('hosts.removeAgent')}
          </Button>
        </div>
      </div>
    </Modal>
  )
}
