// Structs that C and TypeScript share: offsets come from the object's BTF, so that no stride is written by hand.
import { type Btf, type BtfField } from './btf.ts'
import { MalformedError } from './bytes.ts'
import { addressBytes, formatAddress } from './ip-address.ts'

/**
 * How a field reads in TypeScript. `count` is a 64-bit counter as a number (exact up to 2^53); `be16` and `be32` are in
 * network order in memory and plain numbers here; `address` is IPv6, or IPv4 in the first 4 of 16 bytes, as the struct's
 * own field `family` says (4 or 6); `mac` is
 * `02:00:00:00:00:01`; `text` ends at the first NUL.
 */
export type FieldKind = 'u8' | 'u16' | 'u32' | 'u64' | 'count' | 'be16' | 'address' | 'mac' | 'text' | 'u64s'

interface FieldValues {
  readonly u8: number
  readonly u16: number
  readonly u32: number
  readonly u64: bigint
  readonly count: number
  readonly be16: number
  readonly address: string
  readonly mac: string
  readonly text: string
  readonly u64s: readonly bigint[]
}

export type RecordShape = Readonly<Record<string, FieldKind>>
export type RecordOf<S extends RecordShape> = { [K in keyof S]: FieldValues[S[K]] }

interface Codec<K extends FieldKind> {
  /** Whether a field of this size can hold it. */
  fits(field: BtfField): boolean
  /** `isIpv6` is what the struct's field `family` says. */
  read(view: DataView, at: number, field: BtfField, isIpv6: boolean): FieldValues[K]
  write(view: DataView, at: number, value: FieldValues[K], field: BtfField): void
}

const isScalarOf = (size: number) => (field: BtfField) => field.size === size && field.length === 1

const codecs: { readonly [K in FieldKind]: Codec<K> } = {
  u8: { fits: isScalarOf(1), read: (v, at) => v.getUint8(at), write: (v, at, value) => v.setUint8(at, value) },
  u16: {
    fits: isScalarOf(2),
    read: (v, at) => v.getUint16(at, true),
    write: (v, at, value) => v.setUint16(at, value, true),
  },
  u32: {
    fits: isScalarOf(4),
    read: (v, at) => v.getUint32(at, true),
    write: (v, at, value) => v.setUint32(at, value, true),
  },
  u64: {
    fits: isScalarOf(8),
    read: (v, at) => v.getBigUint64(at, true),
    write: (v, at, value) => v.setBigUint64(at, value, true),
  },
  count: {
    fits: isScalarOf(8),
    read: (v, at) => v.getUint32(at, true) + v.getUint32(at + 4, true) * 2 ** 32,
    write: (v, at, value) => v.setBigUint64(at, BigInt(value), true),
  },
  be16: { fits: isScalarOf(2), read: (v, at) => v.getUint16(at), write: (v, at, value) => v.setUint16(at, value) },
  address: {
    fits: (field) => field.size === 16,
    read: (v, at, _field, isIpv6) =>
      formatAddress(isIpv6 ? 'ipv6' : 'ipv4', Buffer.from(v.buffer, v.byteOffset + at, 16)),
    write: (v, at, value) => {
      const bytes = addressBytes(value)
      for (let i = 0; i < 16; i++) v.setUint8(at + i, bytes[i] ?? 0)
    },
  },
  mac: {
    fits: (field) => field.size === 6,
    read: (v, at) =>
      [0, 1, 2, 3, 4, 5]
        .map((i) =>
          v
            .getUint8(at + i)
            .toString(16)
            .padStart(2, '0'),
        )
        .join(':'),
    write: (v, at, value) => {
      for (const [i, octet] of value.split(':').entries()) v.setUint8(at + i, Number.parseInt(octet, 16))
    },
  },
  text: {
    fits: (field) => field.elementSize === 1 && field.length > 1,
    read: (v, at, field) => {
      const bytes = Buffer.from(v.buffer, v.byteOffset + at, field.size)
      const end = bytes.indexOf(0)
      return bytes.toString('utf8', 0, end < 0 ? field.size : end)
    },
    write: (v, at, value, field) => {
      const bytes = Buffer.from(v.buffer, v.byteOffset + at, field.size)
      bytes.fill(0)
      bytes.write(value, 0, field.size - 1, 'utf8')
    },
  },
  u64s: {
    fits: (field) => field.elementSize === 8,
    read: (v, at, field) => Array.from({ length: field.length }, (_, i) => v.getBigUint64(at + i * 8, true)),
    write: (v, at, value, field) => {
      for (let i = 0; i < field.length; i++) v.setBigUint64(at + i * 8, value[i] ?? 0n, true)
    },
  },
}

