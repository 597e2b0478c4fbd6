import { useTranslation } from 'react-i18next'
import type { IpvsWriter } from '../../../core/model/observed.ts'
import { Icon } from '../../components/icon.tsx'
import styles from './changes.module.css'

/** Another program rules IPVS on this director: what that means for what is offered here. Nothing where none does. */
export function WriterNotice({
  writers,
  refusal,
}: {
  readonly writers: readonly IpvsWriter[]
  /** What is refused for it: taking a service over, or restoring ours. */
  readonly refusal: 'adopt' | 'restore'
}) {
  const { t } = useTranslation()
  const [first] = writers
  if (first === undefined) return null
  const names = writers.map(({ name, pid }) => t('drift.writer', { name, pid })).join(', ')
  return (
    <div className={styles.notice} role="note">
      <Icon name="warning" />
      <div>
        <p className={styles.noticeTitle}>{t('drift.writers', { count: writers.length, names })}</p>
        <p>{t(`drift.refused.${refusal}`, { name: first.name })}</p>
      </div>
    </div>
  )
}
