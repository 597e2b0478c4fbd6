import { useTranslation } from 'react-i18next'
import type { ClusterJob } from '../../core/contract/clusters.ts'
import { InlineError } from '../components/inline-error.tsx'
import type { IssueTarget } from '../components/issue-summary.tsx'
import { StatusMark } from '../components/status-mark.tsx'
import { useConsole } from '../store/console-store.ts'
import styles from './cluster.module.css'
import { statusOfJob, statusOfMember } from './member-status.ts'

/** An apply to several directors, director by director: how far it is, or how it ended and why. */
export function ClusterProgress({ job, target }: { readonly job: ClusterJob; readonly target?: IssueTarget }) {
  const { t } = useTranslation()
  const nameOf = useDirectorName()
  return (
    <section className={styles.job} aria-label={t('cluster.job.label')}>
      <p role="status">
        <StatusMark
          status={statusOfJob[job.state]}
          label={t(`cluster.job.${job.state}`, { count: job.members.length })}
        />
      </p>
      <ul className={styles.members}>
        {job.members.map(({ directorId, phase, result, error }) => (
          <li key={directorId} className={styles.member}>
            <span className={styles.memberName} title={nameOf(directorId)}>
              {nameOf(directorId)}
            </span>
            <StatusMark status={statusOfMember[phase]} label={t(`cluster.phase.${phase}`)} isQuiet />
            <span className="sb-dim">
              {result !== null && phase === 'applied' ? t('changes.revision', { revision: result.revision }) : ''}
            </span>
            {error !== null && (
              <div className={styles.memberError}>
                <InlineError error={error} target={target} />
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** What a director is called; its id where the page does not know it. */
export function useDirectorName(): (directorId: string) => string {
  const directors = useConsole((s) => s.directors)
  return (directorId) => directors?.find(({ profile }) => profile.id === directorId)?.profile.name ?? directorId
}
