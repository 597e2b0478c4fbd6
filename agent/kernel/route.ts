// Links, addresses, routes and neighbours of this network namespace. Source: rtnetlink(7), include/uapi/linux/
// rtnetlink.h, if_link.h, if_addr.h, neighbour.h. Asks netlink, never /sys: a foreign sysfs shows another namespace.
import { ByteReader } from './bytes.ts'
import { isErrno } from './errno.ts'
import { addressBytes, addressText } from './ip-address.ts'
import {
  type Attribute,
  type NetlinkMessage,
  attributeOf,
  decodeAttributes,
  encodeAttributes,
  messageFlag,
  u32Attribute,
  u32Of,
} from './netlink.ts'
import { NetlinkSocket, subscribeNetlink } from './netlink-socket.ts'
import { family } from './syscall.ts'

const protocolRoute = 0
const type = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  getRoute: 26,
  newNeighbour: 28,
  deleteNeighbour: 29,
  getNeighbour: 30,
} as const
const linkAttribute = { address: 1, name: 3, mtu: 4, lower: 5, info: 18, extMask: 29, xdp: 43 } as const
/** IFLA_INFO_KIND, IFLA_INFO_DATA; in it IFLA_VLAN_ID. */
const infoAttribute = { kind: 1, data: 2 } as const
const vlanAttribute = { id: 1 } as const
/** NTF_USE of include/uapi/linux/neighbour.h. */
const neighbourFlagUse = 1
const xdpAttribute = { programId: 4 } as const
const addressAttribute = { address: 1, local: 2, cacheInfo: 6 } as const
const routeAttribute = { destination: 1, interface: 4, gateway: 5, source: 7, via: 18 } as const
const neighbourAttribute = { destination: 1, linkAddress: 2, extendedFlags: 15 } as const
/** IFA_F_NODAD of include/uapi/linux/if_addr.h. */
const addressFlagNoDad = 0x02
const skipStatistics = 8
const extendedFlagManaged = 1

const linkFlag = { up: 1, loopback: 8, lowerUp: 0x10000 } as const
/** ARPHRD_ETHER of include/uapi/linux/if_arp.h. */
const hardwareEthernet = 1
const routeType = { unicast: 1, local: 2 } as const

/** NUD_* of include/uapi/linux/neighbour.h. */
const neighbourState = {
  incomplete: 1,
  reachable: 2,
  stale: 4,
  delay: 8,
  probe: 16,
  failed: 32,
  noArp: 64,
  permanent: 128,
}
const usable =
  neighbourState.reachable |
  neighbourState.stale |
  neighbourState.delay |
  neighbourState.probe |
  neighbourState.noArp |
  neighbourState.permanent

export interface Link {
  readonly index: number
  readonly name: string
  /** `02:00:00:00:00:01`; null where the interface has none of 6 bytes. */
  readonly mac: string | null
  readonly mtu: number
  /** Set up and with a carrier. */
  readonly isUp: boolean
  readonly isLoopback: boolean
  readonly isEthernet: boolean
  /** Of a VLAN interface: the one that carries its frames, and their tag. */
  readonly vlan: { readonly lower: number; readonly id: number } | null
  /** Id of the XDP program that is attached, or null. */
  readonly xdpProgramId: number | null
}

export interface InterfaceAddress {
  readonly ifindex: number
  readonly address: string
  readonly prefixLength: number
}

export interface Route {
  readonly ifindex: number
  /** Null where the destination is on the interface's own network. */
  readonly gateway: string | null
  /** Source address that the kernel would take. */
  readonly source: string | null
  /** The destination is one of this host's addresses. */
  readonly isLocal: boolean
}

export interface Neighbour {
  readonly ifindex: number
  readonly address: string
  /** Null while it is asked for, or where nobody answers. */
  readonly mac: string | null
  /** The kernel keeps it resolved because somebody asked for that. */
  readonly isManaged: boolean
  /** Entered by hand. */
  readonly isPermanent: boolean
}

export const formatIpv4 = (bytes: Buffer): string => `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`

export function parseIpv4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

export const formatMac = (bytes: Buffer): string => bytes.toString('hex').replaceAll(/(..)(?=.)/g, '$1:')

