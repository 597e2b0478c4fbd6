// Netlink attributes read and written in place, without a Buffer for each: tables of ten thousand entries take this way.
// Source: include/net/netlink.h (policies, alignment), netlink(7).
import { MalformedError } from './bytes.ts'

const headerSize = 4
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER: kernels set them or not, the type is below. */
const typeMask = 0x3fff
const twoTo32 = 2 ** 32

const align4 = (size: number): number => (size + 3) & ~3

export const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/**
 * The attributes of one nest by type, found in one pass. Unknown types are skipped; of two of one type the last counts, as
 * in the kernel's own parser. An attribute that is there has the size that its type wants, or MalformedError says what
 * was found: a value is never read from half an attribute.
 *
 * One reader serves for one nest after another: {@link over} says where the next one is.
 */
export class AttributeReader {
  readonly #what: string
  readonly #largestType: number
  /** Where the value of each type starts; 0 where there is none: no value stands before a header. */
  readonly #starts: number[] = []
  #view: DataView = new DataView(new ArrayBuffer(0))

  /** `what` is named in errors. */
  constructor(largestType: number, what: string) {
    this.#what = what
    this.#largestType = largestType
    for (let type = 0; type <= largestType; type++) this.#starts.push(0)
  }

  /** Reads the attributes between `start` and `end`. What was read before is forgotten. */
  over(view: DataView, start: number, end: number): this {
    if (start < 0 || end > view.byteLength) throw new MalformedError(this.#what, `${end} of ${view.byteLength} bytes`)
    this.#view = view
    this.#starts.fill(0)
    let at = start
    while (at + headerSize <= end) {
      const size = view.getUint16(at, true)
      if (size < headerSize || at + size > end) {
        throw new MalformedError(this.#what, `an attribute of ${size} bytes at ${at - start} of ${end - start}`)
      }
      const type = view.getUint16(at + 2, true) & typeMask
      if (type <= this.#largestType) this.#starts[type] = at + headerSize
      at += align4(size)
    }
    if (at < end) throw new MalformedError(this.#what, `${end - at} bytes behind the last attribute`)
    return this
  }

  has(type: number): boolean {
    return (this.#starts[type] ?? 0) !== 0
  }

  #sizeAt(start: number): number {
    return this.#view.getUint16(start - headerSize, true) - headerSize
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
    return at === 0 ? undefined : this.#view.getUint8(at)
  }

  u16(type: number): number | undefined {
    const at = this.#place(type, 2)
    return at === 0 ? undefined : this.#view.getUint16(at, true)
  }

  /** In network byte order. */
  u16be(type: number): number | undefined {
    const at = this.#place(type, 2)
    return at === 0 ? undefined : this.#view.getUint16(at)
  }

  u32(type: number): number | undefined {
    const at = this.#place(type, 4)
    return at === 0 ? undefined : this.#view.getUint32(at, true)
  }

  /** In network byte order. */
  u32be(type: number): number | undefined {
    const at = this.#place(type, 4)
    return at === 0 ? undefined : this.#view.getUint32(at)
  }

  /** In network byte order, the first bytes of a value of `size`. */
  u32beIn(type: number, size: number): number | undefined {
    const at = this.#place(type, size)
    return at === 0 ? undefined : this.#view.getUint32(at)
  }

  /** Exact up to 2^53, rounded to 53 bits above it. */
  u64(type: number): number | undefined {
    const at = this.#place(type, 8)
    if (at === 0) return undefined
    const high = this.#view.getUint32(at + 4, true)
    const low = this.#view.getUint32(at, true)
    return high === 0 ? low : low + high * twoTo32
  }

  /** A copy of a value of just this size. */
  bytes(type: number, size: number): Buffer | undefined {
    const at = this.#place(type, size)
    return at === 0
      ? undefined
      : Buffer.from(this.#view.buffer.slice(this.#view.byteOffset + at, this.#view.byteOffset + at + size))
  }

  /** Text that ends with a NUL within its attribute; one character for each byte. */
  text(type: number): string | undefined {
    const start = this.#starts[type] ?? 0
    if (start === 0) return undefined
    const end = start + this.#sizeAt(start)
    let text = ''
    for (let at = start; at < end; at++) {
      const byte = this.#view.getUint8(at)
      if (byte === 0) return text
      text += String.fromCharCode(byte)
    }
    throw new MalformedError(this.#what, `the text of attribute ${type} has no end`)
  }

  /** Puts `inner` over a nest; undefined where the attribute is absent. */
  nest(type: number, inner: AttributeReader): AttributeReader | undefined {
    const start = this.#starts[type] ?? 0
    return start === 0 ? undefined : inner.over(this.#view, start, start + this.#sizeAt(start))
  }
}
