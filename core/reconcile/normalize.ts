import type { InterfaceFacts } from '../contract/agent.ts'
import { isInNetwork } from '../model/address.ts'
import type { ClusterSpec } from '../model/cluster-spec.ts'
import { type ExpectationKey, type Issue, showValue } from '../model/issue.ts'
import { serviceKey, type VirtualService } from '../model/service.ts'
import { type Desired, desiredOf, type PlacedAddress, placeKey } from './desired.ts'

/** What a director is, as far as a document can collide with it. */
export interface DirectorContext {
  readonly interfaces: readonly InterfaceFacts[]
  /** Addresses that the agent raised itself: they are no obstacle to a VIP. */
  readonly ownVips: readonly PlacedAddress[]
  /** Addresses that no VIP may be: the ones by which the director is administered. */
  readonly protectedAddresses: readonly string[]
  /** Keys of services that somebody else set up. */
  readonly foreignServices: readonly string[]
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
  const carried = new Set(networks.map(({ address }) => address))
  for (const [s, service] of spec.services.entries()) {
    const ingress = ingressOf(service, s, context, networks)
    if (typeof ingress === 'string') interfaces[serviceKey(service)] = ingress
    else issues.push(ingress)
    issues.push(...vipIssues(service, s, context, carried))
    if (service.forwarding === 'dr') issues.push(...onLinkIssues(service, s, isOnLink))
    if (carried.has(service.vip) && service.allowOwnAddress === true) {
      warnings.push(issueAt(['services', s, 'vip'], service.vip, 'notOwnAddress'))
    }
  }
  return { desired: desiredOf(spec, interfaces), interfaces, issues, warnings }
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

function vipIssues(
  service: VirtualService,
  s: number,
  context: DirectorContext,
  carried: ReadonlySet<string>,
): Issue[] {
  const path = ['services', s, 'vip']
  if (context.foreignServices.includes(serviceKey(service))) {
    return [issueAt(path, service.vip, 'distinctService', { other: serviceKey(service) })]
  }
  if (context.protectedAddresses.includes(service.vip)) return [issueAt(path, service.vip, 'notManagementAddress')]
  if (carried.has(service.vip) && service.allowOwnAddress !== true) {
    return [issueAt(path, service.vip, 'notOwnAddress')]
  }
  return []
}

/** The interface that the field names, else the one with the smallest network that holds the VIP. */
function ingressOf(
  service: VirtualService,
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
    .filter(({ name, address, prefixLength }) => name !== 'lo' && isInNetwork(service.vip, address, prefixLength))
    .toSorted((a, b) => Number(b.isUp) - Number(a.isUp) || b.prefixLength - a.prefixLength)
  return holding[0]?.name ?? issueAt(['services', s, 'vip'], service.vip, 'interfaceForVip')
}

function onLinkIssues(service: VirtualService, s: number, isOnLink: (address: string) => boolean): Issue[] {
  return service.realServers.flatMap((realServer, r) =>
    realServer.address === service.vip || isOnLink(realServer.address)
      ? []
      : [issueAt(['services', s, 'realServers', r, 'address'], realServer.address, 'onLink')],
  )
}

/** Whether the network of an interface that is up holds the address. Each is looked at once: services share them. */
function onLinkByNetworks(networks: readonly Network[]): (address: string) => boolean {
  const usable = networks.filter(({ name, isUp, prefixLength }) => isUp && name !== 'lo' && prefixLength < 32)
  const known = new Map<string, boolean>()
  return (address) => {
    const answer =
      known.get(address) ?? usable.some((network) => isInNetwork(address, network.address, network.prefixLength))
    known.set(address, answer)
    return answer
  }
}
