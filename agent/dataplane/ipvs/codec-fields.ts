// What services, real servers and daemons share on the wire. Port and address are in network order, everything else is
// in the host's, which is little-endian on every machine that the agent runs on.
import { AttributeReader } from '../../kernel/attributes.ts'
import { MalformedError } from '../../kernel/bytes.ts'
import { formatAddress, formatIpv4Number, parseAddress, parseIpv4Number } from '../../kernel/ip-address.ts'
import type { NetlinkWriter } from '../../kernel/netlink-writer.ts'
import { addressSize, familyNumber, largestStatsAttribute, statsAttribute } from './constants.ts'
import type { IpvsFamily, IpvsStats } from './types.ts'

/** The value of an attribute that every answer has. */
export function present<T>(value: T | undefined, what: string, name: string): T {
  if (value === undefined) throw new MalformedError(what, `no ${name}`)
  return value
}

/** Numbers to names, for decoding. */
export function namesOf<N extends string>(numbers: Readonly<Record<N, number>>): ReadonlyMap<number, N> {
  return new Map((Object.entries(numbers) as [N, number][]).map(([name, number]) => [number, name]))
}

const familyNames = namesOf(familyNumber)

export function familyOf(number: number, what: string): IpvsFamily {
  const family = familyNames.get(number)
  if (family === undefined) throw new MalformedError(what, `address family ${number}, expected 2 or 10`)
  return family
}

/** union nf_inet_addr: 16 bytes in network order, an IPv4 address in the first four. */
export function writeAddress(writer: NetlinkWriter, type: number, family: IpvsFamily, address: string): void {
  if (family === 'ipv4') writer.u32be(type, parseIpv4Number(address), addressSize)
  else writer.bytes(type, parseAddress(family, address))
}

export function readAddress(reader: AttributeReader, type: number, family: IpvsFamily, what: string): string {
  if (family === 'ipv4') return formatIpv4Number(present(reader.u32be(type, addressSize), what, 'address'))
  return formatAddress(family, present(reader.bytes(type, addressSize), what, 'address'))
}

const statsReader = new AttributeReader(largestStatsAttribute, 'IPVS counters')

/** STATS64 where it is there (4.1 and newer); the 32 bits of STATS wrap, but for its bytes. */
export function readStats(reader: AttributeReader, types: { stats: number; stats64: number }, what: string): IpvsStats {
  const isWide = reader.has(types.stats64)
  const stats = present(reader.nest(isWide ? types.stats64 : types.stats, statsReader), what, 'counters')
  const wide = (type: number): number => present(stats.u64(type), what, 'counter')
  const short = isWide ? wide : (type: number): number => present(stats.u32(type), what, 'counter')
  return {
    connections: short(statsAttribute.connections),
    inPackets: short(statsAttribute.inPackets),
    outPackets: short(statsAttribute.outPackets),
    inBytes: wide(statsAttribute.inBytes),
    outBytes: wide(statsAttribute.outBytes),
    connectionsPerSec: short(statsAttribute.connectionsPerSec),
    inPacketsPerSec: short(statsAttribute.inPacketsPerSec),
    outPacketsPerSec: short(statsAttribute.outPacketsPerSec),
    inBytesPerSec: short(statsAttribute.inBytesPerSec),
    outBytesPerSec: short(statsAttribute.outBytesPerSec),
  }
}
