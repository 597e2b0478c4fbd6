// The kernel's side of the IPVS codec: reads requests, writes answers. Source: ip_vs_genl_parse_* and ip_vs_genl_fill_*
// of net/netfilter/ipvs/ip_vs_ctl.c (Linux 6.1), in its order of attributes and, like it, without the NESTED bit.
import { AttributeReader, wordsOf } from '../../agent/kernel/attributes.ts'
import type { GenericRequest } from '../../agent/kernel/genl.ts'
import { NetlinkWriter } from '../../agent/kernel/netlink-writer.ts'
import { type Attribute, encodeAttributes, u32Attribute } from '../../agent/kernel/netlink.ts'
import { formatAddress, parseAddress } from '../../agent/kernel/ip-address.ts'
import type {
  IpvsDaemon,
  IpvsDaemonSettings,
  IpvsDestination,
  IpvsDestinationSettings,
  IpvsFamily,
  IpvsInfo,
  IpvsService,
  IpvsServiceId,
  IpvsServiceSettings,
  IpvsStats,
  IpvsTimeouts,
} from '../../agent/dataplane/ipvs/types.ts'

const u8 = (type: number, value: number): Attribute => ({ type, value: Buffer.from([value]) })
const u16 = (type: number, value: number): Attribute => ({ type, value: Buffer.from([value & 0xff, value >> 8]) })
const u16be = (type: number, value: number): Attribute => ({ type, value: Buffer.from([value >> 8, value & 0xff]) })
const u32 = u32Attribute
const u64 = (type: number, value: number): Attribute => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return { type, value: bytes }
}
const text = (type: number, value: string): Attribute => ({ type, value: Buffer.from(`${value}\0`, 'latin1') })
const nest = (type: number, inner: readonly Attribute[]): Attribute => ({ type, value: encodeAttributes(inner) })
const address = (type: number, family: IpvsFamily, value: string): Attribute => ({
  type,
  value: Buffer.concat([parseAddress(family, value), Buffer.alloc(12)]).subarray(0, 16),
})

const families: Readonly<Record<IpvsFamily, number>> = { ipv4: 2, ipv6: 10 }
const familyOf = (number: number): IpvsFamily => (number === 10 ? 'ipv6' : 'ipv4')
const protocols = { tcp: 6, udp: 17, sctp: 132 } as const
const forwardings = ['masq', 'local', 'tunnel', 'droute', 'bypass'] as const
const tunnels = ['ipip', 'gue', 'gre'] as const
const checksums = ['nocsum', 'csum', 'remcsum'] as const

const counters = (stats: IpvsStats): readonly number[] => [
  stats.connections,
  stats.inPackets,
  stats.outPackets,
  stats.inBytes,
  stats.outBytes,
  stats.connectionsPerSec,
  stats.inPacketsPerSec,
  stats.outPacketsPerSec,
  stats.inBytesPerSec,
  stats.outBytesPerSec,
]

/** The 32-bit counters, which wrap; bytes have 64 bits there too. */
const narrow = (stats: IpvsStats): Attribute[] =>
  counters(stats).map((value, i) => (i === 3 || i === 4 ? u64(i + 1, value) : u32(i + 1, value % 2 ** 32)))
const wide = (stats: IpvsStats): Attribute[] => counters(stats).map((value, i) => u64(i + 1, value))

/** The address and mask of a service without host bits, as four bytes or as a number. */
function netmask(family: IpvsFamily, prefixLength: number): Attribute {
  if (family === 'ipv6') return u32(9, prefixLength)
  const bits = '1'.repeat(prefixLength).padEnd(32, '0')
  return { type: 9, value: Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2))) }
}

const serviceId = (id: IpvsServiceId): Attribute[] =>
  'fwmark' in id
    ? [u16(1, families[id.family]), u32(5, id.fwmark)]
    : [
        u16(1, families[id.family]),
        u16(2, typeof id.protocol === 'number' ? id.protocol : protocols[id.protocol]),
        address(3, id.family, id.address),
        u16be(4, id.port),
      ]

