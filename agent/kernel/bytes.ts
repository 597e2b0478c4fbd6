/** Input from outside that does not have the form it should have: the sentence says what was found where. */
export class MalformedError extends Error {
  constructor(what: string, found: string) {
    super(`${what}: ${found}`)
    this.name = 'MalformedError'
  }
}

/**
 * Little-endian reader over bytes that nobody vouches for: every read is checked against the end, so that a truncated or
 * hostile input gives a MalformedError and never a RangeError or a wrong value.
 */
export class ByteReader {
  readonly bytes: Buffer
  readonly what: string

  constructor(bytes: Buffer, what: string) {
    this.bytes = bytes
    this.what = what
  }

  #check(offset: number, size: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0 || size < 0 || offset + size > this.bytes.length) {
      throw new MalformedError(this.what, `${size} bytes at ${offset} are outside of its ${this.bytes.length} bytes`)
    }
  }

  u8(offset: number): number {
    this.#check(offset, 1)
    return this.bytes.readUInt8(offset)
  }

  u16(offset: number): number {
    this.#check(offset, 2)
    return this.bytes.readUInt16LE(offset)
  }

  u32(offset: number): number {
    this.#check(offset, 4)
    return this.bytes.readUInt32LE(offset)
  }

  i32(offset: number): number {
    this.#check(offset, 4)
    return this.bytes.readInt32LE(offset)
  }

  /** A 64-bit value that counts bytes; beyond 2^53 nothing can be inside of a file. */
  size64(offset: number): number {
    this.#check(offset, 8)
    const value = this.bytes.readBigUInt64LE(offset)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedError(this.what, `${value} at ${offset} is no size`)
    return Number(value)
  }

  u64(offset: number): bigint {
    this.#check(offset, 8)
    return this.bytes.readBigUInt64LE(offset)
  }

  slice(offset: number, size: number): Buffer {
    this.#check(offset, size)
    return this.bytes.subarray(offset, offset + size)
  }

  /** Text up to the first NUL, which must come before `end`. */
  text(offset: number, end: number = this.bytes.length): string {
    this.#check(offset, 1)
    const stop = this.bytes.indexOf(0, offset)
    if (stop < 0 || stop >= end) throw new MalformedError(this.what, `the text at ${offset} has no end`)
    return this.bytes.toString('latin1', offset, stop)
  }
}
