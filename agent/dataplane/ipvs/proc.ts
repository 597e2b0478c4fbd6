// What IPVS tells in files and not over netlink: connections, totals, sizes. All parsers are pure.
// Source: ip_vs_conn_seq_show of net/netfilter/ipvs/ip_vs_conn.c, ip_vs_stats_show of ip_vs_ctl.c (Linux 6.1).
import { MalformedError } from '../../kernel/bytes.ts'
import { formatAddress } from '../../kernel/ip-address.ts'
import type { IpvsFamily, IpvsStats } from './types.ts'

/** One end of a connection. */
export interface IpvsEndpoint {
  readonly family: IpvsFamily
  readonly address: string
  readonly port: number
}

export interface IpvsConnection {
  /** Lower case: `tcp`, `udp`, `sctp`, `icmp`; `ip` in a template of a service by fwmark; `ip_50` for the number 50. */
  readonly protocol: string
  /** In a template the client's network by the service's prefix, with port 0. */
  readonly client: IpvsEndpoint
  /** Null in a template of a service by fwmark, which has no address. Port 0: all ports. */
  readonly virtual: IpvsEndpoint | null
  readonly fwmark: number | null
  readonly realServer: IpvsEndpoint
  /** The kernel's word; of a template `NONE` or `ASSURED`. */
  readonly state: string
  /** Keeps a client on its real server (persistence); no connection by itself. */
  readonly isTemplate: boolean
  readonly expiresSec: number
  /** What a persistence engine keeps, e.g. a SIP Call-ID. */
  readonly engine: { readonly name: string; readonly data: string } | null
}

const connectionsFile = '/proc/net/ip_vs_conn'
const hex = (pattern: number): string => `[0-9A-Fa-f]{${pattern}}`
const address = `(?:${hex(8)}|(?:${hex(4)}:){7}${hex(4)})`
const row = new RegExp(
  `^([A-Za-z0-9_]+) +(${address}) (${hex(4)}) (${address}) (${hex(4)}) (${address}) (${hex(4)}) (\\S+) +(\\d+)(?: (\\S+) (.*))?$`,
)

/** `C0000201` (in the host's order, as a number) or eight full groups. */
function endpointOf(text: string, port: string): IpvsEndpoint {
  const family = text.length === 8 ? 'ipv4' : 'ipv6'
  const bytes = Buffer.from(text.replaceAll(':', ''), 'hex')
  return { family, address: formatAddress(family, bytes), port: Number.parseInt(port, 16) }
}

export function parseConnection(line: string): IpvsConnection {
  const match = row.exec(line)
  if (match === null) throw new MalformedError(connectionsFile, `the line ${JSON.stringify(line.slice(0, 200))}`)
  // The row has eleven groups; the last two are there together or not at all.
  const [protocol, from, fromPort, to, toPort, dest, destPort, state, expires, engine, data] = match.slice(1) as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string | undefined,
    string | undefined,
  ]
  const isByMark = protocol === 'IP'
  return {
    protocol: protocol.toLowerCase(),
    client: endpointOf(from, fromPort),
    virtual: isByMark ? null : endpointOf(to, toPort),
    // The mark stands where the first 32 bits of the address would.
    fwmark: isByMark ? Number.parseInt(to.replaceAll(':', '').slice(0, 8), 16) : null,
    realServer: endpointOf(dest, destPort),
    state,
    // A data connection of FTP has client port 0 too, until its first packet, but then the state LISTEN.
    isTemplate: Number.parseInt(fromPort, 16) === 0 && (state === 'NONE' || state === 'ASSURED'),
    expiresSec: Number(expires),
    engine: engine === undefined ? null : { name: engine, data: data ?? '' },
  }
}

/** The lines of the table without its header and the empty end; whoever filters by text need not parse the rest. */
export function connectionLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('Pro '))
}

/** Sums over all services of the network namespace, from /proc/net/ip_vs_stats: hexadecimal, two rows of five. */
export function parseTotals(text: string): IpvsStats {
  const numbers = text
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .filter((words) => words.length === 5 && words.every((word) => /^[0-9A-F]+$/.test(word)))
    .map((words) => words.map((word) => Number.parseInt(word, 16)) as [number, number, number, number, number])
  const [totals, rates] = numbers
  if (totals === undefined || rates === undefined || numbers.length !== 2) {
    throw new MalformedError('/proc/net/ip_vs_stats', `${numbers.length} rows of five hexadecimal numbers, expected 2`)
  }
  return {
    connections: totals[0],
    inPackets: totals[1],
    outPackets: totals[2],
    inBytes: totals[3],
    outBytes: totals[4],
    connectionsPerSec: rates[0],
    inPacketsPerSec: rates[1],
    outPacketsPerSec: rates[2],
    inBytesPerSec: rates[3],
    outBytesPerSec: rates[4],
  }
}

/** The module's parameter conn_tab_bits: the connection table has 2 to this many buckets. */
export function parseConnTabBits(text: string): number {
  const bits = Number(text.trim())
  if (/^\d+\n?$/.test(text) && bits >= 1 && bits <= 30) return bits
  throw new MalformedError('conn_tab_bits', `${JSON.stringify(text.slice(0, 40))}, expected a number of bits`)
}

/** Settings that this kernel has, from the file names of /proc/sys/net/ipv4/vs: by looking, never by version. */
export function sysctlsIn(fileNames: readonly string[]): string[] {
  return fileNames.filter((name) => /^[a-z0-9_]+$/.test(name)).toSorted()
}

/** A setting's value: the kernel separates the numbers of a vector with tabs. */
export const parseSysctl = (text: string): string => text.trim().replaceAll(/\s+/g, ' ')