/** Reads and writes one struct at any place in memory. */
export interface RecordLayout<S extends RecordShape> {
  readonly name: string
  readonly size: number
  offsetOf(field: keyof S & string): number
  read(view: DataView, base: number): RecordOf<S>
  readField<K extends keyof S & string>(view: DataView, base: number, field: K): RecordOf<S>[K]
  /** Writes the given fields and leaves the others as they are. */
  write(view: DataView, base: number, values: Partial<RecordOf<S>>): void
  /** A fresh block: the given fields, zero elsewhere, padding included. */
  encode(values: Partial<RecordOf<S>>): Buffer
  decode(bytes: Buffer): RecordOf<S>
}

/**
 * Binds a shape to the struct of that name. Throws MalformedError where a field is missing, has another size, or where
 * the struct has a field that the shape does not name (padding is called `pad…`).
 */
export function bindRecord<S extends RecordShape>(btf: Btf, name: string, shape: S): RecordLayout<S> {
  const { size, fields } = btf.struct(name)
  const bound = Object.entries(shape).map(([key, of]) => {
    const field = fields.find((each) => each.name === key)
    if (field === undefined) throw new MalformedError(`struct ${name}`, `no field ${key}`)
    if (!codecs[of].fits(field)) {
      throw new MalformedError(`struct ${name}`, `${key} has ${field.length} x ${field.elementSize} bytes, not a ${of}`)
    }
    return { key, field, codec: codecs[of] as Codec<FieldKind> }
  })
  const familyAt = fields.find((field) => field.name === 'family')?.offset
  if (familyAt === undefined && Object.values(shape).includes('address')) {
    throw new MalformedError(`struct ${name}`, 'an address without a family')
  }
  const unnamed = fields.find((field) => !Object.hasOwn(shape, field.name) && !field.name.startsWith('pad'))
  if (unnamed !== undefined) throw new MalformedError(`struct ${name}`, `unknown field ${unnamed.name}`)

  const isIpv6At = (view: DataView, base: number): boolean =>
    familyAt !== undefined && view.getUint8(base + familyAt) === 6
  const read = (view: DataView, base: number): RecordOf<S> => {
    const isIpv6 = isIpv6At(view, base)
    return Object.fromEntries(
      bound.map(({ key, field, codec }) => [key, codec.read(view, base + field.offset, field, isIpv6)]),
    ) as RecordOf<S>
  }
  const write = (view: DataView, base: number, values: Partial<RecordOf<S>>): void => {
    for (const { key, field, codec } of bound) {
      const value = values[key]
      if (value !== undefined) codec.write(view, base + field.offset, value, field)
    }
  }
  return {
    name,
    size,
    offsetOf: (key) => bound.find((each) => each.key === key)?.field.offset ?? 0,
    read,
    readField: (view, base, key) => {
      const one = bound.find((each) => each.key === key)
      if (one === undefined) throw new TypeError(`no field ${key}`)
      return one.codec.read(view, base + one.field.offset, one.field, isIpv6At(view, base)) as RecordOf<S>[typeof key]
    },
    write,
    encode: (values) => {
      const bytes = Buffer.alloc(size)
      write(viewOf(bytes), 0, values)
      return bytes
    },
    decode: (bytes) => {
      if (bytes.length < size) throw new MalformedError(`struct ${name}`, `${bytes.length} of ${size} bytes`)
      return read(viewOf(bytes), 0)
    },
  }
}

/** A view of exactly these bytes. */
export function viewOf(bytes: Buffer): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
}
