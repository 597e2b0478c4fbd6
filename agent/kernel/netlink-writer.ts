// Writes netlink messages one behind the other into one Buffer, each with its attributes. Source: netlink(7).
import { MalformedError } from './bytes.ts'

const messageHeaderWords = 4
const attributeHeaderSize = 4
const nestedFlag = 0x8000
const largestAttribute = 0xffff
const firstRoomWords = 256

const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >>> 8)
const swap32 = (value: number): number => ((swap16(value & 0xffff) << 16) | swap16(value >>> 16)) >>> 0

/**
 * Works in words in the host's order, which is little-endian wherever the agent runs: header and value of most attributes
 * are one word each. A number that does not fit its attribute is refused, never cut.
 */
export class NetlinkWriter {
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(firstRoomWords)
  #bytes: Buffer = Buffer.from(this.#words.buffer)
  /** In words. */
  #end = 0

  /** From the beginning again: what was written is overwritten. */
  reset(): this {
    this.#end = 0
    return this
  }

  /** Bytes written. */
  get length(): number {
    return this.#end * 4
  }

  /** All that was written; only `length` bytes of it count. It changes with the next write. */
  get room(): Buffer {
    return this.#bytes
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.length))
  }

  /** Makes room and returns the index of its first word. What stands there is of no meaning. */
  #reserve(words: number): number {
    const at = this.#end
    this.#end = at + words
    if (this.#end > this.#words.length) {
      const wider = new Uint32Array(Math.max(this.#end, this.#words.length * 2))
      wider.set(this.#words)
      this.#words = wider
      this.#bytes = Buffer.from(wider.buffer)
    }
    return at
  }

  /** Begins a message, and returns where; its length counts the padding too. */
  beginMessage(type: number, flags: number, sequence: number): number {
    const at = this.#reserve(messageHeaderWords)
    this.#words[at + 1] = type | (flags << 16)
    this.#words[at + 2] = sequence
    this.#words[at + 3] = 0
    return at
  }

  endMessage(at: number): void {
    this.#words[at] = (this.#end - at) * 4
  }

  /** Bytes that are no attribute: a family's own header. */
  raw(value: Buffer): this {
    this.#copy(this.#reserve((value.length + 3) >> 2), value)
    return this
  }

  /** Four bytes that are no attribute, the first one lowest. */
  word(value: number): this {
    // First the room: it may be another array afterwards.
    const at = this.#reserve(1)
    this.#words[at] = value
    return this
  }

  #copy(at: number, value: Buffer): void {
    if (value.length === 0) return
    this.#words[this.#end - 1] = 0
    value.copy(this.#bytes, at * 4)
  }

  /** Writes the header of an attribute and returns the index of its value's first word. */
  #attribute(type: number, size: number): number {
    const whole = attributeHeaderSize + size
    if (whole > largestAttribute) throw new MalformedError('netlink request', `attribute ${type} of ${whole} bytes`)
    const at = this.#reserve((whole + 3) >> 2)
    this.#words[at] = whole | (type << 16)
    return at + 1
  }

  /** An attribute whose value is one word, of which `size` bytes count. */
  #one(type: number, size: number, word: number): this {
    const at = this.#reserve(2)
    this.#words[at] = (attributeHeaderSize + size) | (type << 16)
    this.#words[at + 1] = word
    return this
  }

  u8(type: number, value: number): this {
    return this.#one(type, 1, checked(type, value, 0xff))
  }

  u16(type: number, value: number): this {
    return this.#one(type, 2, checked(type, value, 0xffff))
  }

  u16be(type: number, value: number): this {
    return this.#one(type, 2, swap16(checked(type, value, 0xffff)))
  }

  u32(type: number, value: number): this {
    return this.#one(type, 4, checked(type, value, 0xffffffff))
  }

  /** In network byte order, and zeros behind it up to `size`, which is a multiple of 4. */
  u32be(type: number, value: number, size = 4): this {
    let at = this.#attribute(type, size)
    this.#words[at++] = swap32(checked(type, value, 0xffffffff))
    while (at < this.#end) this.#words[at++] = 0
    return this
  }

  bytes(type: number, value: Buffer): this {
    this.#copy(this.#attribute(type, value.length), value)
    return this
  }

  /** With its final NUL; `most` characters at most, as the kernel's policy has it. */
  text(type: number, value: string, most: number): this {
    if (value.length > most || !/^[!-~]*$/.test(value)) {
      throw new MalformedError(
        'netlink request',
        `${JSON.stringify(value)} for attribute ${type}, expected at most ${most} printable characters without blanks`,
      )
    }
    const at = this.#attribute(type, value.length + 1) * 4
    this.#words[this.#end - 1] = 0
    for (let index = 0; index < value.length; index++) this.#bytes[at + index] = value.charCodeAt(index)
    return this
  }

  /** Begins an attribute that holds others, and returns where. */
  beginNest(): number {
    return this.#reserve(1)
  }

  endNest(at: number, type: number): void {
    const size = (this.#end - at) * 4
    if (size > largestAttribute) throw new MalformedError('netlink request', `attribute ${type} of ${size} bytes`)
    this.#words[at] = size | ((type | nestedFlag) << 16)
  }

  /** A copy of what was written since a nest or a message began, for {@link repeat}. */
  wordsFrom(at: number): Uint32Array {
    return this.#words.slice(at, this.#end)
  }

  /** The same words again. */
  repeat(words: Uint32Array): void {
    let at = this.#reserve(words.length)
    for (const word of words) this.#words[at++] = word
  }

  nest(type: number, fill: (writer: this) => void): this {
    const at = this.beginNest()
    fill(this)
    this.endNest(at, type)
    return this
  }
}

function checked(type: number, value: number, largest: number): number {
  if (value >= 0 && value <= largest && Number.isInteger(value)) return value
  throw new MalformedError('netlink request', `${value} for attribute ${type}, expected 0 to ${largest}`)
}
