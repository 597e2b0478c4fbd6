import { z } from 'zod'
import { HostAddress, InterfaceName, Port } from './address.ts'
import { expected, strictFields } from './issue.ts'

/** Text that is shown or stored, never run: no control characters, so that it cannot forge a terminal or a log line. */
export const plainText = (max: number) =>
  z
    .string(expected('text', { max }))
    .max(max, expected('text', { max }))
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, expected('text', { max }))

const Name = z.string(expected('name')).regex(/^(?=.*\S)[^\p{Cc}\p{Zl}\p{Zp}]{1,60}$/u, expected('name'))

export const Protocol = z.enum(['tcp'], expected('protocol'))
export const DataplaneName = z.enum(['ebpf'], expected('dataplane'))
/** The kernel's words; the console shows DR. */
export const ForwardingMethod = z.enum(['dr'], expected('forwarding'))
/** The kernel's short names. `mh` is weighted Maglev hashing. */
export const Scheduler = z.enum(['mh'], expected('scheduler'))
/**
 * Who makes the VIP known: `arp` = the director carries VIP/32 on its ingress interface and answers for it; `route` = a
 * router sends it here, the address stands on `lo`; `none` = somebody else sees to it (keepalived).
 */
export const Announce = z.enum(['arp', 'route', 'none'], expected('announce'))

/** `drain`: established flows stay, no new ones. `offline`: out of the ring and no check. Both keep the weight. */
export const RealServerState = z.enum(['enabled', 'drain', 'offline'], expected('state'))

export const Weight = z.int(expected('weight')).min(0, expected('weight')).max(65535, expected('weight'))

export const RealServer = strictFields({
  address: HostAddress,
  port: Port,
  weight: Weight.default(1),
  state: RealServerState.default('enabled'),
  name: Name.optional(),
})

const countOf = (min: number, max: number) =>
  z
    .int(expected('count', { min, max }))
    .min(min, expected('count', { min, max }))
    .max(max, expected('count', { min, max }))
const millisecondsOf = (min: number, max: number) =>
  z
    .int(expected('interval', { min, max }))
    .min(min, expected('interval', { min, max }))
    .max(max, expected('interval', { min, max }))

export const TcpCheck = strictFields({
  type: z.literal('tcp', expected('checkType')),
  intervalMs: millisecondsOf(200, 3_600_000).default(1000),
  timeoutMs: millisecondsOf(50, 60_000).default(800),
  /** Passed checks in a row until the real server counts as up. */
  rise: countOf(1, 20).default(2),
  /** Failed checks in a row until it counts as down. */
  fall: countOf(1, 20).default(2),
}).refine((check) => check.timeoutMs <= check.intervalMs, {
  path: ['timeoutMs'],
  error: (issue) =>
    expected('timeoutBelowInterval', { interval: (issue.input as { intervalMs: number }).intervalMs }).error(),
})
const NoCheck = strictFields({ type: z.literal('none', expected('checkType')) })
export const HealthCheck = z.discriminatedUnion('type', [TcpCheck, NoCheck], expected('checkType'))

export const defaultCheck: HealthCheck = { type: 'tcp', intervalMs: 1000, timeoutMs: 800, rise: 2, fall: 2 }
export const maxRealServers = 1000

export const VirtualService = strictFields({
  name: Name,
  vip: HostAddress,
  port: Port,
  protocol: Protocol.default('tcp'),
  dataplane: DataplaneName.default('ebpf'),
  forwarding: ForwardingMethod.default('dr'),
  scheduler: Scheduler.default('mh'),
  announce: Announce.default('arp'),
  /** Ingress interface; left out, the agent takes the one whose network holds the VIP. */
  interface: InterfaceName.optional(),
  /** Says that the VIP may be an address that the director carried before. */
  allowOwnAddress: z.boolean(expected('valid')).optional(),
  check: HealthCheck.default(defaultCheck),
  realServers: z
    .array(RealServer, expected('list', { max: maxRealServers }))
    .max(maxRealServers, expected('list', { max: maxRealServers })),
  notes: plainText(2000).optional(),
})

export type Protocol = z.infer<typeof Protocol>
export type ForwardingMethod = z.infer<typeof ForwardingMethod>
export type Scheduler = z.infer<typeof Scheduler>
export type Announce = z.infer<typeof Announce>
export type RealServerState = z.infer<typeof RealServerState>
export type RealServer = z.infer<typeof RealServer>
export type HealthCheck = z.infer<typeof HealthCheck>
export type TcpCheck = z.infer<typeof TcpCheck>
export type VirtualService = z.infer<typeof VirtualService>

/** What makes a virtual service the same one: `tcp/192.0.2.10:80`. Changing it is remove and add. */
export function serviceKey(service: Pick<VirtualService, 'protocol' | 'vip' | 'port'>): string {
  return `${service.protocol}/${service.vip}:${service.port}`
}

/** What makes a real server of a service the same one: `192.0.2.20:80`. */
export function realServerKey(realServer: Pick<RealServer, 'address' | 'port'>): string {
  return `${realServer.address}:${realServer.port}`
}

export const ServiceKey = z.string().regex(/^tcp\/[0-9.]{7,15}:[0-9]{1,5}$/)
