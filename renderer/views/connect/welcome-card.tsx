import { ActionIcon } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Welcome } from '../../../core/contract/console.ts'
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
        <RealServers label={t('welcome.realServers')} list={welcome.realServers} />
        <RealServers label={t('welcome.realServersBehind')} list={welcome.realServersBehind ?? []} />
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

function RealServers({ label, list }: { readonly label: string; readonly list: Welcome['realServers'] }) {
  if (list.length === 0) return null
  return (
    <>
      <dt>{label}</dt>
      <dd>
        {list.map(realServerKey).map((key) => (
          <Copyable key={key} text={key} what={key} />
        ))}
      </dd>
    </>
  )
}
