// A program as a filter of the clsact qdisc: what kernels before TCX (6.6) have at TC ingress. The filter belongs to the
// interface: it outlives whoever made it, and goes with the interface. Source: include/uapi/linux/rtnetlink.h (tcmsg),
// pkt_sched.h, pkt_cls.h (TCA_BPF_*), net/sched/cls_api.c, cls_bpf.c, sch_ingress.c.
import { unlinkSync } from 'node:fs'
import type { LinkFacts } from './bpf-link.ts'
import type { BpfProgram } from './bpf-program.ts'
import { ByteReader } from './bytes.ts'
import { isErrno } from './errno.ts'
import {
  attributeOf,
  decodeAttributes,
  encodeAttributes,
  messageFlag,
  nestedAttribute,
  type NetlinkMessage,
  u32Attribute,
  u32Of,
} from './netlink.ts'
import { NetlinkSocket } from './netlink-socket.ts'

const type = { newQdisc: 36, deleteQdisc: 37, newFilter: 44, deleteFilter: 45, getFilter: 46 } as const
const attribute = { kind: 1, options: 2 } as const
const bpfAttribute = { fd: 6, name: 7, flags: 8, programId: 11 } as const
/** TCA_BPF_FLAG_ACT_DIRECT: what the program returns is the action. */
const actDirect = 1
const messageSize = 20
/** TC_H_CLSACT with its own handle, and TC_H_MIN_INGRESS and TC_H_MIN_EGRESS below it. */
const parent = { qdisc: 0xfffffff1, ingress: 0xfffffff2, egress: 0xfffffff3 } as const
const qdiscHandle = 0xffff0000
/** Behind what others have: filters run in the order of their priorities, and most have small ones. */
const priority = 49_000
const handle = 1
const everyProtocol = 0x0300 // htons(ETH_P_ALL)

/** In the name stands whether the qdisc was made for the filter: then it goes with it. */
const names = { guest: 'signalbox', owner: 'signalbox_qdisc' } as const

