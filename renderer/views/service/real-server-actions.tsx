import { ActionIcon, Menu } from '@mantine/core'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import type { RealServerState } from '../../../core/model/service.ts'
import { editSpec } from '../../change/change-store.ts'
import { removeRealServers, setState } from '../../change/edits.ts'
import { CopyButton } from '../../components/copy.tsx'
import { Icon } from '../../components/icon.tsx'

/** What can be done with one real server; each goes into the pending change. Drawn anew only when its state changes. */
export const RealServerActions = memo(function RealServerActions({
  directorId,
  service,
  realServer,
  name,
  state,
  isLocked,
}: {
  readonly directorId: string
  readonly service: string
  readonly realServer: string
  readonly name: string
  /** In the pending document; undefined where it is removed there. */
  readonly state: RealServerState | undefined
  readonly isLocked: boolean
}) {
  const { t } = useTranslation()
  const put = (next: RealServerState) => editSpec(directorId, setState(service, [realServer], next))
  return (
    <>
      <CopyButton text={realServer} what={realServer} />
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon size={24} aria-label={t('service.actionsOf', { name })}>
            <Icon name="menu" size={14} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {state === 'enabled' && (
            <Menu.Item disabled={isLocked} leftSection={<Icon name="drain" />} onClick={() => put('drain')}>
              {t('service.drain')}
            </Menu.Item>
          )}
          {(state === 'drain' || state === 'offline') && (
            <Menu.Item disabled={isLocked} leftSection={<Icon name="play" />} onClick={() => put('enabled')}>
              {state === 'drain' ? t('service.undrain') : t('service.enable')}
            </Menu.Item>
          )}
          {state !== undefined && state !== 'offline' && (
            <Menu.Item disabled={isLocked} leftSection={<Icon name="close" />} onClick={() => put('offline')}>
              {t('service.offline')}
            </Menu.Item>
          )}
          {state !== undefined && (
            <Menu.Item
              disabled={isLocked}
              color="red"
              leftSection={<Icon name="trash" />}
              onClick={() => editSpec(directorId, removeRealServers(service, [realServer]))}
            >
              {t('service.remove')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </>
  )
})
