import { z } from 'zod'
import { InterfaceName, MulticastAddress, Port } from './address.ts'
import { expected, strictFields } from './issue.ts'

/** Seconds; ipvsadm(8) allows 31 days. */
const Seconds = z
  .int(expected('seconds', { min: 1, max: 2_678_400 }))
  .min(1, expected('seconds', { min: 1, max: 2_678_400 }))
  .max(2_678_400, expected('seconds', { min: 1, max: 2_678_400 }))

const wholeNumber = (min: number, max: number) =>
  z
    .int(expected('count', { min, max }))
    .min(min, expected('count', { min, max }))
    .max(max, expected('count', { min, max }))

/** Of established TCP, of TCP after a FIN, of UDP. One that is left out stays as the kernel has it. */
export const IpvsTimeouts = strictFields({
  tcpSec: Seconds.optional(),
  tcpFinSec: Seconds.optional(),
  udpSec: Seconds.optional(),
})

/** IP_VS_SYNC_GROUP of include/net/ip_vs.h: what the kernel takes where nobody says otherwise. */
export const defaultSyncGroup = '224.0.0.81'

/** `master` sends connections to the others, `backup` takes them in. */
export const SyncRole = z.enum(['master', 'backup'], expected('syncRole'))
/**
 * The connection sync daemon. Both roles may run on every director of a cluster at once: a master does not hear itself
 * (IP_MULTICAST_LOOP is off, ip_vs_sync.c), so whichever director has the traffic tells the others.
 */
export const SyncDaemon = strictFields({
  interface: InterfaceName,
  /** Directors with the same number belong together; a backup with 0 takes all. */
  syncId: wholeNumber(0, 255),
  roles: z
    .array(SyncRole, expected('list', { max: 2 }))
    .min(1, expected('syncRole'))
    .max(2, expected('list', { max: 2 }))
    .default(['master', 'backup']),
  /** Multicast group; left out: 224.0.0.81. */
  group: MulticastAddress.optional(),
  port: Port.default(8848),
  ttl: wholeNumber(1, 255).default(1),
})

/** The sysctls of net.ipv4.vs that a document may set, with the pattern of their values. Source: ipvs-sysctl.rst. */
const ipvsSysctls = {
  amemthresh: /^\d{1,9}$/,
  am_droprate: /^\d{1,9}$/,
  backup_only: /^[01]$/,
  cache_bypass: /^[01]$/,
  conn_reuse_mode: /^[0-3]$/,
  conntrack: /^[01]$/,
  drop_entry: /^[0-3]$/,
  drop_packet: /^[0-3]$/,
  expire_nodest_conn: /^[01]$/,
  expire_quiescent_template: /^[01]$/,
  ignore_tunneled: /^[01]$/,
  nat_icmp_send: /^[01]$/,
  pmtu_disc: /^[01]$/,
  run_estimation: /^[01]$/,
  schedule_icmp: /^[01]$/,
  secure_tcp: /^[0-3]$/,
  sloppy_sctp: /^[01]$/,
  sloppy_tcp: /^[01]$/,
  snat_reroute: /^[01]$/,
  sync_persist_mode: /^[01]$/,
  sync_ports: /^(?:1|2|4|8|16|32|64)$/,
  sync_refresh_period: /^\d{1,9}$/,
  sync_retries: /^[0-3]$/,
  sync_threshold: /^\d{1,9} \d{1,9}$/,
} as const satisfies Record<string, RegExp>

export type IpvsSysctl = keyof typeof ipvsSysctls
export const ipvsSysctlNames = Object.keys(ipvsSysctls) as [IpvsSysctl, ...IpvsSysctl[]]

const sysctlText = z
  .union([z.int(), z.string()], expected('sysctlValue'))
  .transform((value) => String(value).trim().replaceAll(/\s+/g, ' '))
export const IpvsSysctls = strictFields(
  Object.fromEntries(
    ipvsSysctlNames.map((name) => [
      name,
      sysctlText.refine((value) => ipvsSysctls[name].test(value), expected('sysctlValue')).optional(),
    ]),
  ) as Record<IpvsSysctl, z.ZodOptional<typeof sysctlText>>,
)

/** What IPVS has once for a director. */
export const IpvsSettings = strictFields({
  timeouts: IpvsTimeouts.optional(),
  sync: SyncDaemon.optional(),
  sysctls: IpvsSysctls.optional(),
})

export type IpvsTimeouts = z.infer<typeof IpvsTimeouts>
export type SyncRole = z.infer<typeof SyncRole>
export type SyncDaemon = z.infer<typeof SyncDaemon>
export type IpvsSettings = z.infer<typeof IpvsSettings>
