import { ActionIcon } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { realServerKey } from '../../../core/model/service.ts'
import { Copyable } from '../../components/copy.tsx'
import { Icon } from '../../components/icon.tsx'
import { useConsole } from '../../store/console-store.ts'
import { dismiss, useIsDismissed } from '../../store/preferences.ts'
import styles from './connect.module.css'

/** What the person who started the console wants known first: a free VIP, real servers, the director's fingerprint. */
export function WelcomeCard() {
  const { t } = useTranslation()
  const welcome = useConsole((s) => s.info?.welcome ?? null)
  const isDismissed = useIsDismissed(welcome?.id)
  if (welcome === null || isDismissed) return null
  return (
    <section className={styles.welcome} aria-label={t('welcome.title')}>
      <h2>{t('welcome.title')}</h2>
      <p className="sb-dim">{t('welcome.sentence')}</p>
      <ActionIcon
        className={styles.dismiss}
        size={24}
        aria-label={t('welcome.dismiss')}
        onClick={() => dismiss(welcome.id)}
      >
        <Icon name="close" size={12} />
      </ActionIcon>
      <dl>
        {welcome.vip !== null && (
          <>
            <dt>{t('welcome.vip')}</dt>
            <dd>
              <Copyable text={welcome.vip} what={t('welcome.vip')} />
            </dd>
          </>
        )}
        {welcome.realServers.length > 0 && (
          <>
            <dt>{t('welcome.realServers')}</dt>
            <dd>
              {welcome.realServers.map((server) => (
                <Copyable key={realServerKey(server)} text={realServerKey(server)} what={realServerKey(server)} />
              ))}
            </dd>
          </>
        )}
        {welcome.fingerprint !== null && (
          <>
            <dt>{t('welcome.fingerprint')}</dt>
            <dd>
              <Copyable text={welcome.fingerprint} what={t('welcome.fingerprint')} />
            </dd>
          </>
        )}
      </dl>
    </section>
  )
}
