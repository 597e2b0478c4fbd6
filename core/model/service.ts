import { z } from 'zod'
import { formatEndpoint, HostAddress, InterfaceName, IpFamily, Port, PortOrAny } from './address.ts'
import { DataplaneName, ForwardingMethod, Protocol } from './dataplane.ts'
import { defaultCheckOf, HealthCheck } from './health-check.ts'
import { expected, strictFields } from './issue.ts'
import { Scheduler, SchedulerFlag } from './scheduler.ts'

/** Text that is shown or stored, never run: no control characters, so that it cannot forge a terminal or a log line. */
export const plainText = (max: number) =>
  z
    .string(expected('text', { max }))
    .max(max, expected('text', { max }))
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, expected('text', { max }))

const Name = z.string(expected('name')).regex(/^(?=.*\S)[^\p{Cc}\p{Zl}\p{Zp}]{1,60}$/u, expected('name'))

/** Rules between fields are not asked about a number that is none: they would speak of fields that are not filled in. */
const wholeNumber = (min: number, max: number) =>
  z
    .int(expected('count', { min, max }))
    .min(min, { ...expected('count', { min, max }), abort: true })
    .max(max, { ...expected('count', { min, max }), abort: true })

/**
 * Who makes the VIP known: `arp` = the director carries the VIP on its ingress interface and answers for it (ARP, or
 * neighbour discovery for IPv6); `route` = a router sends it here, the address stands on `lo`; `none` = somebody else
 * sees to it (keepalived).
 */
export const Announce = z.enum(['arp', 'route', 'none'], expected('announce'))

/** `drain`: established flows stay, no new ones. `offline`: out of the ring and no check. Both keep the weight. */
export const RealServerState = z.enum(['enabled', 'drain', 'offline'], expected('state'))

export const Weight = z.int(expected('weight')).min(0, expected('weight')).max(65535, expected('weight'))
/** Connections; 0 = no limit. ipvsadm takes up to 65535, and so do we. */
const Threshold = wholeNumber(0, 65535)

export const TunnelType = z.enum(['ipip', 'gue', 'gre'], expected('tunnelType'))
/** Words of ipvsadm(8): none, the outer UDP or GRE checksum, or remote checksum offload. */
export const TunnelChecksum = z.enum(['nocsum', 'csum', 'remcsum'], expected('tunnelChecksum'))
/** How packets travel to a tunnel real server. The port is GUE's alone. */
export const Tunnel = strictFields({
  type: TunnelType,
  port: Port.optional(),
  checksum: TunnelChecksum.default('nocsum'),
}).superRefine((tunnel, context) => {
  if (tunnel.type === 'gue' && tunnel.port === undefined) {
    context.addIssue({ code: 'custom', path: ['port'], message: expected('guePort').error() })
  }
  if (tunnel.type !== 'gue' && tunnel.port !== undefined) {
    context.addIssue({ code: 'custom', path: ['port'], message: expected('onlyWithGue').error() })
  }
  if (tunnel.type === 'ipip' && tunnel.checksum !== 'nocsum') {
    context.addIssue({ code: 'custom', path: ['checksum'], message: expected('noChecksumInIpip').error() })
  }
  if (tunnel.type === 'gre' && tunnel.checksum === 'remcsum') {
    context.addIssue({ code: 'custom', path: ['checksum'], message: expected('remcsumOnlyInGue').error() })
  }
})
export const defaultTunnel: Tunnel = { type: 'ipip', checksum: 'nocsum' }

export const RealServer = strictFields({
  address: HostAddress,
  port: PortOrAny,
  weight: Weight.default(1),
  state: RealServerState.default('enabled'),
  /** Left out: the service's. Set where one real server is reached in another way than the others. */
  forwarding: ForwardingMethod.optional(),
  tunnel: Tunnel.optional(),
  /** IPVS gives it no new connections at this many, until they are fewer than `lowerThreshold`. */
  upperThreshold: Threshold.optional(),
  lowerThreshold: Threshold.optional(),
  name: Name.optional(),
})

/** A client stays with its real server for this long after its last connection. Longest time as in ipvsadm: 31 days. */
export const Persistence = strictFields({
  timeoutSec: wholeNumber(1, 2_678_400),
  /** Clients of one network of this size count as one; left out: each address by itself. */
  prefixLength: wholeNumber(1, 128).optional(),
  /** The kernel's persistence engine; `sip` keeps a call's Call-ID together. */
  engine: z.enum(['sip'], expected('engine')).optional(),
})

export const maxRealServers = 1000
export const maxLocalAddresses = 64

