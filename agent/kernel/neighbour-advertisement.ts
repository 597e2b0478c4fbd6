// Tells an IPv6 network where an address lives now. Source: RFC 4861 §4.4, §7.2.6 (unsolicited advertisements).
import { addressBytes } from './ip-address.ts'
import { type EthernetInterface, openPacketSocket, packetAddress } from './packet-socket.ts'
import { parseMac } from './route.ts'
import { closeFd, sendTo } from './syscall.ts'

const protocolIpv6 = 0x86dd
const nextHeaderIcmp = 58
const typeAdvertisement = 136
const flagOverride = 0x20
const optionTargetLinkAddress = 2
const allNodes = 'ff02::1'
const allNodesMac = '33:33:00:00:00:01'
const ipHeaderSize = 40
const icmpSize = 32

/** The whole IPv6 packet: from the address itself to all nodes of the link, overriding what they knew. */
export function encodeAdvertisement(address: string, mac: string): Buffer {
  const packet = Buffer.alloc(ipHeaderSize + icmpSize)
  packet.writeUInt8(0x60, 0)
  packet.writeUInt16BE(icmpSize, 4)
  packet.writeUInt8(nextHeaderIcmp, 6)
  // RFC 4861 §7.1.2: anything less has passed a router and is dropped.
  packet.writeUInt8(255, 7)
  addressBytes(address).copy(packet, 8)
  addressBytes(allNodes).copy(packet, 24)
  const icmp = packet.subarray(ipHeaderSize)
  icmp.writeUInt8(typeAdvertisement, 0)
  icmp.writeUInt8(flagOverride, 4)
  addressBytes(address).copy(icmp, 8)
  icmp.writeUInt8(optionTargetLinkAddress, 24)
  // In units of 8 bytes.
  icmp.writeUInt8(1, 25)
  parseMac(mac).copy(icmp, 26)
  icmp.writeUInt16BE(icmpChecksum(packet.subarray(8, 40), icmp), 2)
  return packet
}

/** RFC 4443 §2.3: over the pseudo-header (addresses, length, next header) and the message with a checksum of 0. */
function icmpChecksum(addresses: Buffer, message: Buffer): number {
  let sum = message.length + nextHeaderIcmp
  for (const part of [addresses, message]) {
    for (let at = 0; at < part.length; at += 2) sum += part.readUInt16BE(at)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** Three times, since nobody confirms it (MAX_NEIGHBOR_ADVERTISEMENT of RFC 4861 §10). */
export function advertiseAddress(at: EthernetInterface, address: string): void {
  const fd = openPacketSocket(protocolIpv6, at.index, 'neighbour discovery')
  try {
    const packet = encodeAdvertisement(address, at.mac)
    for (let times = 0; times < 3; times++) {
      sendTo(fd, packet, packetAddress(protocolIpv6, at.index, allNodesMac), `announcing ${address}`)
    }
  } finally {
    closeFd(fd)
  }
}
