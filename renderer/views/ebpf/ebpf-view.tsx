import { useTranslation } from 'react-i18next'
import { Page } from '../../components/page.tsx'
import { LoadingBlock, Stale, StaleNotice } from '../../components/states.tsx'
import { useDirector, useDirectorState, useFreshness } from '../../store/selectors.ts'
import { useWatchStats } from '../../store/stats-store.ts'
import { AttachmentsPanel } from './attachments-panel.tsx'
import styles from './ebpf.module.css'
import { FlowCachePanel } from './flow-cache-panel.tsx'
import { NewFlowsPanel } from './new-flows-panel.tsx'
import { RingsPanel } from './rings-panel.tsx'
import { VerdictsPanel } from './verdicts-panel.tsx'

/** What the eBPF dataplane is doing on a director: where it is attached and why, what it remembers, what became of packets. */
export default function EbpfView({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  useWatchStats(directorId)
  const freshness = useFreshness(directorId)
  const state = useDirectorState(directorId)
  const hello = useDirector(directorId)?.session.hello ?? null
  if (state === null) return <LoadingBlock height={320} />
  const isLoaded = state.observed.attachments.length > 0
  return (
    <Page title={t('nav.ebpf')}>
      <StaleNotice directorId={directorId} />
      <Stale freshness={freshness}>
        <div className={styles.stack}>
          <div className={styles.two}>
            <AttachmentsPanel directorId={directorId} attachments={state.observed.attachments} hello={hello} />
            <div className={styles.stack}>
              <NewFlowsPanel directorId={directorId} state={state} />
              {isLoaded && <FlowCachePanel directorId={directorId} />}
            </div>
          </div>
          {isLoaded && <VerdictsPanel directorId={directorId} />}
          {isLoaded && <RingsPanel directorId={directorId} />}
        </div>
      </Stale>
    </Page>
  )
}
