import { compareAddresses } from '../model/address.ts'
import type { ObservedRealServer, ObservedService, ObservedState } from '../model/observed.ts'
import {
  type Phase,
  phases,
  type PlannedStep,
  type RealServerConfig,
  type ServiceConfig,
  type Step,
} from '../model/plan.ts'
import { type Announce, realServerKey, serviceKey } from '../model/service.ts'
import { compareEndpoints, compareServices, type Desired, type DesiredService, type PlacedAddress } from './desired.ts'
import { placeKey, vipPlace } from './desired.ts'
import { planHost } from './plan-host.ts'
import { isSameRealServer, isSameService } from './same.ts'

export interface PlanOptions {
  /** Keys of services that somebody else set up and that shall be ours from now on. */
  readonly adopt?: ReadonlySet<string>
  /** Services that go to somebody else instead of being removed, as they shall be then; by key. */
  readonly release?: ReadonlyMap<string, DesiredService>
  /** Seconds that what is removed may drain; left out: it is removed at once. */
  readonly drainSec?: number
}

/**
 * The steps that take the director from `observed` to `desired`, in the order in which they run. Pure and total.
 * Services are there before their VIP is raised, and a VIP is lowered before its services go. What is foreign is never
 * touched: neither a service nor an address that somebody else set up, even where `desired` names the same one.
 */
export function plan(desired: Desired, observed: ObservedState, options: PlanOptions = {}): PlannedStep[] {
  const { adopt = new Set<string>(), drainSec = 0 } = options
  const isTaken = (service: ObservedService) => !service.isForeign || adopt.has(serviceKey(service))
  const foreign = new Set(observed.services.filter((service) => !isTaken(service)).map(serviceKey))
  const wanted = desired.services.filter((service) => !foreign.has(serviceKey(service.config)))
  const wantedByKey = new Map(wanted.map((service) => [planKey(service.config), service]))
  const adopted = observed.services.filter(
    (service) => service.isForeign && isTaken(service) && wantedByKey.has(planKey(service)),
  )
  const ours = [
    ...observed.services.filter((service) => !service.isForeign),
    ...adopted.map((service) => withWordsOf(service, wantedByKey.get(planKey(service)))),
  ]
  const steps = [
    ...adopted.map((service): PlannedStep => ({ phase: 'prepare', step: takeOver('service.adopt', service) })),
    ...planHost({ ...desired, services: wanted }, observed),
    ...planAttachments(wanted, observed),
    ...planServices(wantedByKey, ours, options.release ?? new Map<string, DesiredService>()),
    ...planVips(desired.role === 'active' ? wanted : [], observed),
  ]
  const drained = drainSec > 0 ? withDrains(steps, drainSec) : steps
  return phases.flatMap((phase) => drained.filter((planned) => planned.phase === phase))
}

/** A service of one dataplane: in the other the same VIP and port is another service. */
const planKey = (config: ServiceConfig): string => `${config.dataplane} ${serviceKey(config)}`

/** What IPVS cannot tell of a foreign service is what the document says of it. */
function withWordsOf(service: ObservedService, wanted: DesiredService | undefined): ObservedService {
  if (wanted === undefined) return service
  const { announce, interface: ingress, check } = wanted.config
  return { ...service, announce, interface: ingress, check }
}

const takeOver = (kind: 'service.adopt' | 'service.release', service: ObservedService): Step => ({
  kind,
  service: serviceKey(service),
  config: configOf(service),
  realServers: service.realServers.map(realServerConfigOf),
})

const inPhase = (phase: Phase, steps: readonly Step[]): PlannedStep[] => steps.map((step) => ({ phase, step }))

function planAttachments(wanted: readonly DesiredService[], observed: ObservedState): PlannedStep[] {
  const inEbpf = wanted.filter((service) => service.config.dataplane === 'ebpf')
  const needed = new Set(inEbpf.map((service) => service.config.interface))
  const present = new Set(observed.attachments.filter((one) => !one.isForReplies).map((one) => one.interface))
  return [
    ...inPhase(
      'prepare',
      [...needed.difference(present)].toSorted().map((name) => ({ kind: 'dataplane.attach', interface: name })),
    ),
    ...inPhase(
      'release',
      [...present.difference(needed)].toSorted().map((name) => ({ kind: 'dataplane.detach', interface: name })),
    ),
  ]
}

function planServices(
  wanted: ReadonlyMap<string, DesiredService>,
  ours: readonly ObservedService[],
  release: ReadonlyMap<string, DesiredService>,
): PlannedStep[] {
  const present = new Map(ours.map((service) => [planKey(service), service]))
  const added = [...wanted].toSorted(([, a], [, b]) => compareServices(a.config, b.config))
  const gone = ours.filter((service) => !wanted.has(planKey(service))).toSorted(compareServices)
  return [
    ...added.flatMap(([key, service]) => planService(service, present.get(key))),
    ...gone.flatMap((service) => {
      const original = service.dataplane === 'ipvs' ? release.get(serviceKey(service)) : undefined
      return original === undefined ? planRemoval(service) : planRelease(service, original)
    }),
  ]
}

