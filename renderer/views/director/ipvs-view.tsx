import { useTranslation } from 'react-i18next'
import { client } from '../../connection/client.ts'
import { useFetched } from '../../connection/use-call.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Page } from '../../components/page.tsx'
import { LoadingBlock, Stale, StaleNotice } from '../../components/states.tsx'
import { useDirector, useDirectorState, useFreshness, useHindrance } from '../../store/selectors.ts'
import styles from './director.module.css'
import { IpvsFacts } from './ipvs-facts.tsx'
import { WritersNotice } from './notices.tsx'
import { RolePanel } from './role-panel.tsx'
import { SyncPanel } from './sync-panel.tsx'
import { SysctlsPanel } from './sysctls-panel.tsx'
import { TimeoutsPanel } from './timeouts-panel.tsx'

/** What IPVS has once for a director: whether it can be driven, its settings, its sync, and who carries the VIPs. */
export default function IpvsView({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const freshness = useFreshness(directorId)
  const hindrance = useHindrance(directorId)
  const state = useDirectorState(directorId)
  const greeted = useDirector(directorId)?.session.hello ?? null
  // What was said at the connection is of then; values may have changed with each revision since.
  const asked = useFetched(
    freshness === 'live' ? `${directorId} ${state?.revision} ${state?.observed.ipvs.availability}` : null,
    (signal) => client.call('director.agent.hello', { directorId, input: {} }, { signal }),
  )
  if (state === null) return <LoadingBlock height={320} />
  const hello = asked.value ?? greeted
  const offer = hello?.ipvs ?? null
  const isLocked = hindrance !== null
  const given = { directorId, state, offer, isLocked }
  const { availability } = state.observed.ipvs
  // Where IPVS cannot be had there is nothing to set; what the document says all the same stays in sight.
  const isSettable = availability === 'ready' || availability === 'module-not-loaded' || state.spec.ipvs !== undefined
  return (
    <Page title={t('nav.ipvs')}>
      <StaleNotice directorId={directorId} />
      <WritersNotice directorId={directorId} />
      <InlineError error={asked.error} onRetry={asked.reload}>
        <p>{t('ipvs.unread')}</p>
      </InlineError>
      <Stale freshness={freshness}>
        <div className={styles.stack}>
          {isLocked && hindrance !== 'offline' && <p className="sb-dim">{t(`hindrance.${hindrance}`)}</p>}
          <div className={styles.two}>
            <IpvsFacts observed={state.observed.ipvs} offer={offer} families={hello?.families ?? []} />
            <div className={styles.stack}>
              <RolePanel directorId={directorId} state={state} />
              {isSettable && <TimeoutsPanel {...given} />}
            </div>
          </div>
          {isSettable && (
            <SyncPanel directorId={directorId} state={state} interfaces={hello?.interfaces ?? []} isLocked={isLocked} />
          )}
          {isSettable && <SysctlsPanel {...given} />}
        </div>
      </Stale>
    </Page>
  )
}
