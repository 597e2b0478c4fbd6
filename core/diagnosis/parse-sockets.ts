import ipaddr from 'ipaddr.js'
import type { HostFacts } from './facts.ts'

/** A listening socket as read. `bytes` as printed by /proc, not yet in network order; null where `ss` named it. */
export interface Socket {
  readonly words: readonly string[] | null
  readonly address: string
  readonly port: number
}

/** A line of /proc/net/tcp or tcp6: `0: 0B00020A:0050 00000000:0000 0A …`. */
export function parseProcSocket(text: string, bytes: 4 | 16): Socket | null {
  const match = /^\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:0000 0A /.exec(`${text} `)
  const address = match?.[1]
  if (address === undefined || address.length !== bytes * 2) return null
  return { words: address.match(/.{8}/g), address: '', port: Number.parseInt(match?.[2] as string, 16) }
}

/** A line of `ss -Hltn`: `LISTEN 0 128 [::]:80 [::]:*`. `*` is a socket of both families. */
export function parseSsLine(text: string): Socket | null {
  const local = text.split(/\s+/)[3]
  const match = local === undefined ? null : /^(.+):(\d{1,5})$/.exec(local)
  if (match === null) return null
  return { words: null, address: (match[1] as string).replace(/^\[|\]$/g, ''), port: Number(match[2]) }
}

const bigEndianMachines = /^(s390|s390x|ppc|ppc64|mips|mips64|sparc|sparc64|m68k)$/

/**
 * Addresses as people write them; `*` where every IPv4 address is meant. /proc does not say whether a socket on `::`
 * takes IPv4 too: `ss` does, and without it the system's default is taken.
 */
export function settleListeners(
  sockets: readonly Socket[],
  ss: readonly Socket[] | null,
  bindV6Only: string | undefined,
  machine: string,
): NonNullable<HostFacts['listeners']> {
  const isBigEndian = bigEndianMachines.test(machine)
  return sockets.map(({ words, port }) => {
    // The kernel prints each 32-bit word in the machine's byte order.
    const bytes = (words ?? []).flatMap((word) => {
      const pairs = (word.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
      return isBigEndian ? pairs : pairs.reverse()
    })
    const parsed = ipaddr.fromByteArray(bytes)
    const address = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed
    if (bytes.some((byte) => byte !== 0)) return { address: address.toString(), port }
    if (bytes.length === 4) return { address: '*', port }
    const takesIpv4 =
      ss === null ? bindV6Only === '0' : ss.some((socket) => socket.port === port && socket.address === '*')
    return { address: takesIpv4 ? '*' : '::', port }
  })
}
