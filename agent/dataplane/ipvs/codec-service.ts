// Virtual services on the wire. Source: ip_vs_genl_parse_service and ip_vs_genl_fill_service of
// net/netfilter/ipvs/ip_vs_ctl.c, checked against the recorded answers in test/fixtures/ipvs.
import { AttributeReader } from '../../kernel/attributes.ts'
import { MalformedError } from '../../kernel/bytes.ts'
import type { NetlinkWriter } from '../../kernel/netlink-writer.ts'
import { familyOf, namesOf, present, readAddress, readStats, writeAddress } from './codec-fields.ts'
import {
  familyNumber,
  largestServiceAttribute,
  largestTopAttribute,
  longestText,
  ownServiceFlags,
  protocolNumber,
  schedulerBitsShift,
  serviceAttribute,
  serviceFlag,
  topAttribute,
} from './constants.ts'
import type {
  IpvsFamily,
  IpvsProtocol,
  IpvsService,
  IpvsServiceFlags,
  IpvsServiceId,
  IpvsServiceSettings,
} from './types.ts'

const what = 'IPVS service'
const protocolNames = namesOf(protocolNumber)

const numberOf = (protocol: IpvsProtocol): number =>
  typeof protocol === 'number' ? protocol : protocolNumber[protocol]

function writeId(writer: NetlinkWriter, id: IpvsServiceId): void {
  writer.u16(serviceAttribute.family, familyNumber[id.family])
  if ('fwmark' in id) {
    writer.u32(serviceAttribute.fwmark, id.fwmark)
    return
  }
  writer.u16(serviceAttribute.protocol, numberOf(id.protocol))
  writeAddress(writer, serviceAttribute.address, id.family, id.address)
  writer.u16be(serviceAttribute.port, id.port)
}

/** struct ip_vs_flags: the flags, and a mask of those that count. */
function flagWords(flags: IpvsServiceFlags): Buffer {
  const scheduler = flags.schedulerBits << schedulerBitsShift
  if ((scheduler & ~serviceFlag.schedulerBits) !== 0) {
    throw new MalformedError(what, `scheduler bits ${flags.schedulerBits}, expected 0 to 7`)
  }
  const words = Buffer.alloc(8)
  words.writeUInt32LE(
    (flags.persistent ? serviceFlag.persistent : 0) | (flags.onePacket ? serviceFlag.onePacket : 0) | scheduler,
    0,
  )
  words.writeUInt32LE(ownServiceFlags, 4)
  return words
}

/** An IPv4 mask in network order, but the bare prefix length for IPv6 in the host's. */
function writeNetmask(writer: NetlinkWriter, family: IpvsFamily, prefixLength: number): void {
  const most = family === 'ipv4' ? 32 : 128
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > most) {
    throw new MalformedError(what, `prefix length ${prefixLength}, expected 0 to ${most}`)
  }
  if (family === 'ipv6') writer.u32(serviceAttribute.netmask, prefixLength)
  else writer.u32be(serviceAttribute.netmask, prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0)
}

function readPrefixLength(reader: AttributeReader, family: IpvsFamily): number | null {
  if (family === 'ipv6') return present(reader.u32(serviceAttribute.netmask), what, 'prefix length')
  const mask = present(reader.u32be(serviceAttribute.netmask), what, 'mask')
  const holes = ~mask >>> 0
  // A prefix leaves a run of ones at the end: one more than that is a power of two.
  return (holes & (holes + 1)) === 0 ? Math.clz32(holes) : null
}

/** Names a service, for requests about one and about its real servers. */
export function writeServiceId(writer: NetlinkWriter, id: IpvsServiceId): void {
  if (id === lastWritten.id) {
    writer.repeat(lastWritten.words)
    return
  }
  const nest = writer.beginNest()
  writeId(writer, id)
  writer.endNest(nest, topAttribute.service)
  lastWritten = { id, words: writer.wordsFrom(nest) }
}

/** The real servers of one service follow each other, and each names it by the same object. */
let lastWritten: { readonly id: IpvsServiceId | null; readonly words: Uint32Array } = {
  id: null,
  words: new Uint32Array(0),
}

export function writeService(writer: NetlinkWriter, service: IpvsServiceSettings): void {
  writer.nest(topAttribute.service, (inner) => {
    writeId(inner, service.id)
    inner.text(serviceAttribute.scheduler, service.scheduler, longestText.scheduler)
    inner.bytes(serviceAttribute.flags, flagWords(service.flags))
    inner.u32(serviceAttribute.timeout, service.timeoutSec)
    writeNetmask(inner, service.id.family, service.prefixLength)
    if (service.engine !== null) inner.text(serviceAttribute.engine, service.engine, longestText.engine)
  })
}

function readId(reader: AttributeReader): IpvsServiceId {
  const family = familyOf(present(reader.u16(serviceAttribute.family), what, 'address family'), what)
  const fwmark = reader.u32(serviceAttribute.fwmark)
  if (fwmark !== undefined && fwmark !== 0) return { family, fwmark }
  const protocol = present(reader.u16(serviceAttribute.protocol), what, 'protocol')
  return {
    family,
    protocol: protocolNames.get(protocol) ?? protocol,
    address: readAddress(reader, serviceAttribute.address, family, what),
    port: present(reader.u16be(serviceAttribute.port), what, 'port'),
  }
}

function readFlags(reader: AttributeReader): IpvsServiceFlags {
  const flags = present(reader.bytes(serviceAttribute.flags, 8), what, 'flags').readUInt32LE(0)
  return {
    persistent: (flags & serviceFlag.persistent) !== 0,
    onePacket: (flags & serviceFlag.onePacket) !== 0,
    schedulerBits: (flags & serviceFlag.schedulerBits) >> schedulerBitsShift,
  }
}

const topReader = new AttributeReader(largestTopAttribute, what)
const serviceReader = new AttributeReader(largestServiceAttribute, what)

/** One answer to GET_SERVICE; its attributes are between `start` and `end`. */
export function decodeService(words: Uint32Array, start: number, end: number): IpvsService {
  const reader = present(topReader.over(words, start, end).nest(topAttribute.service, serviceReader), what, 'service')
  const id = readId(reader)
  return {
    id,
    scheduler: present(reader.text(serviceAttribute.scheduler), what, 'scheduler'),
    flags: readFlags(reader),
    timeoutSec: present(reader.u32(serviceAttribute.timeout), what, 'timeout'),
    prefixLength: readPrefixLength(reader, id.family),
    engine: reader.text(serviceAttribute.engine) ?? null,
    stats: readStats(reader, serviceAttribute, what),
  }
}