export const parseMac = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex')

const macOf = (value: Buffer | undefined): string | null => (value?.length === 6 ? formatMac(value) : null)

/** Splits a message into its fixed part and its attributes. */
function partsOf(message: NetlinkMessage, fixedSize: number): { fixed: ByteReader; attributes: Attribute[] } {
  const reader = new ByteReader(message.payload, 'rtnetlink message')
  return {
    fixed: new ByteReader(reader.slice(0, fixedSize), 'rtnetlink message'),
    attributes: decodeAttributes(reader.slice(fixedSize, message.payload.length - fixedSize)),
  }
}

const sizeOf = { link: 16, address: 8, route: 12, neighbour: 12 } as const

export function decodeLink(message: NetlinkMessage): Link {
  const { fixed, attributes } = partsOf(message, sizeOf.link)
  const flags = fixed.u32(8)
  const xdp = attributeOf(attributes, linkAttribute.xdp)
  const programId = xdp === undefined ? 0 : u32Of(attributeOf(decodeAttributes(xdp), xdpAttribute.programId), 0)
  return {
    index: fixed.u32(4),
    name: attributeOf(attributes, linkAttribute.name)?.toString('utf8').replace(/\0.*$/s, '') ?? '',
    mac: macOf(attributeOf(attributes, linkAttribute.address)),
    mtu: u32Of(attributeOf(attributes, linkAttribute.mtu), 0),
    isUp: (flags & linkFlag.up) !== 0 && (flags & linkFlag.lowerUp) !== 0,
    isLoopback: (flags & linkFlag.loopback) !== 0,
    isEthernet: fixed.u16(2) === hardwareEthernet,
    vlan: vlanOf(attributes),
    xdpProgramId: programId === 0 ? null : programId,
  }
}

function vlanOf(attributes: readonly Attribute[]): Link['vlan'] {
  const info = attributeOf(attributes, linkAttribute.info)
  if (info === undefined) return null
  const parts = decodeAttributes(info)
  const data = attributeOf(parts, infoAttribute.data)
  if (attributeOf(parts, infoAttribute.kind)?.toString('utf8').replace(/\0.*$/s, '') !== 'vlan') return null
  const id = data === undefined ? undefined : attributeOf(decodeAttributes(data), vlanAttribute.id)
  if (id?.length !== 2) return null
  return { lower: u32Of(attributeOf(attributes, linkAttribute.lower), 0), id: id.readUInt16LE(0) }
}

export function decodeAddress(message: NetlinkMessage): InterfaceAddress | null {
  const { fixed, attributes } = partsOf(message, sizeOf.address)
  // IFA_LOCAL is this host's end; on a point-to-point link IFA_ADDRESS is the other one.
  const address = addressText(
    attributeOf(attributes, addressAttribute.local) ?? attributeOf(attributes, addressAttribute.address),
  )
  return address === null ? null : { ifindex: fixed.u32(4), address, prefixLength: fixed.u8(1) }
}

export function decodeRoute(message: NetlinkMessage): Route {
  const { fixed, attributes } = partsOf(message, sizeOf.route)
  const via = attributeOf(attributes, routeAttribute.via)
  return {
    ifindex: u32Of(attributeOf(attributes, routeAttribute.interface), 0),
    // A gateway of another family (RTA_VIA) is told in another way, but is one all the same.
    gateway:
      addressText(attributeOf(attributes, routeAttribute.gateway)) ?? (via === undefined ? null : formatMac(via)),
    source: addressText(attributeOf(attributes, routeAttribute.source)),
    isLocal: fixed.u8(7) === routeType.local,
  }
}

export function decodeNeighbour(message: NetlinkMessage): Neighbour | null {
  const { fixed, attributes } = partsOf(message, sizeOf.neighbour)
  const address = addressText(attributeOf(attributes, neighbourAttribute.destination))
  // The bridge's own entries come along with the news.
  if ((fixed.u8(0) !== family.inet && fixed.u8(0) !== family.inet6) || address === null) return null
  const isUsable = message.type !== type.deleteNeighbour && (fixed.u16(8) & usable) !== 0
  const extended = u32Of(attributeOf(attributes, neighbourAttribute.extendedFlags), 0)
  return {
    ifindex: fixed.u32(4),
    address,
    mac: isUsable ? macOf(attributeOf(attributes, neighbourAttribute.linkAddress)) : null,
    isManaged: (extended & extendedFlagManaged) !== 0,
    isPermanent: (fixed.u16(8) & neighbourState.permanent) !== 0,
  }
}