const Fields = strictFields({
  name: Name,
  vip: HostAddress.optional(),
  port: PortOrAny.optional(),
  protocol: Protocol.default('tcp'),
  /** Instead of VIP, protocol and port: packets that netfilter gave this mark. */
  fwmark: wholeNumber(1, 0xffffffff).optional(),
  /** Of a service by mark, which no address tells. */
  family: IpFamily.optional(),
  dataplane: DataplaneName.default('ebpf'),
  forwarding: ForwardingMethod.default('dr'),
  /** Of tunnel real servers that do not say otherwise; left out: IPIP. */
  tunnel: Tunnel.optional(),
  scheduler: Scheduler.default('mh'),
  schedulerFlags: z
    .array(SchedulerFlag, expected('list', { max: 2 }))
    .max(2, expected('list', { max: 2 }))
    .default([]),
  persistence: Persistence.optional(),
  /** Each UDP packet is scheduled by itself. */
  onePacket: z.boolean(expected('boolean')).optional(),
  /** FullNAT: source addresses that the director uses towards real servers; left out: that of the interface. */
  localAddresses: z
    .array(HostAddress, expected('list', { max: maxLocalAddresses }))
    .max(maxLocalAddresses, expected('list', { max: maxLocalAddresses }))
    .optional(),
  announce: Announce.default('arp'),
  /** Ingress interface; left out, the agent takes the one whose network holds the VIP. */
  interface: InterfaceName.optional(),
  /** Says that the VIP may be an address that the director carried before. */
  allowOwnAddress: z.boolean(expected('boolean')).optional(),
  /** Left out: a TCP check where there is a TCP port to check, else none. */
  check: HealthCheck.optional(),
  realServers: z
    .array(RealServer, expected('list', { max: maxRealServers }))
    .max(maxRealServers, expected('list', { max: maxRealServers })),
  notes: plainText(2000).optional(),
}).superRefine((service, context) => {
  const required = (field: string) =>
    context.addIssue({ code: 'custom', path: [field], message: expected('required').error() })
  if (service.fwmark !== undefined) return
  if (service.vip === undefined) required('vip')
  if (service.port === undefined) required('port')
})

const fieldNames = Object.keys(Fields.shape)

export const VirtualService = Fields.transform((fields) => {
  const port = fields.port ?? 0
  const whole = { ...fields, port, check: fields.check ?? defaultCheckOf({ ...fields, port }) }
  // In one order, whether or not a field was filled in: documents are compared as text.
  const ordered = Object.entries(whole).toSorted(([a], [b]) => fieldNames.indexOf(a) - fieldNames.indexOf(b))
  return Object.fromEntries(ordered) as typeof whole
})

export type Announce = z.infer<typeof Announce>
export type RealServerState = z.infer<typeof RealServerState>
export type RealServer = z.infer<typeof RealServer>
export type Tunnel = z.infer<typeof Tunnel>
export type TunnelType = z.infer<typeof TunnelType>
export type Persistence = z.infer<typeof Persistence>
export type VirtualService = z.infer<typeof VirtualService>

/** What a service answers to, however it is stored: VIP, protocol and port, or a mark and a family. */
export interface ServiceIdentity {
  readonly protocol: Protocol
  readonly vip?: string | null | undefined
  readonly port: number
  readonly fwmark?: number | null | undefined
  readonly family?: IpFamily | undefined
}

/**
 * What makes a virtual service the same one: `tcp/192.0.2.10:80`, `udp/[2001:db8::10]:53`, `fwmark/7/ipv4`. Changing it
 * is remove and add.
 */
export function serviceKey(service: ServiceIdentity): string {
  return typeof service.fwmark === 'number'
    ? `fwmark/${service.fwmark}/${service.family ?? 'ipv4'}`
    : `${service.protocol}/${formatEndpoint(service.vip ?? '', service.port)}`
}

/** The address of a service as people read it: `192.0.2.10:80`, `fwmark 7`. */
export const serviceAddress = (service: ServiceIdentity): string =>
  typeof service.fwmark === 'number' ? `fwmark ${service.fwmark}` : formatEndpoint(service.vip ?? '', service.port)

/** What makes a real server of a service the same one: `192.0.2.20:80`. */
export const realServerKey = (realServer: Pick<RealServer, 'address' | 'port'>): string =>
  formatEndpoint(realServer.address, realServer.port)

export const ServiceKey = z
  .string()
  .regex(/^(?:(?:tcp|udp|sctp)\/(?:[0-9.]{7,15}|\[[0-9a-f:.]{2,45}\]):[0-9]{1,5}|fwmark\/[0-9]{1,10}\/ipv[46])$/)
