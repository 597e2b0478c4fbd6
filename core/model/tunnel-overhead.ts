import type { IpFamily } from './address.ts'
import type { Tunnel } from './service.ts'

const outerHeader = { ipv4: 20, ipv6: 40 } as const satisfies Record<IpFamily, number>
const udpHeader = 8
const greHeader = 4
const greChecksum = 4
const gueHeader = 4
/** Private flags and the two offsets of remote checksum offload. */
const gueRemoteChecksum = 8

/**
 * Bytes that a tunnel puts in front of each packet. Source: ipvs_gue_encap and ipvs_gre_encap in
 * net/netfilter/ipvs/ip_vs_xmit.c.
 */
export function tunnelOverhead({ type, checksum }: Pick<Tunnel, 'type' | 'checksum'>, outer: IpFamily): number {
  switch (type) {
    case 'ipip':
      return outerHeader[outer]
    case 'gue':
      return outerHeader[outer] + udpHeader + gueHeader + (checksum === 'remcsum' ? gueRemoteChecksum : 0)
    case 'gre':
      return outerHeader[outer] + greHeader + (checksum === 'csum' ? greChecksum : 0)
  }
}
