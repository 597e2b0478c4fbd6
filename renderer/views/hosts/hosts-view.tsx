import { useTranslation } from 'react-i18next'
import { ClusterPanel } from '../../cluster/cluster-panel.tsx'
import { Page } from '../../components/page.tsx'
import { Stale, StaleNotice } from '../../components/states.tsx'
import { useDirector, useFreshness } from '../../store/selectors.ts'
import { ClockSkew } from '../connect/clock-skew.tsx'
import { AppliedFixes } from './applied-fixes.tsx'
import { ClientHosts } from './client-hosts.tsx'
import { DirectorFacts } from './director-facts.tsx'
import styles from './hosts.module.css'
import { RealServerAccesses } from './real-server-accesses.tsx'

/** The machines behind the services: the director with its agent, how real servers are reached, where proofs run from. */
export default function HostsView({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const entry = useDirector(directorId)
  const freshness = useFreshness(directorId)
  if (entry === undefined) return null
  return (
    <Page title={t('nav.hosts')}>
      <StaleNotice directorId={directorId} />
      <ClockSkew session={entry.session} />
      <div className={styles.stack}>
        <ClusterPanel directorId={directorId} />
        <Stale freshness={freshness}>
          <DirectorFacts entry={entry} />
        </Stale>
        <RealServerAccesses directorId={directorId} />
        <ClientHosts />
        <AppliedFixes directorId={directorId} />
      </div>
    </Page>
  )
}
