import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { DirectorEntry } from '../../../core/contract/session.ts'
import { paths } from '../../app/paths.ts'
import { client } from '../../connection/client.ts'
import { useFetched } from '../../connection/use-call.ts'
import { Icon } from '../../components/icon.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { Tag } from '../../components/page.tsx'
import { StatusShape } from '../../components/status-mark.tsx'
import { statusOfPhase } from '../../frame/session-status.ts'
import { byCluster } from '../../store/cluster.ts'
import { useConsole } from '../../store/console-store.ts'
import type { FormStart } from './connect-view.tsx'
import styles from './connect.module.css'
import { formatTarget } from './target-text.ts'

/** Known directors, hosts of ~/.ssh/config that are none yet, and the way to any other host. */
export function DirectorList({
  directors,
  shownId,
  onShow,
  onForm,
}: {
  readonly directors: readonly DirectorEntry[]
  readonly shownId: string | null
  readonly onShow: () => void
  readonly onForm: (start: FormStart) => void
}) {
  const { t } = useTranslation()
  const isOpen = useConsole((s) => s.link.phase === 'open')
  const hosts = useFetched(isOpen ? 'ssh.hosts' : null, (signal) => client.call('ssh.hosts', {}, { signal }))
  const known = new Set(directors.map(({ profile }) => formatTarget(profile.target)))
  const offered = (hosts.value ?? []).filter(({ target }) => !known.has(formatTarget(target)))
  return (
    <>
      {byCluster(directors).map(([cluster, members]) => (
        <section
          key={cluster ?? ''}
          className={styles.group}
          aria-label={cluster === undefined ? t('connect.known') : t('cluster.title', { name: cluster })}
        >
          <h2>{cluster === undefined ? t('connect.known') : t('cluster.title', { name: cluster })}</h2>
          <ul className={styles.list}>
            {members.map((entry) => (
              <Known key={entry.profile.id} entry={entry} isShown={shownId === entry.profile.id} onShow={onShow} />
            ))}
          </ul>
        </section>
      ))}
      <InlineError error={hosts.error} onRetry={hosts.reload} />
      {offered.length > 0 && (
        <section className={styles.group} aria-labelledby="ssh-hosts">
          <h2 id="ssh-hosts">{t('connect.sshConfig')}</h2>
          <ul className={styles.list}>
            {offered.map(({ alias, target }) => (
              <li key={alias}>
                <button
                  type="button"
                  className={styles.entry}
                  onClick={() => onForm({ editedId: null, name: alias, target })}
                >
                  <Icon name="hosts" size={14} />
                  <span style={{ minWidth: 0 }}>
                    <span className={`sb-cut ${styles.entryName}`} style={{ display: 'block' }}>
                      {alias}
                    </span>
                    <span className={`sb-cut ${styles.entryTarget}`} style={{ display: 'block' }}>
                      {formatTarget(target)}
                    </span>
                  </span>
                  <Icon name="chevronRight" size={14} />
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <ul className={styles.list}>
        <li>
          <button
            type="button"
            className={styles.entry}
            onClick={() => onForm({ editedId: null, name: '', target: null })}
          >
            <Icon name="plus" size={14} />
            <span className={styles.entryName}>{t('connect.other')}</span>
            <Icon name="chevronRight" size={14} />
          </button>
        </li>
      </ul>
    </>
  )
}

function Known({
  entry: { profile, session },
  isShown,
  onShow,
}: {
  readonly entry: DirectorEntry
  readonly isShown: boolean
  readonly onShow: () => void
}) {
  const { t } = useTranslation()
  return (
    <li>
      <Link
        href={paths.connectTo(profile.id)}
        className={styles.entry}
        aria-current={isShown ? 'true' : undefined}
        onClick={onShow}
      >
        <StatusShape status={statusOfPhase(session.phase)} />
        <span style={{ minWidth: 0 }}>
          <span className={`sb-cut ${styles.entryName}`} style={{ display: 'block' }} title={profile.name}>
            {profile.name} {profile.isProduction && <Tag tone="warn">{t('frame.production')}</Tag>}
          </span>
          <span
            className={`sb-cut ${styles.entryTarget}`}
            style={{ display: 'block' }}
            title={formatTarget(profile.target)}
          >
            {formatTarget(profile.target)}
          </span>
        </span>
        <span className={styles.entryPhase}>{t(`phase.${session.phase}`)}</span>
      </Link>
    </li>
  )
}
