import { type IpvsSettings, ipvsSysctlNames } from '../model/ipvs-settings.ts'
import type { HostSetting, RealServerConfig, ServiceConfig } from '../model/plan.ts'

interface ConfiguredService {
  readonly config: ServiceConfig
  readonly realServers: readonly RealServerConfig[]
}

/** Names of the timeouts that netlink alone knows (IPVS_CMD_SET_CONFIG); the values are seconds. */
export const timeoutSettings = {
  tcpSec: 'ipvs.timeout.tcp',
  tcpFinSec: 'ipvs.timeout.tcpfin',
  udpSec: 'ipvs.timeout.udp',
} as const

/** Settings that are read from /proc/sys, and kept in sysctl.d. */
export const isSysctl = (name: string): boolean => name.startsWith('net.')

/**
 * The host's settings that the services and the document ask for, by name. NAT needs the director to forward replies, on
 * eBPF too: the kernel answers no program's question for a route where it may not forward (net/core/filter.c);
 * FullNAT needs connections in conntrack, or the source NAT never sees them (tried on 6.1). What the document says by
 * itself wins.
 */
export function settingsOf(services: readonly ConfiguredService[], ipvs: IpvsSettings | undefined): HostSetting[] {
  const wanted = new Map<string, string>()
  for (const { config, realServers } of services) {
    const forwards = realServers.some(({ forwarding }) => forwarding === 'nat' || forwarding === 'fullnat')
    if (forwards) {
      wanted.set(config.family === 'ipv4' ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding', '1')
    }
    if (config.dataplane === 'ipvs' && config.forwarding === 'fullnat') wanted.set('net.ipv4.vs.conntrack', '1')
  }
  for (const name of ipvsSysctlNames) {
    const value = ipvs?.sysctls?.[name]
    if (value !== undefined) wanted.set(`net.ipv4.vs.${name}`, value)
  }
  for (const field of ['tcpSec', 'tcpFinSec', 'udpSec'] as const) {
    const seconds = ipvs?.timeouts?.[field]
    if (seconds !== undefined) wanted.set(timeoutSettings[field], String(seconds))
  }
  return [...wanted].map(([name, value]) => ({ name, value })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
