import type { ClusterSpec } from '../model/cluster-spec.ts'
import type { ForwardingMethod } from '../model/dataplane.ts'
import type { ObservedRealServer, ObservedService } from '../model/observed.ts'
import {
  defaultTunnel,
  type RealServer,
  serviceAddress,
  serviceKey,
  type Tunnel,
  type VirtualService,
} from '../model/service.ts'

/**
 * The method of most real servers, the first of them where two are as frequent; null where there is none. IPVS has a
 * method for each real server and none for the service, so whoever reads a service from the kernel gives it this one.
 */
export function commonMethod(
  realServers: readonly { readonly forwarding: ForwardingMethod }[],
): ForwardingMethod | null {
  const counts = new Map<ForwardingMethod, number>()
  for (const { forwarding } of realServers) counts.set(forwarding, (counts.get(forwarding) ?? 0) + 1)
  const most = Math.max(0, ...counts.values())
  return [...counts].find(([, count]) => count === most)?.[0] ?? null
}

/**
 * A service that somebody else set up, as the document has to say it so that nothing changes when it is taken over.
 * Who makes the VIP known stays with them (`none`), and nobody checks its real servers until the operator says so.
 */
export function adoptedService(observed: ObservedService, name: string): VirtualService {
  const tunnel = commonTunnel(observed)
  return {
    name,
    ...(observed.vip === null ? {} : { vip: observed.vip }),
    port: observed.port,
    protocol: observed.protocol,
    ...(observed.fwmark === null ? {} : { fwmark: observed.fwmark, family: observed.family }),
    ...settingsAsFound(observed),
    ...(tunnel === undefined ? {} : { tunnel }),
    announce: 'none',
    check: { type: 'none' },
    realServers: observed.realServers.map((one) => realServerAsFound(one, { forwarding: observed.forwarding, tunnel })),
  }
}

/** What a service has beside its name, its real servers and its tunnel; `undefined` where the document says nothing. */
export function settingsAsFound(observed: ObservedService) {
  return {
    dataplane: observed.dataplane,
    forwarding: observed.forwarding,
    scheduler: observed.scheduler,
    schedulerFlags: observed.schedulerFlags,
    ...(observed.persistence === null ? {} : { persistence: observed.persistence }),
    ...(observed.onePacket ? { onePacket: true } : {}),
    ...(observed.localAddresses.length === 0 ? {} : { localAddresses: observed.localAddresses }),
  }
}

/** What a service says for its real servers. */
export interface ServiceWords {
  readonly forwarding: ForwardingMethod
  readonly tunnel?: Tunnel | undefined
}

/** A real server in the document's words: what its service says already is left out. */
export function realServerAsFound(observed: ObservedRealServer, service: ServiceWords): RealServer {
  const { address, port, weight, state, forwarding, tunnel, upperThreshold, lowerThreshold } = observed
  const isOwnTunnel = tunnel !== null && tunnelKey(tunnel) !== tunnelKey(service.tunnel ?? defaultTunnel)
  return {
    address,
    port,
    weight,
    state,
    ...(forwarding === service.forwarding ? {} : { forwarding }),
    ...(isOwnTunnel ? { tunnel } : {}),
    ...(upperThreshold === 0 ? {} : { upperThreshold }),
    ...(lowerThreshold === 0 ? {} : { lowerThreshold }),
  }
}

/** The tunnel of most tunnel real servers; undefined where that is the plain one, or none has a tunnel. */
function commonTunnel({ realServers }: ObservedService): Tunnel | undefined {
  const counts = new Map<string, { tunnel: Tunnel; count: number }>()
  for (const { tunnel } of realServers) {
    if (tunnel === null) continue
    const known = counts.get(tunnelKey(tunnel))
    counts.set(tunnelKey(tunnel), { tunnel, count: (known?.count ?? 0) + 1 })
  }
  const [first] = [...counts.values()].toSorted((a, b) => b.count - a.count)
  return first === undefined || tunnelKey(first.tunnel) === tunnelKey(defaultTunnel) ? undefined : first.tunnel
}

const tunnelKey = ({ type, port, checksum }: Tunnel): string => `${type} ${port ?? ''} ${checksum}`

/** A name for a service found on a director, that no service of the document has: its address, numbered if need be. */
export function nameForFound(spec: ClusterSpec, observed: ObservedService): string {
  const taken = new Set(spec.services.map(({ name }) => name))
  const plain = observed.protocol === 'tcp' || observed.vip === null ? '' : ` ${observed.protocol}`
  const base = `${serviceAddress(observed)}${plain}`
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base} ${n}`
    if (!taken.has(name)) return name
  }
}

/** The document with these services in it as they were found; one that it has already stays as it says. */
export function withAdopted(spec: ClusterSpec, found: readonly ObservedService[]): ClusterSpec {
  let adopted = spec
  for (const observed of found) {
    if (adopted.services.some((service) => serviceKey(service) === serviceKey(observed))) continue
    const service = adoptedService(observed, nameForFound(adopted, observed))
    adopted = { ...adopted, services: [...adopted.services, service] }
  }
  return adopted
}
