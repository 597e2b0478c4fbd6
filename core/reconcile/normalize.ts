import type { InterfaceFacts } from '../contract/agent.ts'
import { addressBits, edgesOfNetwork, familyOf, type IpFamily, isInNetwork } from '../model/address.ts'
import type { ClusterSpec } from '../model/cluster-spec.ts'
import { type ExpectationKey, type Issue, showValue } from '../model/issue.ts'
import type { IpvsWriter } from '../model/observed.ts'
import { forwardingOf } from '../model/service-rules.ts'
import { serviceAddress, serviceKey, type VirtualService } from '../model/service.ts'
import { type Desired, desiredOf, type DirectorRole, type PlacedAddress, placeKey } from './desired.ts'
import { tunnelRoom } from './tunnel-room.ts'

/** What a director is, as far as a document can collide with it. */
export interface DirectorContext {
  readonly interfaces: readonly InterfaceFacts[]
  /** Addresses that the agent raised itself: they are no obstacle to a VIP. */
  readonly ownVips: readonly PlacedAddress[]
  /** Addresses that no VIP may be: the ones by which the director is administered. */
  readonly protectedAddresses: readonly string[]
  /** Keys of services that somebody else set up. */
  readonly foreignServices: readonly string[]
  /** Keys of those that shall be taken over. */
  readonly adopt?: readonly string[]
  /** Programs on the director that change IPVS by their own will. */
  readonly writers?: readonly IpvsWriter[]
  /** What this kernel's IPVS has, as far as it was looked for; left out where it was not. */
  readonly ipvsKernel?: { readonly schedulers: readonly string[]; readonly tunnels: readonly string[] }
  /** Address families of this kernel; left out: both. */
  readonly families?: readonly IpFamily[]
  readonly role?: DirectorRole
  /**
   * True where the director reaches the address without a gateway, by its own routing table. Left out: true where the
   * network of an interface that is up holds it.
   */
  readonly isOnLink?: (address: string) => boolean
}

export interface Normalized {
  readonly desired: Desired
  /** Ingress interface of each service by its key, as far as one was found. */
  readonly interfaces: Readonly<Record<string, string>>
  /** What stops the document on this director. */
  readonly issues: readonly Issue[]
  readonly warnings: readonly Issue[]
}

/** Fits a document to one director: finds each VIP's ingress interface, and what the director has against it. */
export function normalize(spec: ClusterSpec, context: DirectorContext): Normalized {
  const interfaces: Record<string, string> = {}
  const issues: Issue[] = []
  const warnings: Issue[] = []
  const networks = networksOfOthers(context)
  const isOnLink = context.isOnLink ?? onLinkByNetworks(networks)
  const edges = new Map(networks.flatMap(({ address, prefixLength }) => edgesOfNetwork(address, prefixLength)))
  const carried = new Set(networks.map(({ address }) => address))
  for (const [s, service] of spec.services.entries()) {
    const ofNoFamily = familyIssues(service, s, context)
    if (ofNoFamily.length > 0) {
      // Neither an interface nor a route can be asked for of what this kernel does not speak.
      issues.push(...ofNoFamily)
      continue
    }
    const ingress = service.vip === undefined ? '' : ingressOf(service, service.vip, s, context, networks)
    if (typeof ingress === 'string') interfaces[serviceKey(service)] = ingress
    else issues.push(ingress)
    issues.push(
      ...foreignIssues(service, s, context),
      ...vipIssues(service, s, context, carried),
      ...edgeIssues(service, s, edges),
      ...onLinkIssues(service, s, isOnLink),
      ...ownAddressIssues(service, s, carried),
      ...kernelIssues(service, s, context),
    )
    if (service.vip !== undefined && carried.has(service.vip) && service.allowOwnAddress === true) {
      warnings.push(issueAt(['services', s, 'vip'], service.vip, 'notOwnAddress'))
    }
    const room = tunnelRoom(service)
    if (room !== null) {
      const { bytes, mss } = room
      warnings.push(issueAt(['services', s, 'forwarding'], service.forwarding, 'tunnelRoom', { bytes, mss }))
    }
  }
  return { desired: desiredOf(spec, interfaces, context.role), interfaces, issues, warnings }
}

