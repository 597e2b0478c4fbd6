// Netlink attributes without a Buffer for each: tables of ten thousand entries are read and written this way.
// Source: include/net/netlink.h (policies, alignment), netlink(7).
import { MalformedError } from './bytes.ts'

const headerSize = 4
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER: kernels set them or not, the type is below. */
const typeMask = 0x3fff
const nestedFlag = 0x8000
const largestAttribute = 0xffff
const twoTo32 = 2 ** 32

const align4 = (size: number): number => (size + 3) & ~3

/**
 * The attributes of one nest by type, found in one pass and read in place. Unknown types are skipped; of two of one type
 * the last counts, as in the kernel's own parser. An attribute that is there has the size that its type wants, or
 * MalformedError says what was found: a value is never read from half an attribute.
 */
export class AttributeView {
  readonly #bytes: Buffer
  readonly #what: string
  /** By type; 0 where there is none: no value stands before a header. */
  readonly #starts: number[]
  readonly #ends: number[]

  constructor(bytes: Buffer, largestType: number, what: string, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#what = what
    this.#starts = []
    this.#ends = []
    for (let type = 0; type <= largestType; type++) {
      this.#starts.push(0)
      this.#ends.push(0)
    }
    let at = start
    while (at + headerSize <= end) {
      const size = bytes.readUInt16LE(at)
      if (size < headerSize || at + size > end) {
        throw new MalformedError(what, `an attribute of ${size} bytes at ${at - start} of ${end - start}`)
      }
      const type = bytes.readUInt16LE(at + 2) & typeMask
      if (type <= largestType) {
        this.#starts[type] = at + headerSize
        this.#ends[type] = at + size
      }
      at += align4(size)
    }
    if (at < end) throw new MalformedError(what, `${end - at} bytes behind the last attribute`)
  }

  has(type: number): boolean {
    return (this.#starts[type] ?? 0) !== 0
  }

  /** Where a value of just this size starts; 0 where the attribute is absent. */
  #place(type: number, size: number): number {
    const start = this.#starts[type] ?? 0
    if (start === 0) return 0
    const found = (this.#ends[type] ?? 0) - start
    if (found !== size) throw new MalformedError(this.#what, `attribute ${type} has ${found} bytes, not ${size}`)
    return start
  }

  u8(type: number): number | undefined {
    const at = this.#place(type, 1)
    return at === 0 ? undefined : this.#bytes.readUInt8(at)
  }

  u16(type: number): number | undefined {
    const at = this.#place(type, 2)
    return at === 0 ? undefined : this.#bytes.readUInt16LE(at)
  }

  /** In network byte order. */
  u16be(type: number): number | undefined {
    const at = this.#place(type, 2)
    return at === 0 ? undefined : this.#bytes.readUInt16BE(at)
  }

  u32(type: number): number | undefined {
    const at = this.#place(type, 4)
    return at === 0 ? undefined : this.#bytes.readUInt32LE(at)
  }

  /** In network byte order. */
  u32be(type: number): number | undefined {
    const at = this.#place(type, 4)
    return at === 0 ? undefined : this.#bytes.readUInt32BE(at)
  }

  /** Exact up to 2^53, rounded to 53 bits above it. */
  u64(type: number): number | undefined {
    const at = this.#place(type, 8)
    return at === 0 ? undefined : this.#bytes.readUInt32LE(at) + this.#bytes.readUInt32LE(at + 4) * twoTo32
  }

  bytes(type: number, size: number): Buffer | undefined {
    const at = this.#place(type, size)
    return at === 0 ? undefined : this.#bytes.subarray(at, at + size)
  }

  /** Text that ends with a NUL within its attribute. */
  text(type: number): string | undefined {
    const start = this.#starts[type] ?? 0
    if (start === 0) return undefined
    const stop = this.#bytes.indexOf(0, start)
    if (stop < 0 || stop >= (this.#ends[type] ?? 0)) {
      throw new MalformedError(this.#what, `the text of attribute ${type} has no end`)
    }
    return this.#bytes.toString('latin1', start, stop)
  }

  nest(type: number, largestType: number, what: string): AttributeView | undefined {
    const start = this.#starts[type] ?? 0
    return start === 0 ? undefined : new AttributeView(this.#bytes, largestType, what, start, this.#ends[type] ?? 0)
  }
}

/** Writes attributes one behind the other. A number that does not fit its attribute is refused, never cut. */
export class AttributeWriter {
  readonly #what: string
  #bytes: Buffer = Buffer.alloc(512)
  #length = 0

  /** `what` is named in errors. */
  constructor(what: string) {
    this.#what = what
  }

  /** Writes the header of an attribute and returns where its value goes. The bytes there are 0. */
  #room(type: number, size: number): number {
    const whole = headerSize + size
    if (whole > largestAttribute) throw new MalformedError(this.#what, `attribute ${type} of ${whole} bytes`)
    const at = this.#length
    const needed = at + align4(whole)
    if (needed > this.#bytes.length) {
      const wider = Buffer.alloc(Math.max(needed, this.#bytes.length * 2))
      this.#bytes.copy(wider, 0, 0, at)
      this.#bytes = wider
    }
    this.#bytes.writeUInt16LE(whole, at)
    this.#bytes.writeUInt16LE(type, at + 2)
    this.#length = needed
    return at + headerSize
  }

  #checked(type: number, value: number, bits: number): number {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) return value
    throw new MalformedError(this.#what, `${value} for attribute ${type}, which takes ${bits} bits`)
  }

  u8(type: number, value: number): this {
    const at = this.#room(type, 1)
    this.#bytes.writeUInt8(this.#checked(type, value, 8), at)
    return this
  }

  u16(type: number, value: number): this {
    const at = this.#room(type, 2)
    this.#bytes.writeUInt16LE(this.#checked(type, value, 16), at)
    return this
  }

  u16be(type: number, value: number): this {
    const at = this.#room(type, 2)
    this.#bytes.writeUInt16BE(this.#checked(type, value, 16), at)
    return this
  }

  u32(type: number, value: number): this {
    const at = this.#room(type, 4)
    this.#bytes.writeUInt32LE(this.#checked(type, value, 32), at)
    return this
  }

  u32be(type: number, value: number): this {
    const at = this.#room(type, 4)
    this.#bytes.writeUInt32BE(this.#checked(type, value, 32), at)
    return this
  }

  bytes(type: number, value: Buffer): this {
    const at = this.#room(type, value.length)
    value.copy(this.#bytes, at)
    return this
  }

  /** With its final NUL; `most` characters at most, as the kernel's policy has it. */
  text(type: number, value: string, most: number): this {
    if (value.length > most || !/^[!-~]*$/.test(value)) {
      throw new MalformedError(
        this.#what,
        `${JSON.stringify(value)} for attribute ${type}, at most ${most} printable characters without blanks`,
      )
    }
    const at = this.#room(type, value.length + 1)
    this.#bytes.write(value, at, 'latin1')
    return this
  }

  nest(type: number, fill: (inner: this) => void): this {
    const at = this.#room(type | nestedFlag, 0)
    fill(this)
    const size = this.#length - at + headerSize
    if (size > largestAttribute) throw new MalformedError(this.#what, `attribute ${type} of ${size} bytes`)
    this.#bytes.writeUInt16LE(size, at - headerSize)
    return this
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}
