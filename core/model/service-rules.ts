import { addressBits, familyOf, type IpFamily } from './address.ts'
import { type DataplaneName, dataplaneOffers, translatesPorts } from './dataplane.ts'
import { type ExpectationKey, expected } from './issue.ts'
import { schedulers } from './scheduler.ts'
import { type RealServer, realServerKey, type Tunnel, type VirtualService } from './service.ts'

/** One rule that is broken: the place inside the service, and what was expected there. */
export interface ServiceIssue {
  readonly path: (string | number)[]
  readonly message: string
}

const issue = (
  path: (string | number)[],
  key: ExpectationKey,
  params?: Record<string, string | number>,
): ServiceIssue => ({
  path,
  message: expected(key, params).error(),
})

/** The family of a service's packets, by its VIP or by its own word. */
export const familyOfService = (service: Pick<VirtualService, 'vip' | 'family'>): IpFamily =>
  service.vip === undefined ? (service.family ?? 'ipv4') : familyOf(service.vip)

/** How a real server is reached: its own word before the service's. */
export const forwardingOf = (service: Pick<VirtualService, 'forwarding'>, realServer: Pick<RealServer, 'forwarding'>) =>
  realServer.forwarding ?? service.forwarding

/** Rules between the fields of one service: each names the field where the operator is likely to type. */
export function* serviceIssues(service: VirtualService): Generator<ServiceIssue> {
  yield* identityIssues(service)
  yield* offerIssues(service)
  yield* schedulingIssues(service)
  yield* fullnatIssues(service)
  if (service.tunnel !== undefined && !usesTunnel(service)) yield issue(['tunnel'], 'tunnelForTun')
  const seen = new Map<string, number>()
  for (const [r, realServer] of service.realServers.entries()) {
    const path = ['realServers', r]
    const twin = seen.get(realServerKey(realServer))
    if (twin !== undefined) {
      yield issue([...path, 'address'], 'distinctRealServer', { other: `realServers[${twin}]` })
    } else seen.set(realServerKey(realServer), r)
    for (const one of realServerIssues(service, realServer)) yield { ...one, path: [...path, ...one.path] }
  }
}

const usesTunnel = (service: VirtualService): boolean =>
  service.forwarding === 'tun' || service.realServers.some((one) => one.forwarding === 'tun')

function* identityIssues(service: VirtualService): Generator<ServiceIssue> {
  if (service.fwmark === undefined) {
    if (service.family !== undefined) yield issue(['family'], 'onlyWithFwmark')
    if (service.port === 0 && service.persistence === undefined) yield issue(['port'], 'anyPortIsPersistent')
    return
  }
  if (service.vip !== undefined) yield issue(['vip'], 'notWithFwmark', { field: 'vip' })
  if (service.port !== 0) yield issue(['port'], 'notWithFwmark', { field: 'port' })
}

function* offerIssues(service: VirtualService): Generator<ServiceIssue> {
  const { dataplane } = service
  const offer = dataplaneOffers[dataplane]
  const only = (path: (string | number)[], offers: readonly string[]) =>
    issue(path, 'offeredBy', { offers: offers.join(', '), dataplane })
  if (!offer.protocols.includes(service.protocol)) yield only(['protocol'], offer.protocols)
  if (!offer.forwarding.includes(service.forwarding)) yield only(['forwarding'], offer.forwarding)
  if (service.tunnel !== undefined) yield* tunnelOfferIssues(dataplane, ['tunnel'], service.tunnel)
  if (!offer.schedulers.includes(service.scheduler)) yield only(['scheduler'], offer.schedulers)
  if (service.vip !== undefined && !offer.families.includes(familyOf(service.vip))) yield only(['vip'], offer.families)
  const missing = (field: string) => issue([field], 'notOfferedBy', { dataplane })
  if (service.fwmark !== undefined && !offer.hasFwmark) yield missing('fwmark')
  if (service.persistence !== undefined && !offer.hasPersistence) yield missing('persistence')
  if (service.onePacket === true && !offer.hasOnePacket) yield missing('onePacket')
  if (service.schedulerFlags.length > 0 && !offer.hasSchedulerFlags) yield missing('schedulerFlags')
  for (const [r, realServer] of service.realServers.entries()) {
    if (realServer.forwarding !== undefined && !offer.forwarding.includes(realServer.forwarding)) {
      yield only(['realServers', r, 'forwarding'], offer.forwarding)
    }
    if (realServer.tunnel !== undefined) {
      yield* tunnelOfferIssues(dataplane, ['realServers', r, 'tunnel'], realServer.tunnel)
    }
    for (const field of ['upperThreshold', 'lowerThreshold'] as const) {
      if (realServer[field] !== undefined && !offer.hasThresholds) {
        yield issue(['realServers', r, field], 'notOfferedBy', { dataplane })
      }
    }
  }
}