const issueAt = (
  path: (string | number)[],
  found: unknown,
  expectation: ExpectationKey,
  params?: Record<string, string | number>,
): Issue => ({ path, found: showValue(found), expectation, ...(params === undefined ? {} : { params }) })

interface Network {
  readonly name: string
  readonly isUp: boolean
  readonly address: string
  readonly prefixLength: number
}

/** Addresses on the director that the agent did not raise, with their networks. */
function networksOfOthers(context: DirectorContext): Network[] {
  const own = new Set(context.ownVips.map(placeKey))
  return context.interfaces.flatMap(({ name, isUp, addresses }) =>
    addresses
      .filter(({ address }) => !own.has(placeKey({ address, interface: name })))
      .map((network) => ({ name, isUp, ...network })),
  )
}

/**
 * A service that somebody else set up is theirs until it is taken over, and not even then while a program rules IPVS; what
 * such a program manages is not to be set up beside it either.
 */
function foreignIssues(service: VirtualService, s: number, context: DirectorContext): Issue[] {
  const key = serviceKey(service)
  const { writers = [] } = context
  const isForeign = context.foreignServices.includes(key)
  const field = service.vip === undefined ? 'fwmark' : 'vip'
  const found = serviceAddress(service)
  const writer = writers.find(({ manages }) => manages?.includes(key) === true) ?? (isForeign ? writers[0] : undefined)
  if (writer !== undefined) {
    return [issueAt(['services', s, field], found, 'notManagedBy', { writer: writer.name, pid: writer.pid })]
  }
  if (!isForeign) return []
  return context.adopt?.includes(key) === true ? [] : [issueAt(['services', s, field], found, 'notForeign')]
}

/** Addresses of a family that the kernel was built or booted without: nothing of the service could ever work. */
function familyIssues(service: VirtualService, s: number, { families }: DirectorContext): Issue[] {
  if (families === undefined || families.includes('ipv6')) return []
  const isIpv6 = (address: string | undefined) => address !== undefined && familyOf(address) === 'ipv6'
  const at = (path: (string | number)[], found: string | undefined) =>
    issueAt(['services', s, ...path], found, 'kernelHasNoIpv6')
  return [
    ...(isIpv6(service.vip) ? [at(['vip'], service.vip)] : []),
    ...(service.family === 'ipv6' ? [at(['family'], service.family)] : []),
    ...service.realServers.flatMap(({ address }, r) =>
      isIpv6(address) ? [at(['realServers', r, 'address'], address)] : [],
    ),
    ...(service.localAddresses ?? []).flatMap((address, i) =>
      isIpv6(address) ? [at(['localAddresses', i], address)] : [],
    ),
  ]
}

function vipIssues(
  service: VirtualService,
  s: number,
  context: DirectorContext,
  carried: ReadonlySet<string>,
): Issue[] {
  const { vip } = service
  if (vip === undefined) return []
  const path = ['services', s, 'vip']
  if (context.protectedAddresses.includes(vip)) return [issueAt(path, vip, 'notManagementAddress')]
  // Where somebody else makes the VIP known, it may well stand on this director.
  if (carried.has(vip) && service.allowOwnAddress !== true && service.announce !== 'none') {
    return [issueAt(path, vip, 'notOwnAddress')]
  }
  return []
}

/** The first and the last address of a connected network are nobody's: no neighbour would send a packet there. */
function edgeIssues({ vip = '' }: VirtualService, s: number, edges: ReadonlyMap<string, string>): Issue[] {
  const why = edges.get(vip)
  return why === undefined ? [] : [issueAt(['services', s, 'vip'], vip, 'hostAddress', { why })]
}

