// Writes netlink messages one behind the other into one Buffer, each with its attributes. Source: netlink(7).
import { viewOf } from './attributes.ts'
import { MalformedError } from './bytes.ts'

const messageHeaderSize = 16
const attributeHeaderSize = 4
const nestedFlag = 0x8000
const largestAttribute = 0xffff
const firstRoom = 1024

const align4 = (size: number): number => (size + 3) & ~3

/** A number that does not fit its attribute is refused, never cut. */
export class NetlinkWriter {
  #bytes: Buffer = Buffer.alloc(firstRoom)
  #view: DataView = viewOf(this.#bytes)
  #length = 0
  #what = 'netlink request'

  /** From the beginning again: what was written is overwritten. */
  reset(): this {
    this.#length = 0
    return this
  }

  get length(): number {
    return this.#length
  }

  /** All that was written; only `length` bytes of it count. It changes with the next write. */
  get room(): Buffer {
    return this.#bytes
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }

  /** Makes room and returns where it starts. What stands there is of no meaning, but the last word is 0: it may end in padding. */
  #grow(size: number): number {
    const at = this.#length
    const needed = at + align4(size)
    if (needed > this.#bytes.length) {
      const wider = Buffer.alloc(Math.max(needed, this.#bytes.length * 2))
      this.#bytes.copy(wider, 0, 0, at)
      this.#bytes = wider
      this.#view = viewOf(wider)
    }
    if (needed !== at) this.#view.setUint32(needed - 4, 0)
    this.#length = needed
    return at
  }

  /** A whole message; its length counts the padding too. `what` is named where a value in it does not fit. */
  message(header: { type: number; flags: number; sequence: number; what: string }, fill: (writer: this) => void): this {
    this.#what = header.what
    const at = this.#grow(messageHeaderSize)
    fill(this)
    this.#view.setUint32(at, this.#length - at, true)
    this.#view.setUint16(at + 4, header.type, true)
    this.#view.setUint16(at + 6, header.flags, true)
    this.#view.setUint32(at + 8, header.sequence, true)
    this.#view.setUint32(at + 12, 0)
    return this
  }

  /** Bytes that are no attribute: a family's own header. */
  raw(value: Buffer): this {
    const at = this.#grow(value.length)
    value.copy(this.#bytes, at)
    return this
  }

  /** Four bytes that are no attribute, the first one lowest. */
  word(value: number): this {
    const at = this.#grow(4)
    this.#view.setUint32(at, value, true)
    return this
  }

  /** Writes the header of an attribute and returns where its value goes. */
  #attribute(type: number, size: number): number {
    const whole = attributeHeaderSize + size
    if (whole > largestAttribute) throw new MalformedError(this.#what, `attribute ${type} of ${whole} bytes`)
    const at = this.#grow(whole)
    this.#view.setUint16(at, whole, true)
    this.#view.setUint16(at + 2, type, true)
    return at + attributeHeaderSize
  }

  #checked(type: number, value: number, largest: number): number {
    if (value >= 0 && value <= largest && Number.isInteger(value)) return value
    throw new MalformedError(this.#what, `${value} for attribute ${type}, expected 0 to ${largest}`)
  }

  u8(type: number, value: number): this {
    const at = this.#attribute(type, 1)
    this.#view.setUint8(at, this.#checked(type, value, 0xff))
    return this
  }

  u16(type: number, value: number): this {
    const at = this.#attribute(type, 2)
    this.#view.setUint16(at, this.#checked(type, value, 0xffff), true)
    return this
  }

  u16be(type: number, value: number): this {
    const at = this.#attribute(type, 2)
    this.#view.setUint16(at, this.#checked(type, value, 0xffff))
    return this
  }

  u32(type: number, value: number): this {
    const at = this.#attribute(type, 4)
    this.#view.setUint32(at, this.#checked(type, value, 0xffffffff), true)
    return this
  }

  u32be(type: number, value: number): this {
    const at = this.#attribute(type, 4)
    this.#view.setUint32(at, this.#checked(type, value, 0xffffffff))
    return this
  }

  /** In network byte order, and zeros behind it up to `size`, which is a multiple of 4. */
  u32beIn(type: number, value: number, size: number): this {
    const at = this.#attribute(type, size)
    this.#view.setUint32(at, this.#checked(type, value, 0xffffffff))
    for (let offset = 4; offset < size; offset += 4) this.#view.setUint32(at + offset, 0)
    return this
  }

  bytes(type: number, value: Buffer): this {
    const at = this.#attribute(type, value.length)
    value.copy(this.#bytes, at)
    return this
  }

  /** With its final NUL; `most` characters at most, as the kernel's policy has it. */
  text(type: number, value: string, most: number): this {
    if (value.length > most || !/^[!-~]*$/.test(value)) {
      throw new MalformedError(
        this.#what,
        `${JSON.stringify(value)} for attribute ${type}, expected at most ${most} printable characters without blanks`,
      )
    }
    const at = this.#attribute(type, value.length + 1)
    for (let index = 0; index < value.length; index++) this.#view.setUint8(at + index, value.charCodeAt(index))
    this.#view.setUint8(at + value.length, 0)
    return this
  }

  nest(type: number, fill: (writer: this) => void): this {
    const at = this.#attribute(type | nestedFlag, 0)
    fill(this)
    const size = this.#length - at + attributeHeaderSize
    if (size > largestAttribute) throw new MalformedError(this.#what, `attribute ${type} of ${size} bytes`)
    this.#view.setUint16(at - attributeHeaderSize, size, true)
    return this
  }
}
