// What IPVS holds, in its own words. "Destination" is the netlink word for a real server and stays below the dataplane.
import type {
  checksumNumber,
  daemonNumber,
  familyNumber,
  forwardingNumber,
  protocolNumber,
  tunnelNumber,
} from './constants.ts'

export type IpvsFamily = keyof typeof familyNumber
export type IpvsForwarding = keyof typeof forwardingNumber
export type IpvsTunnelType = keyof typeof tunnelNumber
export type IpvsChecksum = keyof typeof checksumNumber
export type IpvsDaemonState = keyof typeof daemonNumber
/** By name where it has one here, else the number of the IP protocol: others may have made services for ESP or AH. */
export type IpvsProtocol = keyof typeof protocolNumber | number

/** A service by its address. Addresses are canonical text: dotted quads, IPv6 as RFC 5952 has it. */
export interface IpvsAddressId {
  readonly family: IpvsFamily
  readonly protocol: IpvsProtocol
  readonly address: string
  /** 0 = all ports. */
  readonly port: number
}

/** A service by the mark that netfilter gives its packets. */
export interface IpvsFwmarkId {
  readonly family: IpvsFamily
  readonly fwmark: number
}

export type IpvsServiceId = IpvsAddressId | IpvsFwmarkId

export interface IpvsServiceFlags {
  readonly persistent: boolean
  readonly onePacket: boolean
  /** IP_VS_SVC_F_SCHED1 to SCHED3 as bits 0 to 2; see `hashingBits` for sh and mh. */
  readonly schedulerBits: number
}

/** All of a service that can be set. A change takes the whole of it, as the kernel does. */
export interface IpvsServiceSettings {
  readonly id: IpvsServiceId
  /** The kernel's short name. */
  readonly scheduler: string
  readonly flags: IpvsServiceFlags
  /** Of persistence, in seconds. */
  readonly timeoutSec: number
  /** Clients of one network of this size count as one for persistence: 32 or 128 = each by itself. */
  readonly prefixLength: number
  /** Persistence engine; null = none. */
  readonly engine: string | null
}

/**
 * Counters and rates. The kernel refreshes both every 2 s and smoothes the rates; after ZERO counters start anew.
 * Counters are 64 bits wide there and numbers here: exact up to 2^53 (9 PB), rounded to 53 bits above.
 */
export interface IpvsStats {
  readonly connections: number
  readonly inPackets: number
  readonly outPackets: number
  readonly inBytes: number
  readonly outBytes: number
  readonly connectionsPerSec: number
  readonly inPacketsPerSec: number
  readonly outPacketsPerSec: number
  readonly inBytesPerSec: number
  readonly outBytesPerSec: number
}

export interface IpvsService extends Omit<IpvsServiceSettings, 'prefixLength'> {
  /** Null: an IPv4 mask with holes, which the kernel takes from anybody and which is no prefix. Never written. */
  readonly prefixLength: number | null
  readonly stats: IpvsStats
}

export interface IpvsDestinationId {
  /** Another one than the service's only with tunnels. */
  readonly family: IpvsFamily
  readonly address: string
  readonly port: number
}

/** The kernel keeps these for every real server, and uses them where it is reached through a tunnel. */
export interface IpvsTunnel {
  readonly type: IpvsTunnelType
  /** Of GUE; 0 with the others. */
  readonly port: number
  readonly checksum: IpvsChecksum
}

/**
 * All of a real server that can be set. SET_DEST overwrites everything, and what a request leaves out becomes 0: a
 * tunnel turns into IPIP. So there is no partial change here.
 */
export interface IpvsDestinationSettings {
  readonly id: IpvsDestinationId
  readonly forwarding: IpvsForwarding
  readonly weight: number
  /** 0 = no limit. */
  readonly upperThreshold: number
  readonly lowerThreshold: number
  readonly tunnel: IpvsTunnel
}

export const noTunnel: IpvsTunnel = { type: 'ipip', port: 0, checksum: 'nocsum' }

/** What a newer kernel, or somebody else, has set and this program has no name for: shown, and never written. */
type OrUnknown<T> = T | 'unknown'

export interface IpvsDestination extends Omit<IpvsDestinationSettings, 'forwarding' | 'tunnel'> {
  readonly forwarding: OrUnknown<IpvsForwarding>
  readonly tunnel: {
    readonly type: OrUnknown<IpvsTunnelType>
    readonly port: number
    readonly checksum: OrUnknown<IpvsChecksum>
  }
  readonly activeConnections: number
  readonly inactiveConnections: number
  readonly persistentConnections: number
  readonly stats: IpvsStats
}

/** A service with its real servers, in the kernel's order, which is none. */
export interface IpvsTableEntry extends IpvsService {
  readonly destinations: readonly IpvsDestination[]
}

/** What is left out takes the kernel's default: 224.0.0.81, port 8848, TTL 1, and a length that fits the interface. */
export interface IpvsDaemonSettings {
  readonly state: IpvsDaemonState
  readonly interface: string
  /** 0 to 255; a backup with 0 takes from all. */
  readonly syncId: number
  readonly maxLength?: number | undefined
  readonly group?: string | undefined
  readonly port?: number | undefined
  readonly ttl?: number | undefined
}

/** A daemon that runs. Null: an older kernel (before 4.3) does not tell. */
export interface IpvsDaemon extends Pick<IpvsDaemonSettings, 'state' | 'interface' | 'syncId'> {
  readonly maxLength: number | null
  readonly group: string | null
  readonly port: number | null
  readonly ttl: number | null
}

/** Null: the kernel was built without that protocol. */
export interface IpvsTimeouts {
  readonly tcpSec: number | null
  readonly tcpFinSec: number | null
  readonly udpSec: number | null
}

export interface IpvsInfo {
  /** `1.2.1` */
  readonly version: string
  readonly connectionTableSize: number
}

/** One change of the table. */
export type IpvsOperation =
  | { readonly kind: 'service.add' | 'service.set'; readonly service: IpvsServiceSettings }
  | { readonly kind: 'service.delete'; readonly id: IpvsServiceId }
  | {
      readonly kind: 'destination.add' | 'destination.set'
      readonly service: IpvsServiceId
      readonly destination: IpvsDestinationSettings
    }
  | {
      readonly kind: 'destination.delete'
      readonly service: IpvsServiceId
      readonly destination: IpvsDestinationId
    }
