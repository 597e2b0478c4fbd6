import { addressBits, compareAddresses } from '../model/address.ts'
import type { ClusterSpec } from '../model/cluster-spec.ts'
import { defaultSyncGroup } from '../model/ipvs-settings.ts'
import type { HostSetting, NatEntry, RealServerConfig, ServiceConfig, SyncDaemonConfig } from '../model/plan.ts'
import { familyOfService, forwardingOf } from '../model/service-rules.ts'
import { defaultTunnel, type RealServer, serviceKey, type VirtualService } from '../model/service.ts'
import { compareNatEntries, natEntriesOf } from './nat-entries.ts'
import { settingsOf } from './settings.ts'

/** A virtual service as it shall be programmed, on its ingress interface. */
export interface DesiredService {
  readonly config: ServiceConfig
  readonly realServers: readonly RealServerConfig[]
}

/** `standby`: everything is programmed but the VIPs, which another director of the cluster carries. */
export type DirectorRole = 'active' | 'standby'

/** What one director shall do; services sorted by {@link compareServices}, real servers by {@link compareEndpoints}. */
export interface Desired {
  readonly services: readonly DesiredService[]
  readonly settings: readonly HostSetting[]
  readonly natEntries: readonly NatEntry[]
  readonly syncDaemons: readonly SyncDaemonConfig[]
  readonly role: DirectorRole
}

export const emptyDesired: Desired = {
  services: [],
  settings: [],
  natEntries: [],
  syncDaemons: [],
  role: 'active',
}

type Endpoint = { readonly address: string; readonly port: number }

/** By address, then port. */
export const compareEndpoints = (a: Endpoint, b: Endpoint): number =>
  compareAddresses(a.address, b.address) || a.port - b.port

type Sortable = Pick<ServiceConfig, 'vip' | 'port' | 'protocol' | 'fwmark' | 'family'>

/** By VIP, then port, then protocol; services by fwmark last. */
export function compareServices(a: Sortable, b: Sortable): number {
  if (a.vip === null || b.vip === null) {
    if (a.vip !== null || b.vip !== null) return a.vip === null ? 1 : -1
    return (a.fwmark ?? 0) - (b.fwmark ?? 0) || compareText(a.family, b.family)
  }
  return compareAddresses(a.vip, b.vip) || a.port - b.port || compareText(a.protocol, b.protocol)
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * The programmed part of a document, given the ingress interface of each service by its key. A service without one is
 * left out: nothing can be programmed for it.
 */
export function desiredOf(
  spec: ClusterSpec,
  interfaces: Readonly<Record<string, string>>,
  role: DirectorRole = 'active',
): Desired {
  const services = spec.services
    .flatMap((service) => {
      const key = serviceKey(service)
      const ingress = Object.hasOwn(interfaces, key) ? interfaces[key] : undefined
      return ingress === undefined ? [] : [desiredService(service, ingress)]
    })
    .toSorted((a, b) => compareServices(a.config, b.config))
  return {
    services,
    settings: settingsOf(services, spec.ipvs),
    natEntries: natEntriesOf(services).toSorted(compareNatEntries),
    syncDaemons: syncDaemonsOf(spec),
    role,
  }
}

function syncDaemonsOf({ ipvs }: ClusterSpec): SyncDaemonConfig[] {
  if (ipvs?.sync === undefined) return []
  const { roles, group, ...rest } = ipvs.sync
  // One text for the same daemon: the kernel does not tell its default from a wish for it.
  const daemon = { ...rest, ...(group === undefined || group === defaultSyncGroup ? {} : { group }) }
  return [...new Set(roles)].toSorted(compareText).map((role) => ({ ...daemon, role }))
}

function desiredService(service: VirtualService, ingress: string): DesiredService {
  const { port, protocol, dataplane, forwarding, scheduler, announce, check } = service
  return {
    config: {
      vip: service.vip ?? null,
      port,
      protocol,
      fwmark: service.fwmark ?? null,
      family: familyOfService(service),
      dataplane,
      forwarding,
      scheduler,
      schedulerFlags: service.schedulerFlags.toSorted(compareText),
      persistence: persistenceOf(service),
      onePacket: service.onePacket ?? false,
      localAddresses: (service.localAddresses ?? []).toSorted(compareAddresses),
      announce,
      interface: ingress,
      check,
    },
    realServers: service.realServers.map((one) => realServerConfig(service, one)).toSorted(compareEndpoints),
  }
}

/** The whole address is the default, and the kernel does not tell it from no word at all. */
function persistenceOf(service: VirtualService): ServiceConfig['persistence'] {
  if (service.persistence === undefined) return null
  const { prefixLength, ...rest } = service.persistence
  const isWhole = prefixLength === undefined || prefixLength === addressBits[familyOfService(service)]
  return isWhole ? rest : { ...rest, prefixLength }
}

function realServerConfig(service: VirtualService, realServer: RealServer): RealServerConfig {
  const { address, port, weight, state, upperThreshold = 0, lowerThreshold = 0 } = realServer
  const forwarding = forwardingOf(service, realServer)
  const tunnel = forwarding === 'tun' ? (realServer.tunnel ?? service.tunnel ?? defaultTunnel) : null
  return { address, port, weight, state, forwarding, tunnel, upperThreshold, lowerThreshold }
}

/** An address on an interface. */
export interface PlacedAddress {
  readonly address: string
  readonly interface: string
}

/** Where the address of a service stands, by its way of announcing; null where the agent raises none. */
export function vipPlace(config: Pick<ServiceConfig, 'vip' | 'announce' | 'interface'>): PlacedAddress | null {
  if (config.vip === null) return null
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
