import { useTranslation } from 'react-i18next'
import type { WireError } from '../../../core/contract/errors.ts'
import { CopyButton, CopyTextButton } from '../../components/copy.tsx'
import styles from './connect.module.css'

/** The pinned key differs. A stop without a way around: whoever is at the other end is not who it was. */
export function KeyChanged({ host, error }: { readonly host: string; readonly error: WireError }) {
  const { t } = useTranslation()
  const details = Object.entries(error.details ?? {})
  return (
    <section className={styles.stop} role="alert" aria-label={t('keyChanged.title', { host })}>
      <h2>{t('keyChanged.title', { host })}</h2>
      <p>{t('keyChanged.sentence')}</p>
      {details.map(([key, value]) => (
        <div key={key}>
          <div className={styles.note}>{t(`keyChanged.detail.${key}`, { defaultValue: key })}</div>
          <div className={styles.fingerprint}>
            <code>{value}</code>
            <CopyButton text={value} what={t(`keyChanged.detail.${key}`, { defaultValue: key })} />
          </div>
        </div>
      ))}
      <p>{error.message}</p>
      {error.hint !== undefined && <p className={styles.note}>{error.hint}</p>}
      <p>{t('keyChanged.next')}</p>
      <div>
        <CopyTextButton
          label={t('error.copy')}
          text={[`${error.code}: ${error.message}`, ...details.map(([key, value]) => `${key}: ${value}`)].join('\n')}
        />
      </div>
    </section>
  )
}