export function serviceAnswer(service: IpvsService): Buffer {
  const { flags } = service
  const word = 2 | (flags.persistent ? 1 : 0) | (flags.onePacket ? 4 : 0) | (flags.schedulerBits << 3)
  const words = Buffer.alloc(8, 0xff)
  words.writeUInt32LE(word, 0)
  return encodeAttributes([
    nest(1, [
      ...serviceId(service.id),
      text(6, service.scheduler),
      ...(service.engine === null ? [] : [text(11, service.engine)]),
      { type: 7, value: words },
      u32(8, service.timeoutSec),
      // What is no prefix is answered as it was set; any mask with holes will do here.
      service.prefixLength === null
        ? { type: 9, value: Buffer.from([255, 0, 255, 0]) }
        : netmask(service.id.family, service.prefixLength),
      nest(10, narrow(service.stats)),
      nest(12, wide(service.stats)),
    ]),
  ])
}

export function destinationAnswer(destination: IpvsDestination): Buffer {
  const { id, tunnel } = destination
  const numberIn = (names: readonly string[], name: string): number => (name === 'unknown' ? 7 : names.indexOf(name))
  return encodeAttributes([
    nest(2, [
      address(1, id.family, id.address),
      u16be(2, id.port),
      u32(3, numberIn(forwardings, destination.forwarding)),
      u32(4, destination.weight),
      u8(13, numberIn(tunnels, tunnel.type)),
      u16be(14, tunnel.port),
      u16(15, numberIn(checksums, tunnel.checksum)),
      u32(5, destination.upperThreshold),
      u32(6, destination.lowerThreshold),
      u32(7, destination.activeConnections),
      u32(8, destination.inactiveConnections),
      u32(9, destination.persistentConnections),
      u16(11, families[id.family]),
      nest(10, narrow(destination.stats)),
      nest(12, wide(destination.stats)),
    ]),
  ])
}

export function daemonAnswer(daemon: IpvsDaemon): Buffer {
  const { group } = daemon
  return encodeAttributes([
    nest(3, [
      u32(1, daemon.state === 'master' ? 1 : 2),
      text(2, daemon.interface),
      u32(3, daemon.syncId),
      ...(daemon.maxLength === null ? [] : [u16(4, daemon.maxLength)]),
      ...(daemon.port === null ? [] : [u16(7, daemon.port)]),
      ...(daemon.ttl === null ? [] : [u8(8, daemon.ttl)]),
      ...(group === null
        ? []
        : group.includes(':')
          ? [{ type: 6, value: parseAddress('ipv6', group) }]
          : [{ type: 5, value: parseAddress('ipv4', group) }]),
    ]),
  ])
}

export const timeoutsAnswer = ({ tcpSec, tcpFinSec, udpSec }: IpvsTimeouts): Buffer =>
  encodeAttributes([
    ...(tcpSec === null || tcpFinSec === null ? [] : [u32(4, tcpSec), u32(5, tcpFinSec)]),
    ...(udpSec === null ? [] : [u32(6, udpSec)]),
  ])

export function infoAnswer({ version, connectionTableSize }: IpvsInfo): Buffer {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return encodeAttributes([u32(1, (major << 16) | (minor << 8) | patch), u32(2, connectionTableSize)])
}

/** What the kernel sees of a request behind the generic header. */
export function attributesOf(request: GenericRequest): Buffer {
  const writer = new NetlinkWriter()
  request.write?.(writer)
  return writer.copy()
}

/** The attributes of one of a request's nests; undefined where it has none. */
function nestOf(attributes: Buffer, type: number): AttributeReader | undefined {
  const top = new AttributeReader(6, 'request').over(wordsOf(attributes), 0, attributes.length)
  return top.nest(type, new AttributeReader(15, 'request'))
}

