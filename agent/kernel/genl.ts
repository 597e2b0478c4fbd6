// Generic netlink: families that are found by name. Source: include/uapi/linux/genetlink.h, net/netlink/genetlink.c.
import { AttributeReader, wordsOf } from './attributes.ts'
import { ByteReader, MalformedError } from './bytes.ts'
import { type KernelError, isErrno } from './errno.ts'
import type { NetlinkMessage } from './netlink.ts'
import { NetlinkSocket, type ReadMessage } from './netlink-socket.ts'
import type { NetlinkWriter } from './netlink-writer.ts'
import type { NetlinkRequest } from './pipeline.ts'

const protocolGeneric = 16
/** GENL_ID_CTRL, "nlctrl": the family that knows the others. */
const controller = { id: 0x10, version: 2, getFamily: 3 } as const
const controlAttribute = { familyId: 1, familyName: 2, version: 3, headerSize: 4 } as const
const longestFamilyName = 15
const headerSize = 4
/** A dump fills datagrams of this size: with the kernel's bookkeeping (320 bytes) one page more would be two. */
const roomBytes = 16_064

export interface GenericFamily {
  readonly id: number
  readonly version: number
  /** Bytes of the family's own header between the generic one and the attributes. */
  readonly headerSize: number
}

/** A message of a family without the netlink header. */
export interface GenericMessage {
  readonly command: number
  readonly version: number
  /** What follows the generic header: attributes, where the family has no header of its own. */
  readonly attributes: Buffer
}

export interface GenericRequest {
  readonly command: number
  /** Completes "The kernel refused …"; asked for only then. */
  what(): string
  /** Writes the attributes; left out: none. */
  write?(writer: NetlinkWriter): void
}

export interface GenericAnswers {
  /** One for each request, in their order; null where the kernel did it. */
  readonly errors: readonly (KernelError | null)[]
  /** What was answered besides, by the place of the request. */
  readonly messages: ReadonlyMap<number, readonly GenericMessage[]>
}

/** What a family's client needs; {@link GenericSocket} is the kernel's. */
export interface GenericPort {
  /** One object, or a change. Throws what the kernel refuses. */
  request(request: GenericRequest): GenericMessage[]
  /** All objects, each read in place: `read` gets where its attributes are, and keeps no bytes of it. */
  dumpEach<T>(request: GenericRequest, read: ReadMessage<T>): T[]
  /** Many requests at once. `answerBytes`: what one may answer, at most. */
  requestAll(requests: readonly GenericRequest[], answerBytes?: number): GenericAnswers
  /** False where the family has gone since it was opened, and may be back under another number: everything it held is lost. */
  isThere(): boolean
  close(): void
}

export function decodeGeneric(payload: Buffer): GenericMessage {
  const reader = new ByteReader(payload, 'generic netlink message')
  return {
    command: reader.u8(0),
    version: reader.u8(1),
    attributes: reader.slice(headerSize, payload.length - headerSize),
  }
}

export function decodeFamily(attributes: Buffer): GenericFamily {
  const what = 'generic netlink family'
  const reader = new AttributeReader(controlAttribute.headerSize, what).over(wordsOf(attributes), 0, attributes.length)
  const id = reader.u16(controlAttribute.familyId)
  if (id === undefined) throw new MalformedError(what, 'no id')
  return {
    id,
    version: reader.u32(controlAttribute.version) ?? 1,
    headerSize: reader.u32(controlAttribute.headerSize) ?? 0,
  }
}

/** The request with its generic header: command, version, two bytes that are 0. */
class FamilyRequest implements NetlinkRequest {
  readonly type: number
  readonly flags = 0
  readonly #header: number
  readonly #request: GenericRequest

  constructor(family: GenericFamily, request: GenericRequest) {
    this.type = family.id
    this.#header = request.command | (family.version << 8)
    this.#request = request
  }

  what(): string {
    return this.#request.what()
  }

  write(writer: NetlinkWriter): void {
    writer.word(this.#header)
    this.#request.write?.(writer)
  }
}

const netlinkRequest = (family: GenericFamily, request: GenericRequest): NetlinkRequest =>
  new FamilyRequest(family, request)

/**
 * Asks for a family. Null: this kernel has none of that name now (ENOENT), also after the kernel itself tried to load
 * the module that has it: a look-up does that (genetlink.c, ctrl_getfamily). Needs no privilege.
 */
function lookUp(socket: NetlinkSocket, name: string): GenericFamily | null {
  const request: GenericRequest = {
    command: controller.getFamily,
    what: () => `the generic netlink family ${name}`,
    write: (writer) => writer.text(controlAttribute.familyName, name, longestFamilyName),
  }
  try {
    const answer = socket.request(netlinkRequest({ ...controller, headerSize: 0 }, request))[0]
    if (answer === undefined) throw new MalformedError('generic netlink family', `no answer about ${name}`)
    return decodeFamily(decodeGeneric(answer.payload).attributes)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** Requests to one family. One caller at a time, all functions return when the kernel has answered. */
export class GenericSocket implements GenericPort {
  readonly family: GenericFamily
  readonly #socket: NetlinkSocket
  readonly #name: string

  private constructor(socket: NetlinkSocket, name: string, family: GenericFamily) {
    this.#socket = socket
    this.#name = name
    this.family = family
  }

  /** Null where the kernel has no such family (see {@link lookUp}); what it refuses is thrown. */
  static open(name: string): GenericSocket | null {
    const socket = new NetlinkSocket(protocolGeneric, `generic netlink ${name}`, roomBytes)
    let family: GenericFamily | null = null
    try {
      family = lookUp(socket, name)
      return family === null ? null : new GenericSocket(socket, name, family)
    } finally {
      if (family === null) socket.close()
    }
  }

  request(request: GenericRequest): GenericMessage[] {
    return this.#decode(this.#socket.request(netlinkRequest(this.family, request)))
  }

  dumpEach<T>(request: GenericRequest, read: ReadMessage<T>): T[] {
    return this.#socket.dumpEach(netlinkRequest(this.family, request), (words, start, end) =>
      read(words, start + headerSize, end),
    )
  }

  requestAll(requests: readonly GenericRequest[], answerBytes = 0): GenericAnswers {
    const all = requests.map((request) => netlinkRequest(this.family, request))
    const { errors, messages } = this.#socket.exchangeAll(all, answerBytes)
    return { errors, messages: new Map([...messages].map(([index, some]) => [index, this.#decode(some)])) }
  }

  isThere(): boolean {
    return lookUp(this.#socket, this.#name)?.id === this.family.id
  }

  /** Answers of this family: the kernel sends no others to this socket, and what it never sends is not decoded. */
  #decode(messages: readonly NetlinkMessage[]): GenericMessage[] {
    return messages.filter(({ type }) => type === this.family.id).map(({ payload }) => decodeGeneric(payload))
  }

  close(): void {
    this.#socket.close()
  }
}
