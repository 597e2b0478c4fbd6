import { type ReactNode, Suspense, lazy } from 'react'
import { useTranslation } from 'react-i18next'
import { Redirect, Route, Switch } from 'wouter'
import { Gone, LoadingBlock } from '../components/states.tsx'
import { useConsole } from '../store/console-store.ts'
import { useDirector, useFreshness } from '../store/selectors.ts'
import { DirectorAway } from '../views/connect/director-away.tsx'
import { lastDirector } from './last-director.ts'
import { keyOf, paths } from './paths.ts'

const Connect = lazy(() => import('../views/connect/connect-view.tsx'))
const Overview = lazy(() => import('../views/overview/overview-view.tsx'))
const Topology = lazy(() => import('../views/topology/topology-view.tsx'))
const Services = lazy(() => import('../views/services/services-view.tsx'))
const Service = lazy(() => import('../views/service/service-view.tsx'))
const Changes = lazy(() => import('../views/changes/changes-view.tsx'))
const Share = lazy(() => import('../views/share/share-view.tsx'))
const Connections = lazy(() => import('../views/connections/connections-view.tsx'))
const Ebpf = lazy(() => import('../views/ebpf/ebpf-view.tsx'))
const Ipvs = lazy(() => import('../views/director/ipvs-view.tsx'))
const Wizard = lazy(() => import('../views/wizard/wizard-view.tsx'))
const Hosts = lazy(() => import('../views/hosts/hosts-view.tsx'))

/** Every view has a path, so that each can be linked, reloaded and gone back to. */
export function Routes() {
  const { t } = useTranslation()
  return (
    <Suspense fallback={<ViewLoading />}>
      <Switch>
        <Route path={paths.home}>
          <Home />
        </Route>
        <Route path={paths.connect}>{() => <Connect directorId={null} />}</Route>
        <Route path="/connect/:director">{({ director }) => <Connect directorId={director} />}</Route>
        <Route path="/d/:director">
          {({ director }) => <Redirect to={paths.view(director, 'overview')} replace />}
        </Route>
        <Route path="/d/:director/overview">
          {viewOf((directorId) => (
            <Overview directorId={directorId} />
          ))}
        </Route>
        <Route path="/d/:director/topology">
          {viewOf((directorId) => (
            <Topology directorId={directorId} />
          ))}
        </Route>
        <Route path="/d/:director/services">
          {viewOf((directorId) => (
            <Services directorId={directorId} />
          ))}
        </Route>
        <Route path="/d/:director/services/:slug">
          {({ director, slug }) => (
            <Known directorId={director}>
              <Service directorId={director} serviceKey={keyOf(slug)} />
            </Known>
          )}
        </Route>
        <Route path="/d/:director/new/:draft">
          {({ director, draft }) => (
            <Known directorId={director}>
              <Wizard key={draft} directorId={director} draftId={draft} />
            </Known>
          )}
        </Route>
        <Route path="/d/:director/connections/:slug?">
          {({ director, slug }) => (
            <Known directorId={director}>
              <Connections key={slug} directorId={director} serviceKey={slug === undefined ? null : keyOf(slug)} />
            </Known>
          )}
        </Route>
        <Route path="/d/:director/changes">
          {viewOf((directorId) => (
            <Changes directorId={directorId} />
          ))}
        </Route>
        <Route path="/d/:director/share">
          {viewOf((directorId) => (
            <Share directorId={directorId} />
          ))}
        </Route>
        <Route path="/d/:director/hosts">
          {viewOf((directorId) => (
            <Hosts directorId={directorId} />
          ))}
        </Route>
        <Route path="/d/:director/ebpf">
          {viewOf((directorId) => (
            <Ebpf directorId={directorId} />
          ))}
        </Route>
        <Route path="/d/:director/ipvs">
          {viewOf((directorId) => (
            <Ipvs directorId={directorId} />
          ))}
        </Route>
        <Route>
          <Gone sentence={t('route.unknown')} href={paths.home} label={t('route.home')} />
        </Route>
      </Switch>
    </Suspense>
  )
}

function viewOf(view: (directorId: string) => ReactNode) {
  return ({ director }: { director: string }) => <Known directorId={director}>{view(director)}</Known>
}

/** A view of a director that the page has heard of; otherwise the state of the connection, which leads there. */
function Known({ directorId, children }: { readonly directorId: string; readonly children: ReactNode }) {
  const areLoaded = useConsole((s) => s.directors !== null)
  const entry = useDirector(directorId)
  const freshness = useFreshness(directorId)
  if (!areLoaded) return <ViewLoading />
  if (entry === undefined || freshness === 'none') return <DirectorAway directorId={directorId} />
  // Another director is another page: nothing selected or typed may leak into it.
  return (
    <div key={directorId} style={{ height: '100%' }}>
      {children}
    </div>
  )
}

/** The director last looked at where it is connected; else any connected one; else the page to connect. */
function Home() {
  const directors = useConsole((s) => s.directors)
  if (directors === null) return <ViewLoading />
  const connected = directors.filter(({ session }) => session.phase === 'ready' || session.phase === 'reconnecting')
  const last = connected.find(({ profile }) => profile.id === lastDirector.get()) ?? connected[0]
  return <Redirect to={last === undefined ? paths.connect : paths.view(last.profile.id, 'overview')} replace />
}

function ViewLoading() {
  return (
    <div style={{ padding: 20, display: 'grid', gap: 14 }}>
      <LoadingBlock height={24} />
      <LoadingBlock height={96} />
      <LoadingBlock height={280} />
    </div>
  )
}
