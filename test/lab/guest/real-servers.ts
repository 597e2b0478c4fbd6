/** What an operator does on a real server for a forwarding method, as scripts for the hosts of a topology. */
import { addressIn } from './topology.ts'

/** The whole way back goes through the director: in the front, clients would be answered past it. */
export const natScript = `
ip link set e0 down
ip route replace default via ${addressIn('back', 'ipv4', 1)}
ip route replace default via ${addressIn('back', 'ipv6', 1)}`

/**
 * The VIP on lo, and silent about it. IPv6 needs no setting for that: a neighbour is only told of addresses of the
 * interface that was asked.
 */
export const directScript = (vips: readonly string[]): string =>
  [
    'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore',
    'echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce',
    ...vips.map((vip) => `ip addr replace ${vip}/${vip.includes(':') ? '128 nodad' : '32'} dev lo`),
  ].join('\n')

/** Port of the encapsulation in UDP (GUE), by convention. */
export const guePort = 6080

/**
 * As for direct routing, and the kernel's fallback devices up, which take packets out of any tunnel to this host: IPv4 and
 * IPv6 in either, with and without GRE or GUE. ip6tnl0 takes no packet that comes from an address of its own host
 * (ip6_tnl_rcv_ctl): a director must not send from the VIP, see `raiseVips`.
 */
export const tunnelScript = (vips: readonly string[]): string =>
  [
    directScript(vips),
    'ip -6 tunnel change ip6tnl0 mode any',
    ...['tunl0', 'sit0', 'ip6tnl0', 'gre0', 'ip6gre0'].map((link) => `ip link set ${link} up`),
    `ip fou add port ${guePort} gue`,
    `ip -6 fou add port ${guePort} gue`,
    'for filter in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >"$filter"; done',
  ].join('\n')

/**
 * What an operator does on the director. A deprecated IPv6 address (no preferred lifetime) is not chosen as a source, which
 * for a tunnel it would be; IPv4 prefers the first address by itself.
 */
export const raiseVips = (vips: readonly string[]): string =>
  vips
    .map((vip) => `ip addr replace ${vip}/${vip.includes(':') ? '128 nodad preferred_lft 0' : '32'} dev e0`)
    .join('\n')
