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

/**
 * The steps that take the director from `observed` to `desired`, in the order in which they run. Pure and total.
 * Services are there before their VIP is raised, and a VIP is lowered before its services go. What is foreign is never
 * touched: neither a service nor an address that somebody else set up, even where `desired` names the same one.
 */
export function plan(desired: Desired, observed: ObservedState): PlannedStep[] {
  const foreign = new Set(observed.services.filter((service) => service.isForeign).map(serviceKey))
  const wanted = desired.services.filter((service) => !foreign.has(serviceKey(service.config)))
  const ours = observed.services.filter((service) => !service.isForeign)
  const steps = [...planAttachments(wanted, observed), ...planServices(wanted, ours), ...planVips(wanted, observed)]
  return phases.flatMap((phase) => steps.filter((planned) => planned.phase === phase))
}

const inPhase = (phase: Phase, steps: readonly Step[]): PlannedStep[] => steps.map((step) => ({ phase, step }))

function planAttachments(wanted: readonly DesiredService[], observed: ObservedState): PlannedStep[] {
  const needed = new Set(wanted.map((service) => service.config.interface))
  const present = new Set(observed.attachments.map((attachment) => attachment.interface))
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

function planServices(wanted: readonly DesiredService[], ours: readonly ObservedService[]): PlannedStep[] {
  const present = new Map(ours.map((service) => [serviceKey(service), service]))
  const wantedKeys = new Set(wanted.map((service) => serviceKey(service.config)))
  const added = wanted.toSorted((a, b) => compareServices(a.config, b.config))
  const removed = ours.filter((service) => !wantedKeys.has(serviceKey(service))).toSorted(compareServices)
  return [
    ...added.flatMap((service) => planService(service, present.get(serviceKey(service.config)))),
    ...removed.flatMap(planRemoval),
  ]
}

function planService(wanted: DesiredService, present: ObservedService | undefined): PlannedStep[] {
  const service = serviceKey(wanted.config)
  const after = wanted.config
  if (present === undefined) {
    return inPhase('add', [
      { kind: 'service.add', service, after },
      ...wanted.realServers.map((realServer): Step => ({ kind: 'realServer.add', service, after: realServer })),
    ])
  }
  const before = configOf(present)
  const change: Step[] = isSameService(before, after) ? [] : [{ kind: 'service.change', service, before, after }]
  const presentByKey = new Map(present.realServers.map((realServer) => [realServerKey(realServer), realServer]))
  const wantedKeys = new Set(wanted.realServers.map(realServerKey))
  const addOrChange = wanted.realServers.flatMap((realServer): Step[] => {
    const old = presentByKey.get(realServerKey(realServer))
    if (old === undefined) return [{ kind: 'realServer.add', service, after: realServer }]
    if (isSameRealServer(old, realServer)) return []
    return [{ kind: 'realServer.change', service, before: realServerConfigOf(old), after: realServer }]
  })
  const removed = present.realServers.filter((realServer) => !wantedKeys.has(realServerKey(realServer)))
  return [
    ...inPhase('add', [...change, ...addOrChange]),
    ...inPhase('remove', removed.toSorted(compareEndpoints).map(removalOf(service))),
  ]
}

/** Real servers go first, so that undoing the steps brings them back to a service that is there. */
function planRemoval(present: ObservedService): PlannedStep[] {
  const service = serviceKey(present)
  return inPhase('remove', [
    ...present.realServers.toSorted(compareEndpoints).map(removalOf(service)),
    { kind: 'service.remove', service, before: configOf(present) },
  ])
}

const removalOf =
  (service: string) =>
  (realServer: ObservedRealServer): Step => ({
    kind: 'realServer.remove',
    service,
    before: realServerConfigOf(realServer),
  })

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
export const configOf = (service: ObservedService): ServiceConfig => ({
  vip: service.vip,
  port: service.port,
  protocol: service.protocol,
  dataplane: service.dataplane,
  forwarding: service.forwarding,
  scheduler: service.scheduler,
  announce: service.announce,
  interface: service.interface,
  check: service.check,
})

export const realServerConfigOf = ({ address, port, weight, state }: ObservedRealServer): RealServerConfig => ({
  address,
  port,
  weight,
  state,
})

function isSameService(a: ServiceConfig, b: ServiceConfig): boolean {
  return (
    a.dataplane === b.dataplane &&
    a.forwarding === b.forwarding &&
    a.scheduler === b.scheduler &&
    a.announce === b.announce &&
    a.interface === b.interface &&
    isSameCheck(a.check, b.check)
  )
}

function isSameCheck(a: ServiceConfig['check'], b: ServiceConfig['check']): boolean {
  if (a.type === 'none' || b.type === 'none') return a.type === b.type
  return a.intervalMs === b.intervalMs && a.timeoutMs === b.timeoutMs && a.rise === b.rise && a.fall === b.fall
}

const isSameRealServer = (a: RealServerConfig, b: RealServerConfig): boolean =>
  a.weight === b.weight && a.state === b.state
