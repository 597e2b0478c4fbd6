import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Icon } from '../../components/icon.tsx'
import styles from './connect.module.css'

/** Before anything is picked: what connecting does, so that nobody has to guess what happens to the host. */
export function Intro({ onOther }: { readonly onOther: () => void }) {
  const { t } = useTranslation()
  return (
    <section className={styles.intro} aria-label={t('connect.intro.title')}>
      <h2>{t('connect.intro.title')}</h2>
      <ol>
        {(['login', 'read', 'install', 'undo'] as const).map((line) => (
          <li key={line}>{t(`connect.intro.${line}`)}</li>
        ))}
      </ol>
      <div>
        <Button leftSection={<Icon name="plus" size={14} />} onClick={onOther}>
          {t('connect.other')}
        </Button>
      </div>
    </section>
  )
}
