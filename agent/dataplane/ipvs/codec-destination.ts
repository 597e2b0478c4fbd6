// Real servers on the wire. Source: ip_vs_genl_parse_dest and ip_vs_genl_dump_dest of net/netfilter/ipvs/ip_vs_ctl.c,
// checked against the recorded answers in test/fixtures/ipvs.
import { AttributeReader } from '../../kernel/attributes.ts'
import type { NetlinkWriter } from '../../kernel/netlink-writer.ts'
import { familyOf, namesOf, present, readAddress, readStats, writeAddress } from './codec-fields.ts'
import {
  checksumNumber,
  destinationAttribute,
  familyNumber,
  forwardingMask,
  forwardingNumber,
  largestDestinationAttribute,
  largestTopAttribute,
  topAttribute,
  tunnelNumber,
} from './constants.ts'
import type { IpvsDestination, IpvsDestinationId, IpvsDestinationSettings, IpvsFamily } from './types.ts'

const what = 'IPVS real server'
const forwardingNames = namesOf(forwardingNumber)
const tunnelNames = namesOf(tunnelNumber)
const checksumNames = namesOf(checksumNumber)

function writeId(writer: NetlinkWriter, id: IpvsDestinationId): void {
  writer.u16(destinationAttribute.family, familyNumber[id.family])
  writeAddress(writer, destinationAttribute.address, id.family, id.address)
  writer.u16be(destinationAttribute.port, id.port)
}

/** Names a real server, to delete it. */
export function writeDestinationId(writer: NetlinkWriter, id: IpvsDestinationId): void {
  writer.nest(topAttribute.destination, (inner) => writeId(inner, id))
}

/** Writes every attribute, always: see {@link IpvsDestinationSettings}. */
export function writeDestination(writer: NetlinkWriter, destination: IpvsDestinationSettings): void {
  const nest = writer.beginNest()
  writeId(writer, destination.id)
  writer.u32(destinationAttribute.forwarding, forwardingNumber[destination.forwarding])
  writer.u32(destinationAttribute.weight, destination.weight)
  writer.u32(destinationAttribute.upperThreshold, destination.upperThreshold)
  writer.u32(destinationAttribute.lowerThreshold, destination.lowerThreshold)
  writer.u8(destinationAttribute.tunnelType, tunnelNumber[destination.tunnel.type])
  writer.u16be(destinationAttribute.tunnelPort, destination.tunnel.port)
  writer.u16(destinationAttribute.tunnelFlags, checksumNumber[destination.tunnel.checksum])
  writer.endNest(nest, topAttribute.destination)
}

const topReader = new AttributeReader(largestTopAttribute, what)
const destinationReader = new AttributeReader(largestDestinationAttribute, what)

/**
 * One answer to GET_DEST; its attributes are between `start` and `end`. `serviceFamily` counts where the kernel is too old
 * (before 3.18) to say the real server's own.
 */
export function decodeDestination(
  words: Uint32Array,
  start: number,
  end: number,
  serviceFamily: IpvsFamily,
): IpvsDestination {
  const nest = topReader.over(words, start, end).nest(topAttribute.destination, destinationReader)
  const reader = present(nest, what, 'real server')
  const ownFamily = reader.u16(destinationAttribute.family) ?? 0
  const family = ownFamily === 0 ? serviceFamily : familyOf(ownFamily, what)
  const u32 = (name: keyof typeof destinationAttribute): number =>
    present(reader.u32(destinationAttribute[name]), what, name)
  return {
    id: {
      family,
      address: readAddress(reader, destinationAttribute.address, family, what),
      port: present(reader.u16be(destinationAttribute.port), what, 'port'),
    },
    forwarding: forwardingNames.get(u32('forwarding') & forwardingMask) ?? 'unknown',
    weight: u32('weight'),
    upperThreshold: u32('upperThreshold'),
    lowerThreshold: u32('lowerThreshold'),
    tunnel: {
      // Kernels before 5.2 know IPIP alone and do not tell.
      type: tunnelNames.get(reader.u8(destinationAttribute.tunnelType) ?? 0) ?? 'unknown',
      port: reader.u16be(destinationAttribute.tunnelPort) ?? 0,
      checksum: checksumNames.get(reader.u16(destinationAttribute.tunnelFlags) ?? 0) ?? 'unknown',
    },
    activeConnections: u32('activeConnections'),
    inactiveConnections: u32('inactiveConnections'),
    persistentConnections: u32('persistentConnections'),
    stats: readStats(reader, destinationAttribute, what),
  }
}
