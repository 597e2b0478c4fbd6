// ARP by a packet socket: telling a network where an address lives now, and asking who answers for it.
// Source: RFC 826, RFC 5227 (probe: sender address 0.0.0.0), packet(7).
import { ByteReader, MalformedError } from './bytes.ts'
import { type EthernetInterface, openPacketSocket, packetAddress } from './packet-socket.ts'
import { formatIpv4, formatMac, parseIpv4, parseMac } from './route.ts'
import { closeFd, onReadable, receive, sendTo } from './syscall.ts'

const protocolArp = 0x0806
const operation = { request: 1, reply: 2 } as const
const packetSize = 28
const broadcast = 'ff:ff:ff:ff:ff:ff'
const nobody = '00:00:00:00:00:00'

export interface ArpPacket {
  readonly operation: number
  readonly senderMac: string
  readonly senderAddress: string
  readonly targetMac: string
  readonly targetAddress: string
}

export function encodeArp(packet: ArpPacket): Buffer {
  const bytes = Buffer.alloc(packetSize)
  bytes.writeUInt16BE(1, 0) // Ethernet
  bytes.writeUInt16BE(0x0800, 2)
  bytes.writeUInt8(6, 4)
  bytes.writeUInt8(4, 5)
  bytes.writeUInt16BE(packet.operation, 6)
  parseMac(packet.senderMac).copy(bytes, 8)
  parseIpv4(packet.senderAddress).copy(bytes, 14)
  parseMac(packet.targetMac).copy(bytes, 18)
  parseIpv4(packet.targetAddress).copy(bytes, 24)
  return bytes
}

/** Null for ARP of another kind of network. Throws MalformedError where it is cut off. */
export function decodeArp(bytes: Buffer): ArpPacket | null {
  const reader = new ByteReader(bytes, 'ARP packet')
  const packet = reader.slice(0, packetSize)
  const isEthernetIpv4 = packet.readUInt16BE(0) === 1 && packet.readUInt16BE(2) === 0x0800
  if (!isEthernetIpv4 || packet[4] !== 6 || packet[5] !== 4) return null
  return {
    operation: packet.readUInt16BE(6),
    senderMac: formatMac(packet.subarray(8, 14)),
    senderAddress: formatIpv4(packet.subarray(14, 18)),
    targetMac: formatMac(packet.subarray(18, 24)),
    targetAddress: formatIpv4(packet.subarray(24, 28)),
  }
}

/**
 * Tells everybody on the network that the address is at this interface now: a request and a reply for it, since some
 * hosts learn from one kind only.
 */
export function announceAddress(at: EthernetInterface, address: string): void {
  const fd = openPacketSocket(protocolArp, at.index, 'ARP')
  try {
    for (const kind of [operation.request, operation.reply]) {
      const packet = encodeArp({
        operation: kind,
        senderMac: at.mac,
        senderAddress: address,
        targetMac: kind === operation.reply ? broadcast : nobody,
        targetAddress: address,
      })
      sendTo(fd, packet, packetAddress(protocolArp, at.index, broadcast), `announcing ${address}`)
    }
  } finally {
    closeFd(fd)
  }
}

/**
 * Asks who answers for an address and waits the whole time, since two may answer. Sends three requests, the sender's
 * address being 0.0.0.0, so that nobody learns anything from them. Own answers do not come back: the kernel answers
 * frames from outside only. Gives MAC addresses in the order of their answers.
 */
export function probeAddress(at: EthernetInterface, address: string, waitMs: number): Promise<string[]> {
  const fd = openPacketSocket(protocolArp, at.index, 'ARP')
  const request = encodeArp({
    operation: operation.request,
    senderMac: at.mac,
    senderAddress: '0.0.0.0',
    targetMac: nobody,
    targetAddress: address,
  })
  const answers = new Set<string>()
  const room = Buffer.alloc(2048)
  const stop = onReadable(fd, () => {
    for (let datagram = receiveArp(fd, room); datagram !== null; datagram = receiveArp(fd, room)) {
      const packet = datagram.packet
      if (packet?.operation === operation.reply && packet.senderAddress === address) answers.add(packet.senderMac)
    }
  })
  return new Promise((resolve, reject) => {
    let failure: unknown
    const ask = (): void => {
      try {
        sendTo(fd, request, packetAddress(protocolArp, at.index, broadcast), `asking for ${address}`)
      } catch (error) {
        failure = error
      }
    }
    ask()
    const timers = [setTimeout(ask, waitMs / 3), setTimeout(ask, (waitMs * 2) / 3)]
    setTimeout(() => {
      for (const timer of timers) clearTimeout(timer)
      stop()
      closeFd(fd)
      if (failure === undefined) resolve([...answers])
      else reject(failure instanceof Error ? failure : new Error('asking failed', { cause: failure }))
    }, waitMs)
  })
}

/** Null where nothing waits; `packet` is null for what is no ARP of ours to read. */
function receiveArp(fd: number, room: Buffer): { packet: ArpPacket | null } | null {
  const datagram = receive(fd, room, 'ARP')
  if (datagram === null) return null
  try {
    return { packet: decodeArp(datagram) }
  } catch (error) {
    if (error instanceof MalformedError) return { packet: null }
    throw error
  }
}