/** A local real server is the director itself, and FullNAT's local addresses are where replies must come back to. */
function ownAddressIssues(service: VirtualService, s: number, carried: ReadonlySet<string>): Issue[] {
  const local = service.realServers.flatMap((realServer, r) =>
    forwardingOf(service, realServer) !== 'local' ||
    realServer.address === service.vip ||
    carried.has(realServer.address)
      ? []
      : [issueAt(['services', s, 'realServers', r, 'address'], realServer.address, 'localAddressOfDirector')],
  )
  const pool = (service.localAddresses ?? []).flatMap((address, i) =>
    carried.has(address) ? [] : [issueAt(['services', s, 'localAddresses', i], address, 'localAddressOfDirector')],
  )
  return [...local, ...pool]
}

/** What this kernel lacks. Without an answer (the module is not loaded yet) the kernel's own word decides later. */
function kernelIssues(service: VirtualService, s: number, { ipvsKernel }: DirectorContext): Issue[] {
  if (service.dataplane !== 'ipvs' || ipvsKernel === undefined) return []
  const { schedulers, tunnels } = ipvsKernel
  const issues: Issue[] = []
  if (!schedulers.includes(service.scheduler)) {
    const params = { names: schedulers.join(', ') }
    issues.push(issueAt(['services', s, 'scheduler'], service.scheduler, 'schedulerOfKernel', params))
  }
  const lacks = (tunnel: VirtualService['tunnel']) => tunnel !== undefined && !tunnels.includes(tunnel.type)
  const params = { names: tunnels.join(', ') }
  if (lacks(service.tunnel)) {
    issues.push(issueAt(['services', s, 'tunnel', 'type'], service.tunnel?.type, 'tunnelOfKernel', params))
  }
  for (const [r, { tunnel }] of service.realServers.entries()) {
    if (lacks(tunnel)) {
      issues.push(issueAt(['services', s, 'realServers', r, 'tunnel', 'type'], tunnel?.type, 'tunnelOfKernel', params))
    }
  }
  return issues
}

/** The interface that the field names, else the one with the smallest network that holds the VIP. */
function ingressOf(
  service: VirtualService,
  vip: string,
  s: number,
  context: DirectorContext,
  networks: readonly Network[],
): string | Issue {
  const candidates = context.interfaces.filter((one) => one.name !== 'lo')
  if (service.interface !== undefined) {
    if (candidates.some((one) => one.name === service.interface)) return service.interface
    const names = candidates.map((one) => one.name).join(', ')
    return issueAt(['services', s, 'interface'], service.interface, 'interfaceOfDirector', { names })
  }
  const holding = networks
    .filter(({ name, address, prefixLength }) => name !== 'lo' && isInNetwork(vip, address, prefixLength))
    .toSorted((a, b) => Number(b.isUp) - Number(a.isUp) || b.prefixLength - a.prefixLength)
  if (holding[0] !== undefined) return holding[0].name
  // Nobody answers for it here: the interface matters to nothing that IPVS does.
  if (service.dataplane === 'ipvs' && service.announce !== 'arp') return 'lo'
  return issueAt(['services', s, 'vip'], vip, 'interfaceForVip')
}

function onLinkIssues(service: VirtualService, s: number, isOnLink: (address: string) => boolean): Issue[] {
  return service.realServers.flatMap((realServer, r) =>
    forwardingOf(service, realServer) !== 'dr' || realServer.address === service.vip || isOnLink(realServer.address)
      ? []
      : [issueAt(['services', s, 'realServers', r, 'address'], realServer.address, 'onLink')],
  )
}

/** Whether the network of an interface that is up holds the address. Each is looked at once: services share them. */
function onLinkByNetworks(networks: readonly Network[]): (address: string) => boolean {
  const usable = networks.filter(
    ({ name, isUp, address, prefixLength }) => isUp && name !== 'lo' && prefixLength < addressBits[familyOf(address)],
  )
  const known = new Map<string, boolean>()
  return (address) => {
    const answer =
      known.get(address) ?? usable.some((network) => isInNetwork(address, network.address, network.prefixLength))
    known.set(address, answer)
    return answer
  }
}
