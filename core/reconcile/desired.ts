import { compareAddresses } from '../model/address.ts'
import type { ClusterSpec } from '../model/cluster-spec.ts'
import type { RealServerConfig, ServiceConfig } from '../model/plan.ts'
import { type RealServer, serviceKey, type VirtualService } from '../model/service.ts'

/** A virtual service as it shall be programmed, on its ingress interface. */
export interface DesiredService {
  readonly config: ServiceConfig
  readonly realServers: readonly RealServerConfig[]
}

/** What one director shall do; sorted by {@link compareServices} and {@link compareEndpoints}. */
export interface Desired {
  readonly services: readonly DesiredService[]
}

export const emptyDesired: Desired = { services: [] }

type Endpoint = { readonly address: string; readonly port: number }

/** By address, then port. */
export const compareEndpoints = (a: Endpoint, b: Endpoint): number =>
  compareAddresses(a.address, b.address) || a.port - b.port

/** By VIP, then port. */
export const compareServices = (a: Pick<ServiceConfig, 'vip' | 'port'>, b: Pick<ServiceConfig, 'vip' | 'port'>) =>
  compareAddresses(a.vip, b.vip) || a.port - b.port

/**
 * The programmed part of a document, given the ingress interface of each service by its key. A service without one is
 * left out: nothing can be programmed for it.
 */
export function desiredOf(spec: ClusterSpec, interfaces: Readonly<Record<string, string>>): Desired {
  const services = spec.services.flatMap((service) => {
    const key = serviceKey(service)
    const ingress = Object.hasOwn(interfaces, key) ? interfaces[key] : undefined
    return ingress === undefined ? [] : [desiredService(service, ingress)]
  })
  return { services: services.toSorted((a, b) => compareServices(a.config, b.config)) }
}

function desiredService(service: VirtualService, ingress: string): DesiredService {
  const { vip, port, protocol, dataplane, forwarding, scheduler, announce, check } = service
  return {
    config: { vip, port, protocol, dataplane, forwarding, scheduler, announce, interface: ingress, check },
    realServers: service.realServers.map(realServerConfig).toSorted(compareEndpoints),
  }
}

const realServerConfig = ({ address, port, weight, state }: RealServer): RealServerConfig => ({
  address,
  port,
  weight,
  state,
})

/** An address on an interface. */
export interface PlacedAddress {
  readonly address: string
  readonly interface: string
}

/** Where the address of a service stands, by its way of announcing; null where the agent raises none. */
export function vipPlace(config: Pick<ServiceConfig, 'vip' | 'announce' | 'interface'>): PlacedAddress | null {
  switch (config.announce) {
    case 'arp':
      return { address: config.vip, interface: config.interface }
    case 'route':
      return { address: config.vip, interface: 'lo' }
    case 'none':
      return null
  }
}

/** A key of a placed address; a space is in neither part. */
export const placeKey = (place: PlacedAddress): string => `${place.address} ${place.interface}`
