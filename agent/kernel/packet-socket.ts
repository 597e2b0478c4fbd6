// What ARP and neighbour discovery share: frames of one protocol through a packet socket. Source: packet(7).
import { parseMac } from './route.ts'
import { family, openSocket, socketType } from './syscall.ts'

/** An Ethernet interface, as frames need it. */
export interface EthernetInterface {
  readonly index: number
  readonly mac: string
}

/** struct sockaddr_ll: family, protocol (network order), ifindex, hatype, pkttype, halen, address. */
export function packetAddress(protocol: number, ifindex: number, mac: string | null): Buffer {
  const address = Buffer.alloc(20)
  address.writeUInt16LE(family.packet, 0)
  address.writeUInt16BE(protocol, 2)
  address.writeInt32LE(ifindex, 4)
  if (mac !== null) {
    address.writeUInt8(6, 11)
    parseMac(mac).copy(address, 12)
  }
  return address
}

/** htons, as socket(2) wants the protocol of a packet socket. */
const networkOrder16 = (value: number): number => ((value & 0xff) << 8) | (value >>> 8)

/** The kernel adds and takes off the Ethernet header. */
export function openPacketSocket(protocol: number, ifindex: number, what: string): number {
  const address = packetAddress(protocol, ifindex, null)
  return openSocket(family.packet, socketType.datagram, networkOrder16(protocol), address, what)
}