function* tunnelOfferIssues(
  dataplane: DataplaneName,
  path: (string | number)[],
  { type, checksum }: Tunnel,
): Generator<ServiceIssue> {
  const { tunnels, tunnelChecksums } = dataplaneOffers[dataplane]
  const only = (field: string, offers: readonly string[]) =>
    issue([...path, field], 'offeredBy', { offers: offers.join(', '), dataplane })
  if (!tunnels.includes(type)) yield only('type', tunnels)
  if (!tunnelChecksums.includes(checksum)) yield only('checksum', tunnelChecksums)
}

function* schedulingIssues(service: VirtualService): Generator<ServiceIssue> {
  const { scheduler, schedulerFlags, persistence, onePacket } = service
  const { hasSchedulerFlags } = dataplaneOffers[service.dataplane]
  if (hasSchedulerFlags && schedulerFlags.length > 0 && schedulers[scheduler].flags.length === 0) {
    yield issue(['schedulerFlags'], 'flagsOfScheduler', { scheduler })
  }
  if (new Set(schedulerFlags).size < schedulerFlags.length) yield issue(['schedulerFlags'], 'distinctFlag')
  if (onePacket === true && service.protocol !== 'udp' && service.fwmark === undefined) {
    yield issue(['onePacket'], 'onePacketIsUdp')
  }
  if (onePacket === true && persistence !== undefined) yield issue(['onePacket'], 'onePacketOrPersistence')
  if (persistence?.prefixLength !== undefined) {
    const bits = addressBits[familyOfService(service)]
    if (persistence.prefixLength > bits) yield issue(['persistence', 'prefixLength'], 'prefixOfFamily', { bits })
  }
  if (persistence?.engine === 'sip' && service.protocol !== 'udp') yield issue(['persistence', 'engine'], 'sipIsUdp')
}

function* fullnatIssues(service: VirtualService): Generator<ServiceIssue> {
  const { forwarding, localAddresses } = service
  if (forwarding === 'fullnat' && service.fwmark !== undefined) yield issue(['forwarding'], 'fullnatNeedsVip')
  if (localAddresses === undefined) return
  if (forwarding !== 'fullnat') yield issue(['localAddresses'], 'localAddressesForFullnat')
  const family = familyOfService(service)
  for (const [i, address] of localAddresses.entries()) {
    if (familyOf(address) !== family) yield issue(['localAddresses', i], 'familyOfVip', { family })
    if (address === service.vip) yield issue(['localAddresses', i], 'localAddressIsNotVip')
    if (localAddresses.indexOf(address) < i) yield issue(['localAddresses', i], 'distinctAddress')
  }
}

function* realServerIssues(service: VirtualService, realServer: RealServer): Generator<ServiceIssue> {
  const method = forwardingOf(service, realServer)
  const family = familyOfService(service)
  if (realServer.address === service.vip && method !== 'local') yield issue(['address'], 'notVip')
  if (familyOf(realServer.address) !== family && method !== 'tun') yield issue(['address'], 'familyOfVip', { family })
  if (realServer.forwarding !== undefined) {
    const isFullnat = (one: string) => one === 'fullnat'
    if (isFullnat(realServer.forwarding) !== isFullnat(service.forwarding) && realServer.forwarding !== 'local') {
      yield issue(['forwarding'], 'fullnatIsWhole')
    }
  }
  if (realServer.tunnel !== undefined && method !== 'tun') yield issue(['tunnel'], 'tunnelForTun')
  if (service.port === 0 && realServer.port !== 0) yield issue(['port'], 'anyPortEverywhere')
  else if (service.port !== 0 && realServer.port === 0) yield issue(['port'], 'port')
  else if (!translatesPorts(method) && realServer.port !== service.port) {
    yield issue(['port'], 'samePortInDr', { port: service.port })
  }
  const { upperThreshold = 0, lowerThreshold = 0 } = realServer
  if (lowerThreshold > 0 && lowerThreshold > upperThreshold) {
    yield issue(['lowerThreshold'], 'lowerBelowUpper', { upper: upperThreshold })
  }
}
