import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { paths } from '../app/paths.ts'
import { routes } from '../app/route-names.ts'
import { Icon } from '../components/icon.tsx'
import { useConsole } from '../store/console-store.ts'
import { useDirectorState } from '../store/selectors.ts'
import styles from './frame.module.css'
import { useShown } from './use-director-id.ts'

export function SideNav({ directorId }: { readonly directorId: string | undefined }) {
  const { t } = useTranslation()
  const { view } = useShown()
  const version = useConsole((s) => s.info?.version)
  const state = useDirectorState(directorId)
  const counts: Partial<Record<(typeof routes)[number]['id'], number>> = {
    services: state?.spec.services.length,
  }
  return (
    <nav className={styles.nav} aria-label={t('nav.label')}>
      {routes.map(({ id }) =>
        directorId === undefined ? (
          <span key={id} className={`${styles.item} ${styles.off}`} aria-disabled="true">
            <Icon name={id} />
            {t(`nav.${id}`)}
          </span>
        ) : (
          <Link
            key={id}
            href={paths.view(directorId, id)}
            className={styles.item}
            aria-current={view === id || (view === 'new' && id === 'services') ? 'page' : undefined}
          >
            <Icon name={id} />
            {t(`nav.${id}`)}
            {counts[id] !== undefined && counts[id] > 0 && <span className={styles.count}>{counts[id]}</span>}
          </Link>
        ),
      )}
      <div className={styles.navFoot}>{version === undefined ? '' : `Signalbox ${version}`}</div>
    </nav>
  )
}
