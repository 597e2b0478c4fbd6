import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { serviceKey } from '../../../core/model/service.ts'
import { EventLine } from '../../components/event-line.tsx'
import { Page, Panel } from '../../components/page.tsx'
import { Empty, Stale, StaleNotice } from '../../components/states.tsx'
import { useDirector, useDirectorState, useFreshness } from '../../store/selectors.ts'
import { useWatchStats } from '../../store/stats-store.ts'
import { useServices } from '../../store/use-services.ts'
import { ClockSkew } from '../connect/clock-skew.tsx'
import { StandbyNotice, StoppedNotice, WritersNotice } from '../director/notices.tsx'
import { NewServiceButton, NewServiceError, useNewService } from '../services/new-service.tsx'
import { Drafts } from '../services/drafts.tsx'
import { Figures } from './figures.tsx'
import styles from './overview.module.css'
import { ServiceCard } from './service-card.tsx'
import { DriftNotice } from './drift-notice.tsx'

const shownEvents = 50

/** The board: four figures, the services with trouble first, and what happened. */
export default function OverviewView({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  useWatchStats(directorId)
  const entry = useDirector(directorId)
  const state = useDirectorState(directorId)
  const freshness = useFreshness(directorId)
  const services = useServices(directorId)
  const names = useMemo(
    () => new Map(state?.spec.services.map((service) => [serviceKey(service), service.name])),
    [state],
  )
  const newService = useNewService(directorId)
  const events = state?.events.toSorted((a, b) => b.atMs - a.atMs || b.id - a.id) ?? []
  return (
    <Page
      title={t('nav.overview')}
      actions={<NewServiceButton command={newService} isDisabled={freshness !== 'live'} />}
    >
      <StaleNotice directorId={directorId} />
      <NewServiceError command={newService} />
      {entry !== undefined && <ClockSkew session={entry.session} />}
      <DriftNotice directorId={directorId} />
      <StoppedNotice directorId={directorId} />
      <StandbyNotice directorId={directorId} />
      <WritersNotice directorId={directorId} />
      <Stale freshness={freshness}>
        <div className={styles.stack}>
          {services.length > 0 && <Figures directorId={directorId} services={services} />}
          <Drafts directorId={directorId} />
          {services.length === 0 ? (
            <Panel>
              <Empty
                icon="services"
                sentence={t('overview.noServices', { name: entry?.profile.name ?? directorId })}
                more={t('overview.noServicesMore')}
                action={{ label: t('action.newService'), onClick: () => void newService.run() }}
              />
            </Panel>
          ) : (
            <section aria-label={t('nav.services')} className={styles.cards}>
              {services.map((service) => (
                <ServiceCard key={service.key} directorId={directorId} view={service} />
              ))}
            </section>
          )}
          <Panel title={t('overview.events')} isFlush>
            {events.length === 0 ? (
              <p className={styles.noEvents}>{t('overview.noEvents')}</p>
            ) : (
              <>
                <ul className={styles.events}>
                  {events.slice(0, shownEvents).map((event) => (
                    <EventLine
                      key={event.id}
                      event={event}
                      directorId={directorId}
                      skewMs={entry?.session.clockSkewMs ?? 0}
                      serviceName={event.service === null ? undefined : names.get(event.service)}
                    />
                  ))}
                </ul>
                {events.length > shownEvents && (
                  <p className={styles.noEvents}>{t('table.showing', { shown: shownEvents, total: events.length })}</p>
                )}
              </>
            )}
          </Panel>
        </div>
      </Stale>
    </Page>
  )
}