/** The service that a request names; null where it names none, or not fully (EINVAL). */
export function requestedId(attributes: Buffer): IpvsServiceId | null {
  const view = nestOf(attributes, 1)
  const number = view?.u16(1)
  if (view === undefined || number === undefined) return null
  const family = familyOf(number)
  const fwmark = view.u32(5)
  if (fwmark !== undefined) return { family, fwmark }
  const [protocol, bytes, port] = [view.u16(2), view.bytes(3, 16), view.u16be(4)]
  if (protocol === undefined || bytes === undefined || port === undefined) return null
  const name = Object.entries(protocols).find(([, one]) => one === protocol)?.[0] as keyof typeof protocols | undefined
  return { family, protocol: name ?? protocol, address: formatAddress(family, bytes), port }
}

/** A whole service; null where something is missing (EINVAL). `flags` of the service that is there already, or 0. */
export function requestedService(attributes: Buffer, oldFlags = 0): (IpvsServiceSettings & { word: number }) | null {
  const id = requestedId(attributes)
  const view = nestOf(attributes, 1)
  const [scheduler, flags, timeoutSec] = [view?.text(6), view?.bytes(7, 8), view?.u32(8)]
  if (view === undefined || id === null || scheduler === undefined || flags === undefined || timeoutSec === undefined)
    return null
  const mask = flags.readUInt32LE(4)
  const word = ((oldFlags & ~mask) | (flags.readUInt32LE(0) & mask)) >>> 0
  const v4 = view.u32be(9)
  if (v4 === undefined) return null
  const prefixLength = id.family === 'ipv6' ? view.u32(9)! : v4.toString(2).replace(/0*$/, '').length
  return {
    id,
    scheduler,
    flags: { persistent: (word & 1) !== 0, onePacket: (word & 4) !== 0, schedulerBits: (word >> 3) & 7 },
    timeoutSec,
    prefixLength: v4 === 0 ? 0 : prefixLength,
    engine: view.text(11) ?? null,
    word,
  }
}

/** A whole real server; null where something is missing (EINVAL). What may be missing is 0, as in the kernel. */
export function requestedDestination(attributes: Buffer, serviceFamily: IpvsFamily): IpvsDestinationSettings | null {
  const id = requestedDestinationId(attributes, serviceFamily)
  const view = nestOf(attributes, 2)
  const [forwarding, weight, upperThreshold, lowerThreshold] = [3, 4, 5, 6].map((type) => view?.u32(type))
  if (view === undefined || id === null) return null
  if (forwarding === undefined || weight === undefined) return null
  if (upperThreshold === undefined || lowerThreshold === undefined) return null
  return {
    id,
    forwarding: forwardings[forwarding & 7] ?? 'masq',
    weight,
    upperThreshold,
    lowerThreshold,
    tunnel: {
      type: tunnels[view.u8(13) ?? 0] ?? 'ipip',
      port: view.u16be(14) ?? 0,
      checksum: checksums[view.u16(15) ?? 0] ?? 'nocsum',
    },
  }
}

export function requestedDestinationId(
  attributes: Buffer,
  serviceFamily: IpvsFamily,
): IpvsDestinationSettings['id'] | null {
  const view = nestOf(attributes, 2)
  const [bytes, port] = [view?.bytes(1, 16), view?.u16be(2)]
  if (view === undefined || bytes === undefined || port === undefined) return null
  const number = view.u16(11) ?? 0
  const family = number === 0 ? serviceFamily : familyOf(number)
  return { family, address: formatAddress(family, bytes), port }
}

/** Null where something is missing (EINVAL). To stop a daemon its state is enough. */
export function requestedDaemon(
  attributes: Buffer,
): (Partial<IpvsDaemonSettings> & { state: IpvsDaemon['state'] }) | null {
  const view = nestOf(attributes, 3)
  const state = view?.u32(1)
  if (view === undefined || state === undefined) return null
  const [group, group6] = [view.bytes(5, 4), view.bytes(6, 16)]
  return {
    state: state === 1 ? 'master' : 'backup',
    interface: view.text(2),
    syncId: view.u32(3),
    maxLength: view.u16(4),
    group: group6 ? formatAddress('ipv6', group6) : group && formatAddress('ipv4', group),
    port: view.u16(7),
    ttl: view.u8(8),
  } as Partial<IpvsDaemonSettings> & { state: IpvsDaemon['state'] }
}
