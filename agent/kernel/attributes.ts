// Netlink attributes read in place, without a Buffer for each: tables of ten thousand entries take this way.
// Source: include/net/netlink.h (policies, alignment), netlink(7).
import { MalformedError } from './bytes.ts'

const headerSize = 4
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER: kernels set them or not, the type is below. */
const typeMask = 0x3fff
const twoTo32 = 2 ** 32

const swap16 = (value: number): number => ((value & 0xff) << 8) | ((value >>> 8) & 0xff)
const swap32 = (value: number): number => ((swap16(value) << 16) | swap16(value >>> 16)) >>> 0

/** A copy as words in the host's order, which is little-endian wherever the agent runs; zeros fill the last one. */
export function wordsOf(bytes: Buffer): Uint32Array {
  const words = new Uint32Array((bytes.length + 3) >> 2)
  Buffer.from(words.buffer).set(bytes)
  return words
}

/**
 * The attributes of one nest by type, found in one pass. Unknown types are skipped; of two of one type the last counts, as
 * in the kernel's own parser. An attribute that is there has the size that its type wants, or MalformedError says what
 * was found: a value is never read from half an attribute.
 *
 * One reader serves for one nest after another: {@link over} says where the next one is. Offsets count bytes; everything
 * in netlink starts at a multiple of 4, so that one word is read at a time.
 */
export class AttributeReader {
  readonly #what: string
  readonly #largestType: number
  /** Where the value of each type starts; 0 where there is none: no value stands before a header. */
  readonly #starts: number[] = []
  #words: Uint32Array = new Uint32Array(0)

  /** `what` is named in errors. */
  constructor(largestType: number, what: string) {
    this.#what = what
    this.#largestType = largestType
    for (let type = 0; type <= largestType; type++) this.#starts.push(0)
  }

  /** Reads the attributes between `start` and `end`. What was read before is forgotten. */
  over(words: Uint32Array, start: number, end: number): this {
    const starts = this.#starts
    const largest = this.#largestType
    if (end > words.length * 4) throw new MalformedError(this.#what, `${end} of ${words.length * 4} bytes`)
    this.#words = words
    starts.fill(0)
    let at = start
    while (at + headerSize <= end) {
      const header = words[at >> 2] ?? 0
      const size = header & 0xffff
      if (size < headerSize || at + size > end) {
        throw new MalformedError(this.#what, `an attribute of ${size} bytes at ${at - start} of ${end - start}`)
      }
      const type = (header >>> 16) & typeMask
      if (type <= largest) starts[type] = at + headerSize
      at += (size + 3) & ~3
    }
    if (at < end) throw new MalformedError(this.#what, `${end - at} bytes behind the last attribute`)
    return this
  }

  has(type: number): boolean {
    return (this.#starts[type] ?? 0) !== 0
  }

  #word(at: number): number {
    return this.#words[at >> 2] ?? 0
  }

  #sizeAt(start: number): number {
    return (this.#word(start - headerSize) & 0xffff) - headerSize
  }

  /** Where a value of just this size starts; 0 where the attribute is absent. */
  #place(type: number, size: number): number {
    const start = this.#starts[type] ?? 0
    if (start !== 0 && this.#sizeAt(start) !== size) {
      throw new MalformedError(this.#what, `attribute ${type} has ${this.#sizeAt(start)} bytes, not ${size}`)
    }
    return start
  }

  u8(type: number): number | undefined {
    const at = this.#place(type, 1)
    return at === 0 ? undefined : this.#word(at) & 0xff
  }

  u16(type: number): number | undefined {
    const at = this.#place(type, 2)
    return at === 0 ? undefined : this.#word(at) & 0xffff
  }

  /** In network byte order. */
  u16be(type: number): number | undefined {
    const at = this.#place(type, 2)
    return at === 0 ? undefined : swap16(this.#word(at))
  }

  u32(type: number): number | undefined {
    const at = this.#place(type, 4)
    return at === 0 ? undefined : this.#word(at)
  }

  /** In network byte order, the first bytes of a value of `size`. */
  u32be(type: number, size = 4): number | undefined {
    const at = this.#place(type, size)
    return at === 0 ? undefined : swap32(this.#word(at))
  }

  /** Exact up to 2^53, rounded to 53 bits above it. */
  u64(type: number): number | undefined {
    const at = this.#place(type, 8)
    if (at === 0) return undefined
    const high = this.#word(at + 4)
    return high === 0 ? this.#word(at) : this.#word(at) + high * twoTo32
  }

  /** A copy of a value of just this size. */
  bytes(type: number, size: number): Buffer | undefined {
    const at = this.#place(type, size)
    if (at === 0) return undefined
    return Buffer.from(Buffer.from(this.#words.buffer, this.#words.byteOffset + at, size))
  }

  /** Text that ends with a NUL within its attribute; one character for each byte. */
  text(type: number): string | undefined {
    const start = this.#starts[type] ?? 0
    if (start === 0) return undefined
    const end = start + this.#sizeAt(start)
    let text = ''
    for (let at = start; at < end; at++) {
      const byte = (this.#word(at) >>> ((at & 3) * 8)) & 0xff
      if (byte === 0) return text
      text += String.fromCharCode(byte)
    }
    throw new MalformedError(this.#what, `the text of attribute ${type} has no end`)
  }

  /** Puts `inner` over a nest; undefined where the attribute is absent. */
  nest(type: number, inner: AttributeReader): AttributeReader | undefined {
    const start = this.#starts[type] ?? 0
    return start === 0 ? undefined : inner.over(this.#words, start, start + this.#sizeAt(start))
  }
}
