import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { paths } from '../../app/paths.ts'
import { Icon } from '../../components/icon.tsx'
import { useDirectorState } from '../../store/selectors.ts'
import styles from './overview.module.css'

/** The kernel is not what the newest revision says: one line that leads to the difference. */
export function DriftNotice({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const state = useDirectorState(directorId)
  if (state === null || state.drift.length === 0 || state.progress !== null) return null
  return (
    <p className={styles.drift} role="status">
      <Icon name="warning" />
      <span>{t('overview.drift', { count: state.drift.length, revision: state.revision })}</span>
      <Link className="sb-link" href={paths.view(directorId, 'changes')}>
        {t('overview.showDrift')}
      </Link>
    </p>
  )
}
