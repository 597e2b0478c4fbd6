import { z } from 'zod'
import type { IpFamily } from './address.ts'
import { expected } from './issue.ts'
import { type Scheduler, schedulerNames } from './scheduler.ts'
import type { Tunnel } from './service.ts'

export const Protocol = z.enum(['tcp', 'udp', 'sctp'], expected('protocol'))
export const DataplaneName = z.enum(['ebpf', 'ipvs'], expected('dataplane'))
/**
 * The kernel's words in lower case; the console shows DR, NAT, Tunnel, FullNAT. `fullnat` is NAT plus source NAT, since
 * IPVS has no such method. `local` is a real server on the director itself.
 */
export const ForwardingMethod = z.enum(['dr', 'nat', 'tun', 'fullnat', 'local'], expected('forwarding'))

export type Protocol = z.infer<typeof Protocol>
export type DataplaneName = z.infer<typeof DataplaneName>
export type ForwardingMethod = z.infer<typeof ForwardingMethod>

/** As people read them, in every language. */
export const methodNames: Readonly<Record<ForwardingMethod, string>> = {
  dr: 'DR',
  nat: 'NAT',
  tun: 'Tunnel',
  fullnat: 'FullNAT',
  local: 'Local',
}
export const dataplaneNames: Readonly<Record<DataplaneName, string>> = { ebpf: 'eBPF', ipvs: 'IPVS' }

export interface DataplaneOffer {
  readonly families: readonly IpFamily[]
  readonly protocols: readonly Protocol[]
  readonly forwarding: readonly ForwardingMethod[]
  readonly tunnels: readonly Tunnel['type'][]
  readonly tunnelChecksums: readonly Tunnel['checksum'][]
  readonly schedulers: readonly Scheduler[]
  readonly hasSchedulerFlags: boolean
  readonly hasPersistence: boolean
  readonly hasOnePacket: boolean
  readonly hasFwmark: boolean
  readonly hasThresholds: boolean
}

/** What each dataplane of this version can do on a kernel that has everything; the one list that forms and rules read. */
export const dataplaneOffers: Readonly<Record<DataplaneName, DataplaneOffer>> = {
  ebpf: {
    families: ['ipv4', 'ipv6'],
    protocols: ['tcp', 'udp'],
    forwarding: ['dr', 'nat', 'tun'],
    tunnels: ['ipip', 'gue'],
    tunnelChecksums: ['nocsum'],
    schedulers: ['mh', 'sh', 'rr', 'wrr', 'lc', 'wlc'],
    hasSchedulerFlags: false,
    hasPersistence: false,
    hasOnePacket: false,
    hasFwmark: false,
    hasThresholds: false,
  },
  ipvs: {
    families: ['ipv4', 'ipv6'],
    protocols: ['tcp', 'udp', 'sctp'],
    forwarding: ['dr', 'nat', 'tun', 'fullnat', 'local'],
    tunnels: ['ipip', 'gue', 'gre'],
    tunnelChecksums: ['nocsum', 'csum', 'remcsum'],
    schedulers: schedulerNames,
    hasSchedulerFlags: true,
    hasPersistence: true,
    hasOnePacket: true,
    hasFwmark: true,
    hasThresholds: true,
  },
}

/** Methods that rewrite the destination's port; the others deliver to the port that the client asked for. */
export const translatesPorts = (method: ForwardingMethod): boolean => method === 'nat' || method === 'fullnat'
/** Methods whose replies pass the director. */
export const repliesPassDirector = (method: ForwardingMethod): boolean => method !== 'dr' && method !== 'tun'
