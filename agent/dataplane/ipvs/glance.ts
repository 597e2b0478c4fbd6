// A service's real servers as the kernel's older interface tells them: two calls that fill a struct and an array, a fifth
// of what the netlink dump of the same costs. It knows IPv4 alone, no tunnels, and counters of 32 bits, so nothing is read
// from it but whether anything has changed. Source: struct ip_vs_service_entry and ip_vs_get_dests of
// include/uapi/linux/ip_vs.h, do_ip_vs_get_ctl of net/netfilter/ipvs/ip_vs_ctl.c.
import { isErrno } from '../../kernel/errno.ts'
import { parseIpv4Number } from '../../kernel/ip-address.ts'
import { askSocket, closeFd, family, openUnboundSocket, socketType } from '../../kernel/syscall.ts'
import { protocolNumber } from './constants.ts'
import type { IpvsDestination, IpvsServiceId } from './types.ts'

/** SOL_IP */
const level = 0
/** IP_VS_SO_GET_SERVICE and IP_VS_SO_GET_DESTS: IP_VS_BASE_CTL (64 + 1024 + 64) and 3, 4. */
const question = { service: 1155, destinations: 1156 } as const
/** Protocol, address, port and mark come first in both structs. */
const place = { protocol: 0, address: 4, port: 8, fwmark: 12 } as const
const serviceSize = 104
const serviceCount = 44
const listHeader = { size: 24, room: 16 } as const
const entrySize = 96

/** The kernel's real servers, byte by byte. */
export interface Glances {
  /**
   * What the kernel tells of this service, to be compared with what it told before; null where it does not tell it.
   * Overwritten by the next call.
   */
  at(id: IpvsServiceId): Buffer | null
  close(): void
}

/**
 * Whether a glance tells all there is of these: beyond their number, the kernel passes over those of another family, and
 * it says nothing of tunnels.
 */
export const isTold = (id: IpvsServiceId, destinations: readonly IpvsDestination[]): boolean =>
  id.family === 'ipv4' && destinations.every((one) => one.forwarding !== 'tunnel' && one.id.family === 'ipv4')

/** Null where this host has no IPv4. */
export function openGlances(): Glances | null {
  let fd: number
  try {
    fd = openUnboundSocket(family.inet, socketType.datagram, 0, 'a glance at IPVS')
  } catch (error) {
    if (isErrno(error, 'EAFNOSUPPORT')) return null
    throw error
  }
  const service = Buffer.alloc(serviceSize)
  let room = Buffer.alloc(0)
  return {
    at(id) {
      if (id.family !== 'ipv4') return null
      writeId(service.fill(0), id)
      if (!askSocket(fd, level, question.service, service)) return null
      const count = service.readUInt32LE(serviceCount)
      const size = listHeader.size + count * entrySize
      if (room.length < size) room = Buffer.alloc(2 * size)
      const list = room.subarray(0, size).fill(0)
      writeId(list, id)
      // The kernel leaves this as it is, so that the number of real servers counts in a comparison.
      list.writeUInt32LE(count, listHeader.room)
      return askSocket(fd, level, question.destinations, list) ? list : null
    },
    close: () => closeFd(fd),
  }
}

function writeId(into: Buffer, id: IpvsServiceId): void {
  if ('fwmark' in id) {
    into.writeUInt32LE(id.fwmark, place.fwmark)
    return
  }
  into.writeUInt16LE(typeof id.protocol === 'number' ? id.protocol : protocolNumber[id.protocol], place.protocol)
  into.writeUInt32BE(parseIpv4Number(id.address), place.address)
  into.writeUInt16BE(id.port, place.port)
}