function planService(wanted: DesiredService, present: ObservedService | undefined): PlannedStep[] {
  const service = serviceKey(wanted.config)
  const after = wanted.config
  const { dataplane } = after
  if (present === undefined) {
    return inPhase('add', [
      { kind: 'service.add', service, after },
      ...wanted.realServers.map(
        (realServer): Step => ({ kind: 'realServer.add', service, dataplane, after: realServer }),
      ),
    ])
  }
  const before = configOf(present)
  const change: Step[] = isSameService(before, after) ? [] : [{ kind: 'service.change', service, before, after }]
  const presentByKey = new Map(present.realServers.map((realServer) => [realServerKey(realServer), realServer]))
  const wantedKeys = new Set(wanted.realServers.map(realServerKey))
  const addOrChange = wanted.realServers.flatMap((realServer): Step[] => {
    const old = presentByKey.get(realServerKey(realServer))
    if (old === undefined) return [{ kind: 'realServer.add', service, dataplane, after: realServer }]
    if (isSameRealServer(old, realServer)) return []
    return [{ kind: 'realServer.change', service, dataplane, before: realServerConfigOf(old), after: realServer }]
  })
  const removed = present.realServers.filter((realServer) => !wantedKeys.has(realServerKey(realServer)))
  return [
    ...inPhase('add', [...change, ...addOrChange]),
    ...inPhase('remove', removed.toSorted(compareEndpoints).map(removalOf(present))),
  ]
}

/** Real servers go first, so that undoing the steps brings them back to a service that is there. */
function planRemoval(present: ObservedService): PlannedStep[] {
  return inPhase('remove', [
    ...present.realServers.toSorted(compareEndpoints).map(removalOf(present)),
    { kind: 'service.remove', service: serviceKey(present), before: configOf(present) },
  ])
}

/** First as it was, then no longer ours. */
function planRelease(present: ObservedService, original: DesiredService): PlannedStep[] {
  const { announce, interface: ingress, check } = present
  const wanted = { ...original, config: { ...original.config, announce, interface: ingress, check } }
  return [
    ...planService(wanted, present),
    ...inPhase('release', [
      {
        kind: 'service.release',
        service: serviceKey(present),
        config: original.config,
        realServers: [...original.realServers],
      },
    ]),
  ]
}

const removalOf =
  (service: ObservedService) =>
  (realServer: ObservedRealServer): Step => ({
    kind: 'realServer.remove',
    service: serviceKey(service),
    dataplane: service.dataplane,
    before: realServerConfigOf(realServer),
  })

/** Removals as they were, with a drain of what still takes new flows before them. */
function withDrains(steps: readonly PlannedStep[], seconds: number): PlannedStep[] {
  const removals = steps.map(({ step }) => step).filter((step) => step.kind === 'realServer.remove')
  if (removals.length === 0) return [...steps]
  const drains = removals
    .filter(({ before }) => before.state === 'enabled')
    .map(({ service, dataplane, before }): Step => {
      const after = { ...before, state: 'drain' as const }
      return { kind: 'realServer.change', service, dataplane, before, after }
    })
  const realServers = removals.map(({ service, dataplane, before }) => ({
    service,
    dataplane,
    realServer: realServerKey(before),
  }))
  return [
    ...steps.map(({ phase, step }): PlannedStep => {
      if (step.kind !== 'realServer.remove' || step.before.state !== 'enabled') return { phase, step }
      return { phase, step: { ...step, before: { ...step.before, state: 'drain' } } }
    }),
    ...inPhase('drain', [...drains, { kind: 'drain.wait', seconds, realServers }]),
  ]
}

/**
 * An address that stands on the director without us (`allowOwnAddress`) is left as it is: it answers already, and
 * taking it down later would take it from its owner.
 */
function planVips(wanted: readonly DesiredService[], observed: ObservedState): PlannedStep[] {
  const foreign = new Set(observed.vips.filter((vip) => !vip.isOurs).map((vip) => vip.address))
  const ours = observed.vips.filter((vip) => vip.isOurs)
  const present = new Set(ours.map(placeKey))
  const needed = new Map<string, { place: PlacedAddress; announce: Announce }>()
  for (const { config } of wanted) {
    const place = vipPlace(config)
    if (place !== null && !foreign.has(place.address)) needed.set(placeKey(place), { place, announce: config.announce })
  }
  const raised = [...needed.values()].filter(({ place }) => !present.has(placeKey(place)))
  const lowered = ours.filter((vip) => !needed.has(placeKey(vip)))
  return [
    ...inPhase(
      'raise',
      raised
        .toSorted((a, b) => comparePlaces(a.place, b.place))
        .map(({ place, announce }) => ({ kind: 'vip.raise', ...place, announce })),
    ),
    ...inPhase(
      'lower',
      lowered.toSorted(comparePlaces).map(({ address, interface: name }) => ({
        kind: 'vip.lower',
        address,
        interface: name,
        announce: name === 'lo' ? 'route' : 'arp',
      })),
    ),
  ]
}

const comparePlaces = (a: PlacedAddress, b: PlacedAddress): number =>
  compareAddresses(a.address, b.address) || (a.interface < b.interface ? -1 : 1)

/** The programmed part of what is there. */
export function configOf(service: ObservedService): ServiceConfig {
  const { realServers: _realServers, ringDigest: _ringDigest, isForeign: _isForeign, ...config } = service
  return config
}

export function realServerConfigOf({ isUp: _isUp, ...config }: ObservedRealServer): RealServerConfig {
  return config
}
