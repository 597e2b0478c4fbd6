import { Button, Menu, ActionIcon } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { DirectorEntry } from '../../../core/contract/session.ts'
import { paths } from '../../app/paths.ts'
import { client } from '../../connection/client.ts'
import { useCommand } from '../../connection/use-call.ts'
import { CopyTextButton } from '../../components/copy.tsx'
import { Icon } from '../../components/icon.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { statusOfPhase } from '../../frame/session-status.ts'
import { ConnectSteps } from './connect-steps.tsx'
import styles from './connect.module.css'
import { KeyChanged } from './key-changed.tsx'
import { formatTarget } from './target-text.ts'
import { ClockSkew } from './clock-skew.tsx'

/** One director: how it is reached, the steps of its connection as they happen, and what can be done about it. */
export function ConnectionPanel({ entry, onEdit }: { readonly entry: DirectorEntry; readonly onEdit: () => void }) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const { profile, session } = entry
  const directorId = profile.id
  const connect = useCommand(() => client.call('directors.connect', { directorId }))
  const disconnect = useCommand(() => client.call('directors.disconnect', { directorId }))
  const forget = useCommand(() => client.call('directors.forget', { directorId }))
  const { phase } = session
  const isOn = phase !== 'disconnected' && phase !== 'failed'

  // Whoever watched the connection come up wants to see the director next; whoever came to look at it stays.
  const cameUp = useRef(phase === 'ready')
  useEffect(() => {
    if (phase === 'ready' && !cameUp.current) navigate(paths.view(directorId, 'overview'))
    cameUp.current = phase === 'ready'
  }, [phase, directorId, navigate])

  const isKeyChanged = session.error?.code === 'SSH_HOST_KEY_CHANGED'
  const hasSteps = session.steps.some(({ state }) => state !== 'pending')
  return (
    <>
      <div className={styles.head}>
        <div>
          <h2 className={styles.headName}>{profile.name}</h2>
          <span className="sb-mono sb-dim">{formatTarget(profile.target)}</span>
        </div>
        <div className={styles.headActions}>
          {phase === 'ready' && (
            <Button onClick={() => navigate(paths.view(directorId, 'overview'))}>{t('connect.open')}</Button>
          )}
          {!isOn && !isKeyChanged && (
            <Button onClick={() => void connect.run()} loading={connect.isRunning}>
              {phase === 'failed' ? t('action.retry') : t('connect.connect')}
            </Button>
          )}
          {isOn && phase !== 'removing' && (
            <Button variant="default" onClick={() => void disconnect.run()} loading={disconnect.isRunning}>
              {phase === 'ready' ? t('connect.disconnect') : t('action.cancel')}
            </Button>
          )}
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="default" size={30} aria-label={t('action.more')}>
                <Icon name="menu" />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={onEdit} disabled={isOn}>
                {t('connect.edit')}
              </Menu.Item>
              <Menu.Item
                color="red"
                disabled={isOn}
                onClick={() => void forget.run().then((done) => done !== null && navigate(paths.connect))}
              >
                {t('connect.forget')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </div>
      </div>
      <StatusMark status={statusOfPhase(phase)} label={t(`phase.${phase}`)} />
      <InlineError error={connect.error ?? disconnect.error ?? forget.error} />
      <ClockSkew session={session} />
      {isKeyChanged && session.error !== null && <KeyChanged host={profile.target.host} error={session.error} />}
      {hasSteps ? (
        <ConnectSteps entry={entry} onRetry={isKeyChanged ? undefined : () => void connect.run()} />
      ) : (
        phase === 'disconnected' && <p className={styles.note}>{t('connect.notConnected')}</p>
      )}
      {hasSteps && (
        <div className={styles.buttonsStart}>
          <CopyTextButton
            label={t('connect.copyLog')}
            text={async () => (await client.call('directors.log', { directorId })).text}
          />
        </div>
      )}
    </>
  )
}