function linkRequest(ifindex: number): Buffer {
  const fixed = Buffer.alloc(sizeOf.link)
  fixed.writeInt32LE(ifindex, 4)
  return Buffer.concat([fixed, encodeAttributes([u32Attribute(linkAttribute.extMask, skipStatistics)])])
}

/**
 * struct ifa_cacheinfo: preferred for 0 s, valid for ever. A VIP that the host took for its own source would stand in the
 * outer header of a tunnel, and a real server drops what seems to come from itself (tried on 6.1: IPIP and GUE).
 */
function neverSource(): Buffer {
  const info = Buffer.alloc(16)
  info.writeUInt32LE(0xffffffff, 4)
  return info
}

function addressRequest(address: InterfaceAddress): Buffer {
  const fixed = Buffer.alloc(sizeOf.address)
  const isIpv6 = address.address.includes(':')
  fixed.writeUInt8(isIpv6 ? family.inet6 : family.inet, 0)
  fixed.writeUInt8(address.prefixLength, 1)
  // Duplicate detection would keep a VIP silent for a second, and for good where a real server carries it on lo.
  if (isIpv6) fixed.writeUInt8(addressFlagNoDad, 2)
  fixed.writeUInt32LE(address.ifindex, 4)
  const value = addressBytes(address.address)
  return Buffer.concat([
    fixed,
    encodeAttributes([
      { type: addressAttribute.local, value },
      { type: addressAttribute.address, value },
      ...(isIpv6 ? [{ type: addressAttribute.cacheInfo, value: neverSource() }] : []),
    ]),
  ])
}

function neighbourRequest(
  ifindex: number,
  address: string,
  state: number,
  attributes: Attribute[],
  neighbourFlags = 0,
): Buffer {
  const fixed = Buffer.alloc(sizeOf.neighbour)
  const value = addressBytes(address)
  fixed.writeUInt8(value.length === 16 ? family.inet6 : family.inet, 0)
  fixed.writeInt32LE(ifindex, 4)
  fixed.writeUInt16LE(state, 8)
  fixed.writeUInt8(neighbourFlags, 10)
  const destination = { type: neighbourAttribute.destination, value }
  return Buffer.concat([fixed, encodeAttributes([destination, ...attributes])])
}

/** Network facts and changes. One caller at a time, all functions return when the kernel has answered. */
export class RouteSocket {
  readonly #socket = new NetlinkSocket(protocolRoute, 'rtnetlink')

  links(): Link[] {
    return this.#socket.dump(type.getLink, linkRequest(0), 'the list of interfaces').map(decodeLink)
  }

  link(ifindex: number): Link | null {
    try {
      const answers = this.#socket.get(type.getLink, linkRequest(ifindex), `facts about interface ${ifindex}`)
      return answers[0] === undefined ? null : decodeLink(answers[0])
    } catch (error) {
      if (isErrno(error, 'ENODEV')) return null
      throw error
    }
  }

  linkByName(name: string): Link | null {
    return this.links().find((link) => link.name === name) ?? null
  }

  /** IPv4 and IPv6 addresses of all interfaces. */
  addresses(): InterfaceAddress[] {
    const fixed = Buffer.alloc(sizeOf.address)
    fixed.writeUInt8(family.unspecified, 0)
    const messages = this.#socket.dump(type.getAddress, fixed, 'the list of addresses')
    return messages.map(decodeAddress).filter((address) => address !== null)
  }

  /** EEXIST where the interface has it already. */
  addAddress(address: InterfaceAddress): void {
    const flags = messageFlag.create | messageFlag.exclusive
    const what = `the address ${address.address}/${address.prefixLength}`
    this.#socket.change(type.newAddress, flags, addressRequest(address), what)
  }

