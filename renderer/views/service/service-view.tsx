import { Button, Menu, Tabs } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { serviceAddress } from '../../../core/model/service.ts'
import { paths } from '../../app/paths.ts'
import { Address } from '../../components/address.tsx'
import { CopyButton } from '../../components/copy.tsx'
import { Icon } from '../../components/icon.tsx'
import { Page, Tag } from '../../components/page.tsx'
import { ServiceTags, protocolWord } from '../../components/service-tags.tsx'
import { useServiceSentence } from '../../components/service-words.ts'
import { Gone, Stale, StaleNotice } from '../../components/states.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { useFreshness, useHindrance } from '../../store/selectors.ts'
import { useWatchStats } from '../../store/stats-store.ts'
import { useService } from '../../store/use-services.ts'
import { AdoptAction } from '../services/adopt-action.tsx'
import { ChecksTab } from './checks-tab.tsx'
import { DeleteService } from './delete-service.tsx'
import { HistoryTab } from './history-tab.tsx'
import { RealServersTab } from './real-servers-tab.tsx'
import { SettingsTab } from './settings-tab.tsx'
import styles from './service.module.css'
import { TrafficTab } from './traffic-tab.tsx'

const tabs = ['traffic', 'realServers', 'checks', 'settings', 'history'] as const
/** Of a service that somebody else set up there is no check, no document and no history here. */
const foreignTabs = ['traffic', 'realServers'] as const

/** One virtual service: its state in words, its traffic, its real servers and all that can be done with them. */
export default function ServiceView({
  directorId,
  serviceKey,
}: {
  readonly directorId: string
  readonly serviceKey: string
}) {
  const { t } = useTranslation()
  useWatchStats(directorId)
  const view = useService(directorId, serviceKey)
  const freshness = useFreshness(directorId)
  const hindrance = useHindrance(directorId)
  const sentence = useServiceSentence()
  const [isDeleting, setIsDeleting] = useState(false)
  if (view === undefined) {
    return (
      <Gone
        sentence={t('service.gone', { key: serviceKey })}
        href={paths.view(directorId, 'services')}
        label={t('nav.services')}
      />
    )
  }
  const { service } = view
  const address = serviceAddress(service)
  return (
    <Page
      isFilled
      title={<span title={service.name}>{service.name}</span>}
      subtitle={
        <div className={styles.subtitle}>
          <StatusMark status={view.status} label={sentence(view.counts)} />
          <span className={styles.address}>
            <Address text={address} />
            <span className="sb-dim">{protocolWord(service)}</span>
            <CopyButton text={address} what={t('column.address')} />
          </span>
          <ServiceTags view={view} />
          {!view.isProgrammed && <Tag tone="warn">{t('service.notProgrammed')}</Tag>}
        </div>
      }
      actions={
        <>
          {service.dataplane === 'ipvs' && (
            <Button component={Link} href={paths.connections(directorId, view.key)} variant="default">
              {t('nav.connections')}
            </Button>
          )}
          <AdoptAction directorId={directorId} view={view} size="sm" />
          {!view.isForeign && (
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="default" rightSection={<Icon name="chevron" size={12} />}>
                  {t('action.actions')}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item
                  color="red"
                  leftSection={<Icon name="trash" />}
                  disabled={hindrance !== null}
                  onClick={() => setIsDeleting(true)}
                >
                  {t('service.delete')}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </>
      }
    >
      <StaleNotice directorId={directorId} />
      {view.isForeign && <p className={styles.foreign}>{t('foreign.explanation')}</p>}
      <Stale freshness={freshness}>
        <Tabs defaultValue="realServers" className={styles.tabs}>
          <Tabs.List>
            {(view.isForeign ? foreignTabs : tabs).map((tab) => (
              <Tabs.Tab key={tab} value={tab}>
                {t(`service.tab.${tab}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="traffic" className={styles.panel}>
            <TrafficTab directorId={directorId} view={view} />
          </Tabs.Panel>
          <Tabs.Panel value="realServers" className={styles.panelFilled}>
            <RealServersTab directorId={directorId} view={view} />
          </Tabs.Panel>
          <Tabs.Panel value="checks" className={styles.panel}>
            <ChecksTab directorId={directorId} view={view} />
          </Tabs.Panel>
          <Tabs.Panel value="settings" className={styles.panel}>
            <SettingsTab directorId={directorId} view={view} />
          </Tabs.Panel>
          <Tabs.Panel value="history" className={styles.panelFilled}>
            <HistoryTab directorId={directorId} serviceKey={view.key} />
          </Tabs.Panel>
        </Tabs>
      </Stale>
      {!view.isForeign && (
        <DeleteService directorId={directorId} view={view} isOpen={isDeleting} onClose={() => setIsDeleting(false)} />
      )}
    </Page>
  )
}
