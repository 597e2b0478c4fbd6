// Netlink: the codec of messages and attributes. Source: netlink(7), include/uapi/linux/netlink.h.
import { ByteReader, MalformedError } from './bytes.ts'
import { KernelError, errnoName } from './errno.ts'

export const messageType = { error: 2, done: 3 } as const
export const messageFlag = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  dumpInterrupted: 0x10,
  root: 0x100,
  match: 0x200,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const

export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly payload: Buffer
}

export interface Attribute {
  readonly type: number
  readonly value: Buffer
}

const headerSize = 16
const attributeHeaderSize = 4
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER: kernels set them or not, the type is below. */
const attributeTypeMask = 0x3fff
const nestedFlag = 0x8000

const align4 = (size: number): number => (size + 3) & ~3

export function encodeMessage(message: NetlinkMessage): Buffer {
  const bytes = Buffer.alloc(align4(headerSize + message.payload.length))
  bytes.writeUInt32LE(headerSize + message.payload.length, 0)
  bytes.writeUInt16LE(message.type, 4)
  bytes.writeUInt16LE(message.flags, 6)
  bytes.writeUInt32LE(message.sequence, 8)
  message.payload.copy(bytes, headerSize)
  return bytes
}

/** All messages of one datagram. Throws MalformedError where a length leads out of it. */
export function decodeMessages(datagram: Buffer): NetlinkMessage[] {
  const reader = new ByteReader(datagram, 'netlink datagram')
  const messages: NetlinkMessage[] = []
  for (let at = 0; at < datagram.length; ) {
    const size = reader.u32(at)
    if (size < headerSize) throw new MalformedError('netlink datagram', `a message of ${size} bytes at ${at}`)
    messages.push({
      type: reader.u16(at + 4),
      flags: reader.u16(at + 6),
      sequence: reader.u32(at + 8),
      payload: reader.slice(at + headerSize, size - headerSize),
    })
    at += align4(size)
  }
  return messages
}

export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(
    attributes.map(({ type, value }) => {
      const size = attributeHeaderSize + value.length
      if (size > 0xffff) throw new MalformedError('netlink attribute', `${size} bytes, at most 65535 fit`)
      const bytes = Buffer.alloc(align4(size))
      bytes.writeUInt16LE(size, 0)
      bytes.writeUInt16LE(type, 2)
      value.copy(bytes, attributeHeaderSize)
      return bytes
    }),
  )
}

/** Attributes in their order; the two flag bits of a type are masked. */
export function decodeAttributes(bytes: Buffer): Attribute[] {
  const reader = new ByteReader(bytes, 'netlink attributes')
  const attributes: Attribute[] = []
  for (let at = 0; at + attributeHeaderSize <= bytes.length; ) {
    const size = reader.u16(at)
    if (size < attributeHeaderSize) throw new MalformedError('netlink attributes', `one of ${size} bytes at ${at}`)
    attributes.push({
      type: reader.u16(at + 2) & attributeTypeMask,
      value: reader.slice(at + attributeHeaderSize, size - attributeHeaderSize),
    })
    at += align4(size)
  }
  return attributes
}

/** First attribute of a type. */
export function attributeOf(attributes: readonly Attribute[], type: number): Buffer | undefined {
  return attributes.find((attribute) => attribute.type === type)?.value
}

export function u32Attribute(type: number, value: number): Attribute {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return { type, value: bytes }
}

export function nestedAttribute(type: number, attributes: readonly Attribute[]): Attribute {
  return { type: type | nestedFlag, value: encodeAttributes(attributes) }
}

/** A number of an attribute that should have 4 bytes; `otherwise` where it is absent or shorter. */
export function u32Of(value: Buffer | undefined, otherwise: number): number {
  return value === undefined || value.length < 4 ? otherwise : value.readUInt32LE(0)
}

/** What an acknowledgement says: null where it was done. `what` completes "The kernel refused …". */
export function errorOf(message: NetlinkMessage, what: string): KernelError | null {
  const reader = new ByteReader(message.payload, 'netlink error')
  const errno = -reader.i32(0)
  if (errno === 0) return null
  const text = textOfError(message)
  return new KernelError(what, errnoName(errno), text === undefined ? {} : { says: text })
}

/** NLMSGERR_ATTR_MSG of include/uapi/linux/netlink.h: the kernel's own words. */
const errorText = 1

/** The text stands behind the error and the header of the request (capped: NLM_F_CAPPED 0x100, NLM_F_ACK_TLVS 0x200). */
function textOfError(message: NetlinkMessage): string | undefined {
  if ((message.flags & 0x200) === 0) return undefined
  try {
    const reader = new ByteReader(message.payload, 'netlink error')
    const echoed = (message.flags & 0x100) === 0 ? align4(reader.u32(4)) : headerSize
    const value = attributeOf(
      decodeAttributes(reader.slice(4 + echoed, message.payload.length - 4 - echoed)),
      errorText,
    )
    return value?.toString('latin1').replace(/\0.*$/s, '')
  } catch (error) {
    // The errno stands; its text is an extra.
    if (error instanceof MalformedError) return undefined
    throw error
  }
}