export interface TcFilter {
  readonly name: string
  readonly priority: number
  readonly programId: number
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`)

function tcMessage(ifindex: number, fields: { handle?: number; parent: number; info?: number }): Buffer {
  const bytes = Buffer.alloc(messageSize)
  bytes.writeInt32LE(ifindex, 4)
  bytes.writeUInt32LE(fields.handle ?? 0, 8)
  bytes.writeUInt32LE(fields.parent, 12)
  bytes.writeUInt32LE(fields.info ?? 0, 16)
  return bytes
}

const ourFilter = (ifindex: number): Buffer =>
  tcMessage(ifindex, { handle, parent: parent.ingress, info: priority * 0x10000 + everyProtocol })

function filterOf(message: NetlinkMessage): TcFilter | null {
  const reader = new ByteReader(message.payload, 'tc message')
  const attributes = decodeAttributes(reader.slice(messageSize, message.payload.length - messageSize))
  if (attributeOf(attributes, attribute.kind)?.toString('latin1').replace(/\0.*$/s, '') !== 'bpf') return null
  const options = attributeOf(attributes, attribute.options)
  if (options === undefined) return null
  const own = decodeAttributes(options)
  const programId = u32Of(attributeOf(own, bpfAttribute.programId), 0)
  if (programId === 0) return null
  return {
    name: attributeOf(own, bpfAttribute.name)?.toString('utf8').replace(/\0.*$/s, '') ?? '',
    priority: reader.u32(16) >>> 16,
    programId,
  }
}

/** Filters of clsact by netlink. One caller at a time; all functions return when the kernel has answered. */
export class TcSocket {
  readonly #socket = new NetlinkSocket(0, 'rtnetlink for tc')

  /** BPF filters at an interface's ingress or egress; none where it has no clsact. */
  filters(ifindex: number, at: 'ingress' | 'egress' = 'ingress'): TcFilter[] {
    const payload = tcMessage(ifindex, { parent: parent[at] })
    try {
      const found = this.#socket.dump(type.getFilter, payload, `the tc filters of interface ${ifindex}`)
      return found.map(filterOf).filter((filter) => filter !== null)
    } catch (error) {
      // No clsact there, or no such interface any more.
      if (isErrno(error, 'EINVAL', 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return []
      throw error
    }
  }

  /** The program of our own filter there, null without one. */
  own(ifindex: number): TcFilter | null {
    const isOurs = ({ name }: TcFilter) => name === names.guest || name === names.owner
    return this.filters(ifindex).find(isOurs) ?? null
  }

  /** Adds our filter behind those that are there. ENOENT where the kernel has neither clsact nor cls_bpf. */
  add(program: BpfProgram, ifindex: number): void {
    const isMade = this.#makeQdisc(ifindex)
    try {
      this.#put(program, ifindex, isMade ? names.owner : names.guest, messageFlag.create | messageFlag.exclusive)
    } catch (error) {
      if (isMade) this.#deleteQdisc(ifindex)
      throw error
    }
  }

  /** Puts another program in its place, without a packet in between that meets none. */
  replace(program: BpfProgram, ifindex: number): void {
    const present = this.own(ifindex)
    this.#put(program, ifindex, present?.name ?? names.guest, messageFlag.create)
  }

  /** Takes our filter away, and the qdisc where it was made for it and nobody else has come to use it. */
  remove(ifindex: number): void {
    const present = this.own(ifindex)
    if (present === null) return
    this.#socket.change(type.deleteFilter, 0, ourFilter(ifindex), `taking a filter off interface ${ifindex}`)
    const isUsed = (['ingress', 'egress'] as const).some((at) => this.filters(ifindex, at).length > 0)
    if (present.name === names.owner && !isUsed) this.#deleteQdisc(ifindex)
  }

  #put(program: BpfProgram, ifindex: number, name: string, flags: number): void {
    const attributes = encodeAttributes([
      { type: attribute.kind, value: text('bpf') },
      nestedAttribute(attribute.options, [
        u32Attribute(bpfAttribute.fd, program.fd),
        { type: bpfAttribute.name, value: text(name) },
        u32Attribute(bpfAttribute.flags, actDirect),
      ]),
    ])
    const what = `a filter at TC ingress of interface ${ifindex}`
    this.#socket.change(type.newFilter, flags, Buffer.concat([ourFilter(ifindex), attributes]), what)
  }

  /** False where it is there already. */
  #makeQdisc(ifindex: number): boolean {
    const kind = encodeAttributes([{ type: attribute.kind, value: text('clsact') }])
    const payload = Buffer.concat([tcMessage(ifindex, { handle: qdiscHandle, parent: parent.qdisc }), kind])
    try {
      const flags = messageFlag.create | messageFlag.exclusive
      this.#socket.change(type.newQdisc, flags, payload, `clsact on interface ${ifindex}`)
      return true
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false
      throw error
    }
  }

  #deleteQdisc(ifindex: number): void {
    const payload = tcMessage(ifindex, { handle: qdiscHandle, parent: parent.qdisc })
    this.#socket.change(type.deleteQdisc, 0, payload, `taking clsact off interface ${ifindex}`)
  }

  close(): void {
    this.#socket.close()
  }
}

/**
 * Our filter on one interface, with the methods of a link. The filter needs no pin to stay; the program is pinned as a
 * mark of where filters are ours.
 */
export class TcPlace {
  readonly #tc: TcSocket
  readonly #ifindex: number
  #pinned: string | undefined

  /** @param pinned where an earlier agent has pinned its program */
  constructor(tc: TcSocket, ifindex: number, pinned?: string) {
    this.#tc = tc
    this.#ifindex = ifindex
    this.#pinned = pinned
  }

  static attach(tc: TcSocket, program: BpfProgram, ifindex: number): TcPlace {
    tc.add(program, ifindex)
    return new TcPlace(tc, ifindex)
  }

  facts(): Pick<LinkFacts, 'programId' | 'ifindex'> {
    const own = this.#tc.own(this.#ifindex)
    return { programId: own?.programId ?? 0, ifindex: own === null ? 0 : this.#ifindex }
  }

  pin(path: string, program: BpfProgram): void {
    program.pin(path)
    this.#pinned = path
  }

  replace(program: BpfProgram): void {
    this.#tc.replace(program, this.#ifindex)
    if (this.#pinned === undefined) return
    unlinkSync(this.#pinned)
    program.pin(this.#pinned)
  }

  detach(): void {
    this.#tc.remove(this.#ifindex)
  }

  close(): void {}
}
