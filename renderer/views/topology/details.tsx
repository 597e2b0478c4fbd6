import { ActionIcon, Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { dataplaneNames, methodNames, repliesPassDirector } from '../../../core/model/dataplane.ts'
import { serviceAddress } from '../../../core/model/service.ts'
import { paths } from '../../app/paths.ts'
import { editSpec } from '../../change/change-store.ts'
import { setState } from '../../change/edits.ts'
import { Copyable } from '../../components/copy.tsx'
import { Address } from '../../components/address.tsx'
import { Icon } from '../../components/icon.tsx'
import { OutRate } from '../../components/out-rate.tsx'
import { Facts } from '../../components/page.tsx'
import { ServiceTags, tunnelWord } from '../../components/service-tags.tsx'
import { useServiceSentence } from '../../components/service-words.ts'
import { StatusMark, StatusShape } from '../../components/status-mark.tsx'
import { Time } from '../../components/time.tsx'
import { formatMs, formatShare, formatSi, formatWithUnit } from '../../format/number.ts'
import { shownEndpoint } from '../../format/endpoint.ts'
import { statusOfPhase } from '../../frame/session-status.ts'
import { measuredRates } from '../../series/measured.ts'
import { type Measure, flowKinds, flowsOf, realServerIn } from '../../series/pick.ts'
import { latest } from '../../series/rates.ts'
import { useDirector, useDirectorState, useHindrance } from '../../store/selectors.ts'
import { type RealServerView, type ServiceView, expectedShare } from '../../store/service-state.ts'
import { useSamples } from '../../store/stats-store.ts'
import type { Selection } from './nodes.tsx'
import styles from './topology.module.css'

const listed = 400

/** Facts and actions of whatever is selected, beside the map: it never covers what it describes. */
export function Details({
  directorId,
  selection,
  services,
  onSelect,
  onClose,
}: {
  readonly directorId: string
  readonly selection: Selection
  readonly services: readonly ServiceView[]
  readonly onSelect: (selection: Selection) => void
  readonly onClose: () => void
}) {
  const { t } = useTranslation()
  const key = selection.kind === 'service' ? selection.key : selection.kind === 'realServer' ? selection.service : null
  const view = services.find((service) => service.key === key)
  const server =
    selection.kind === 'realServer' ? view?.realServers.find((one) => one.key === selection.key) : undefined
  return (
    <aside className={styles.details} aria-label={t('topology.details')}>
      <ActionIcon className={styles.close} aria-label={t('action.close')} onClick={onClose}>
        <Icon name="close" size={14} />
      </ActionIcon>
      {selection.kind === 'director' && <DirectorDetails directorId={directorId} />}
      {selection.kind === 'service' && view !== undefined && (
        <ServiceDetails directorId={directorId} view={view} onSelect={onSelect} />
      )}
      {selection.kind === 'realServer' && view !== undefined && server !== undefined && (
        <ServerDetails directorId={directorId} view={view} server={server} onSelect={onSelect} />
      )}
      {selection.kind !== 'director' &&
        (view === undefined || (selection.kind === 'realServer' && server === undefined)) && (
          <p className="sb-dim">{t('topology.gone')}</p>
        )}
    </aside>
  )
}

function Head({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className={styles.detailsHead}>
      <h2 className="sb-cut" title={title}>
        {title}
      </h2>
      {children}
    </div>
  )
}

function DirectorDetails({ directorId }: { readonly directorId: string }) {
  const { t, i18n } = useTranslation()
  const entry = useDirector(directorId)
  const state = useDirectorState(directorId)
  if (entry === undefined) return null
  const { session, profile } = entry
  return (
    <>
      <Head title={profile.name}>
        <StatusMark status={statusOfPhase(session.phase)} label={t(`phase.${session.phase}`)} />
      </Head>
      <Facts
        rows={[
          [t('hosts.kernel'), session.hello?.kernel ?? '–'],
          [t('hosts.agent'), session.hello?.version ?? '–'],
          [t('hosts.roundTrip'), session.roundTripMs === null ? '–' : formatMs(session.roundTripMs, i18n.language)],
          ...(state?.observed.attachments ?? []).map((one) => [one.interface, one.hook] as const),
          ...(state?.observed.vips ?? []).map(
            (one) => ['VIP', <Copyable key={one.address} text={one.address} what="VIP" />] as const,
          ),
        ]}
      />
      <Button component={Link} href={paths.view(directorId, 'hosts')} variant="default">
        {t('nav.hosts')}
      </Button>
    </>
  )
}

function ServiceDetails({
  directorId,
  view,
  onSelect,
}: {
  readonly directorId: string
  readonly view: ServiceView
  readonly onSelect: (selection: Selection) => void
}) {
  const { t } = useTranslation()
  const sentence = useServiceSentence()
  const address = serviceAddress(view.service)
  return (
    <>
      <Head title={view.service.name}>
        <StatusMark status={view.status} label={sentence(view.counts)} />
      </Head>
      <Copyable text={address} what={t('column.address')} />
      <ServiceTags view={view} />
      {view.isForeign && <p className="sb-dim">{t('foreign.explanation')}</p>}
      <Button component={Link} href={paths.service(directorId, view.key)} variant="default">
        {t('topology.openService')}
      </Button>
      <h3 className={styles.detailsTitle}>{t('service.tab.realServers')}</h3>
      <ul className={styles.serverList}>
        {view.realServers.slice(0, listed).map((server) => (
          <li key={server.key}>
            <button
              type="button"
              className={styles.server}
              onClick={() => onSelect({ kind: 'realServer', service: view.key, key: server.key })}
            >
              <StatusShape status={server.status} size={10} />
              <span className={styles.serverKey} title={server.name}>
                <Address text={server.key} />
              </span>
              <span className={styles.serverWeight}>
                {server.isOffline ? t('status.offline') : t(`status.${server.status}`)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {view.realServers.length > listed && (
        <p className="sb-dim">{t('table.showing', { shown: listed, total: view.realServers.length })}</p>
      )}
    </>
  )
}

function ServerDetails({
  directorId,
  view,
  server,
  onSelect,
}: {
  readonly directorId: string
  readonly view: ServiceView
  readonly server: RealServerView
  readonly onSelect: (selection: Selection) => void
}) {
  const { t, i18n } = useTranslation()
  const hindrance = useHindrance(directorId)
  const skewMs = useDirector(directorId)?.session.clockSkewMs ?? 0
  const { measured, desired } = server
  const { upperThreshold = 0, lowerThreshold = 0 } = desired
  const isDrained = desired.state === 'drain'
  const isIpvs = view.service.dataplane === 'ipvs'
  const expected = measured?.ringShare ?? expectedShare(server, view)
  const last = useSamples(directorId).slice(-2)
  const rateOf = (measure: Measure) =>
    latest(measuredRates(last, (sample) => realServerIn(sample, view.key, server.key), measure))
  const [bits, bitsOut] = [rateOf('bitsIn'), rateOf('bitsOut')]
  return (
    <>
      <Head title={server.name ?? shownEndpoint(server.key)}>
        <StatusMark status={server.status} label={server.isOffline ? t('status.offline') : undefined} />
      </Head>
      <Copyable text={shownEndpoint(server.key)} what={t('column.realServer')} />
      <Facts
        rows={[
          [
            t('column.name'),
            <button
              key="service"
              type="button"
              className={styles.linkButton}
              onClick={() => onSelect({ kind: 'service', key: view.key })}
            >
              {view.service.name}
            </button>,
          ],
          [
            t('column.mode'),
            [methodNames[server.forwarding], ...(server.tunnel === null ? [] : [tunnelWord(server.tunnel)])].join(' '),
          ],
          [t('column.dataplane'), dataplaneNames[view.service.dataplane]],
          [t('column.weight'), desired.weight],
          [t('column.expected'), expected === null ? '–' : formatShare(expected, i18n.language)],
          ...flowKinds.flatMap((kind): [string, string][] => {
            const flows = measured === undefined ? null : flowsOf(measured, kind)
            if (flows === null && kind !== 'active') return []
            const isEstimate = kind === 'active' && !repliesPassDirector(server.forwarding)
            const name = isIpvs ? t(`column.${kind}`) : isEstimate ? t('column.flowsEstimated') : t('column.flows')
            return [[name, flows === null ? '–' : formatSi(flows, i18n.language)]]
          }),
          [t('column.in'), bits === null ? '–' : formatWithUnit(bits, 'bit/s', i18n.language)],
          [t('column.out'), <OutRate key="out" bits={bitsOut} forwarding={server.forwarding} />],
          ...(upperThreshold === 0
            ? []
            : [[t('column.thresholds'), `${upperThreshold} / ${lowerThreshold || '–'}`] as const]),
          [
            t('column.latency'),
            typeof measured?.checkLatencyMs === 'number'
              ? formatMs(measured.checkLatencyMs, i18n.language)
              : (measured?.checkError ?? '–'),
          ],
          [
            t('column.lastChange'),
            typeof measured?.sinceMs === 'number' ? <Time key="since" atMs={measured.sinceMs} skewMs={skewMs} /> : '–',
          ],
        ]}
      />
      {!view.isForeign && (
        <Button
          variant="default"
          disabled={hindrance !== null}
          leftSection={<Icon name={isDrained ? 'play' : 'drain'} size={14} />}
          onClick={() => editSpec(directorId, setState(view.key, [server.key], isDrained ? 'enabled' : 'drain'))}
        >
          {isDrained ? t('service.undrain') : t('service.drain')}
        </Button>
      )}
      <Button component={Link} href={paths.service(directorId, view.key)} variant="subtle">
        {t('topology.openService')}
      </Button>
    </>
  )
}