  /** EADDRNOTAVAIL where the interface does not have it. */
  removeAddress(address: InterfaceAddress): void {
    const what = `removing the address ${address.address}/${address.prefixLength}`
    this.#socket.change(type.deleteAddress, 0, addressRequest(address), what)
  }

  /** How this host would reach an address; null where it has no route. */
  routeTo(address: string): Route | null {
    const fixed = Buffer.alloc(sizeOf.route)
    const value = addressBytes(address)
    fixed.writeUInt8(value.length === 16 ? family.inet6 : family.inet, 0)
    fixed.writeUInt8(value.length * 8, 1)
    const destination = encodeAttributes([{ type: routeAttribute.destination, value }])
    try {
      const payload = Buffer.concat([fixed, destination])
      const answer = this.#socket.get(type.getRoute, payload, `the route to ${address}`)[0]
      return answer === undefined ? null : decodeRoute(answer)
    } catch (error) {
      if (isErrno(error, 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN')) return null
      throw error
    }
  }

  /** IPv4 and IPv6 neighbours of all interfaces. */
  neighbours(): Neighbour[] {
    const fixed = Buffer.alloc(sizeOf.neighbour)
    fixed.writeUInt8(family.unspecified, 0)
    const messages = this.#socket.dump(type.getNeighbour, fixed, 'the list of neighbours')
    return messages.map(decodeNeighbour).filter((neighbour) => neighbour !== null)
  }

  /**
   * Has the kernel keep the neighbour resolved by itself (NTF_EXT_MANAGED, kernel 5.16): traffic that we redirect never
   * confirms it. An entry that is there keeps its MAC address.
   */
  manageNeighbour(ifindex: number, address: string): void {
    const managed = u32Attribute(neighbourAttribute.extendedFlags, extendedFlagManaged)
    const flags = messageFlag.create | messageFlag.replace
    const payload = neighbourRequest(ifindex, address, 0, [managed])
    this.#socket.change(type.newNeighbour, flags, payload, `keeping the neighbour ${address}`)
  }

  /** Has the kernel look for a neighbour once, as if a packet waited for it (NTF_USE). */
  lookForNeighbour(ifindex: number, address: string): void {
    const flags = messageFlag.create | messageFlag.replace
    const payload = neighbourRequest(ifindex, address, 0, [], neighbourFlagUse)
    this.#socket.change(type.newNeighbour, flags, payload, `looking for the neighbour ${address}`)
  }

  /** Forgets a neighbour, and the wish to keep it. ENOENT where there is none. */
  removeNeighbour(ifindex: number, address: string): void {
    const payload = neighbourRequest(ifindex, address, 0, [])
    this.#socket.change(type.deleteNeighbour, 0, payload, `forgetting the neighbour ${address}`)
  }

  close(): void {
    this.#socket.close()
  }
}

export interface RouteListener {
  link?(link: Link, isGone: boolean): void
  address?(address: InterfaceAddress, isGone: boolean): void
  /** A neighbour without MAC address has gone, or does not answer. */
  neighbour?(neighbour: Neighbour): void
  /** Something was missed: read everything anew. */
  lost(): void
}

const group = { link: 1, neighbour: 4, address: 0x10 } as const

/** Tells what changes, from the event loop. Returns the function that ends it. */
export function watchRoutes(listener: RouteListener): () => void {
  const groups = group.link | group.neighbour | group.address
  return subscribeNetlink(protocolRoute, groups, 'rtnetlink news', {
    message: (message) => tell(listener, message),
    lost: () => listener.lost(),
  })
}

function tell(listener: RouteListener, message: NetlinkMessage): void {
  switch (message.type) {
    case type.newLink:
    case type.deleteLink:
      listener.link?.(decodeLink(message), message.type === type.deleteLink)
      break
    case type.newAddress:
    case type.deleteAddress: {
      const address = decodeAddress(message)
      if (address !== null) listener.address?.(address, message.type === type.deleteAddress)
      break
    }
    case type.newNeighbour:
    case type.deleteNeighbour: {
      const neighbour = decodeNeighbour(message)
      if (neighbour !== null) listener.neighbour?.(neighbour)
      break
    }
    default:
  }
}
