import type { IpvsOffer } from '../../../core/contract/agent.ts'
import { type IpvsSysctl, type IpvsTimeouts, ipvsSysctlNames } from '../../../core/model/ipvs-settings.ts'
import type { ObservedState } from '../../../core/model/observed.ts'
import { timeoutSettings } from '../../../core/reconcile/settings.ts'

/** One setting of the director as it is now. */
export interface PresentSetting {
  /** Null where this kernel has it not, or was not asked. */
  readonly now: string | null
  /** What the agent puts back one day; null where it has set nothing. */
  readonly original: string | null
}

/** What a kernel has before anybody changes it. Source: ipvs-sysctl.rst and ip_vs_ctl.c of Linux 6.1. */
export const sysctlDefaults: Readonly<Record<IpvsSysctl, string>> = {
  amemthresh: '1024',
  am_droprate: '10',
  backup_only: '0',
  cache_bypass: '0',
  conn_reuse_mode: '1',
  conntrack: '0',
  drop_entry: '0',
  drop_packet: '0',
  expire_nodest_conn: '0',
  expire_quiescent_template: '0',
  ignore_tunneled: '0',
  nat_icmp_send: '0',
  pmtu_disc: '1',
  run_estimation: '1',
  schedule_icmp: '0',
  secure_tcp: '0',
  sloppy_sctp: '0',
  sloppy_tcp: '0',
  snat_reroute: '1',
  sync_persist_mode: '0',
  sync_ports: '1',
  sync_refresh_period: '0',
  sync_retries: '0',
  sync_threshold: '3 50',
}

/** Seconds that IPVS starts with. Source: ip_vs_proto_tcp.c and ip_vs_proto_udp.c. */
export const timeoutDefaults = { tcpSec: 900, tcpFinSec: 120, udpSec: 300 } as const satisfies Record<
  keyof IpvsTimeouts,
  number
>

const sysctlPath = (name: IpvsSysctl): string => `net.ipv4.vs.${name}`

const observedSetting = ({ settings }: ObservedState, name: string) => settings.find((one) => one.name === name)

/** The agent watches what is ours or wanted; the rest is as the kernel answered when it was asked. */
export function presentSysctl(name: IpvsSysctl, observed: ObservedState, offer: IpvsOffer | null): PresentSetting {
  const own = observedSetting(observed, sysctlPath(name))
  return { now: own?.value ?? offer?.sysctls[sysctlPath(name)] ?? null, original: own?.original ?? null }
}

export function presentTimeout(
  name: keyof IpvsTimeouts,
  observed: ObservedState,
  offer: IpvsOffer | null,
): PresentSetting {
  const own = observedSetting(observed, timeoutSettings[name])
  const asked = offer?.timeouts?.[name] ?? null
  return { now: own?.value ?? (asked === null ? null : String(asked)), original: own?.original ?? null }
}

/** What this kernel has, and what it has not but the document wants; all of them while the kernel cannot say. */
export function sysctlNamesOf(offer: IpvsOffer | null, wanted: object): readonly IpvsSysctl[] {
  const has = offer?.sysctls ?? {}
  const isTold = Object.keys(has).length > 0
  return ipvsSysctlNames.filter((name) => !isTold || sysctlPath(name) in has || name in wanted)
}
