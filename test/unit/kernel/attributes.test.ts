import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AttributeReader, wordsOf } from '../../../agent/kernel/attributes.ts'
import { MalformedError } from '../../../agent/kernel/bytes.ts'
import { formatAddress, parseAddress } from '../../../agent/kernel/ip-address.ts'
import {
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  nestedAttribute,
  u32Attribute,
} from '../../../agent/kernel/netlink.ts'
import { NetlinkWriter } from '../../../agent/kernel/netlink-writer.ts'

const readerOf = (bytes: Buffer): AttributeReader =>
  new AttributeReader(12, 'test').over(wordsOf(bytes), 0, bytes.length)

describe('attributes in place', () => {
  test('what is written is read, beyond the first room of the writer and through nests', () => {
    const value = fc.record({ a: fc.nat(0xff), b: fc.nat(0xffff), c: fc.nat(), d: fc.uint8Array({ maxLength: 900 }) })
    fc.assert(
      fc.property(value, fc.array(value, { maxLength: 3 }), (outer, inner) => {
        const writer = new NetlinkWriter()
        const write = ({ a, b, c, d }: typeof outer) => {
          writer.u8(1, a).u16(2, b).u16be(3, b).u32(4, c).u32be(5, c).bytes(6, Buffer.from(d)).text(7, 'wlc', 15)
          writer.u32be(8, c, 16)
        }
        write(outer)
        for (const [index, one] of inner.entries()) writer.nest(9 + index, () => write(one))
        const reader = readerOf(writer.copy())
        const expectSame = (from: AttributeReader | undefined, { a, b, c, d }: typeof outer) => {
          expect([from?.u8(1), from?.u16(2), from?.u16be(3), from?.u32(4), from?.u32be(5)]).toEqual([a, b, b, c, c])
          expect(from?.bytes(6, d.length)).toEqual(Buffer.from(d))
          expect(from?.text(7)).toBe('wlc')
          expect(from?.u32be(8, 16)).toBe(c)
          expect(from?.bytes(8, 16)?.subarray(4)).toEqual(Buffer.alloc(12))
        }
        expectSame(reader, outer)
        const nested = new AttributeReader(12, 'test')
        for (const [index, one] of inner.entries()) expectSame(reader.nest(9 + index, nested), one)
        expect(reader.has(9 + inner.length)).toBe(false)
      }),
    )
  })

  test('messages and attributes are those of the other codec, and padding is 0 also where a writer is used again', () => {
    const attributes = [
      u32Attribute(4, 42),
      nestedAttribute(5, [u32Attribute(7, 1), { type: 8, value: Buffer.from('rr\0') }]),
    ]
    const payload = Buffer.concat([Buffer.from([1, 2, 0, 0]), encodeAttributes(attributes)])
    const expected = encodeMessage({ type: 20, flags: 5, sequence: 7, payload })
    const writer = new NetlinkWriter()
    writer.bytes(1, Buffer.alloc(900, 0xff))
    const at = writer.reset().beginMessage(20, 5, 7)
    writer.word(0x201)
    writer.u32(4, 42).nest(5, (inner) => inner.u32(7, 1).text(8, 'rr', 15))
    writer.endMessage(at)
    expect(writer.copy()).toEqual(expected)
    expect(decodeMessages(writer.copy())).toHaveLength(1)
  })

  test('growing loses nothing, whatever is being written then', () => {
    for (let before = 0; before < 300; before++) {
      const writer = new NetlinkWriter().raw(Buffer.alloc(before * 4))
      for (let sequence = 0; sequence < 40; sequence++) {
        const at = writer.beginMessage(1, 2, sequence)
        writer.word(0x01020304)
        writer.u8(1, 1).u16be(2, 2).u32be(3, 3, 16).text(4, 'mh', 15).raw(Buffer.from('abcd'))
        writer.nest(5, (inner) => inner.u32(6, 6).bytes(7, Buffer.from([7, 7, 7, 7, 7])))
        writer.endMessage(at)
      }
      const messages = decodeMessages(writer.copy().subarray(before * 4))
      expect(new Set(messages.map(({ payload }) => payload.toString('hex'))).size).toBe(1)
      expect(messages.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 40 }, (_, index) => index))
    }
  })

  test('one reader serves for many nests, and forgets each', () => {
    const reader = new AttributeReader(3, 'test')
    const [one, other] = [encodeAttributes([u32Attribute(1, 1)]), encodeAttributes([u32Attribute(2, 2)])]
    expect(reader.over(wordsOf(one), 0, one.length).u32(1)).toBe(1)
    expect(reader.over(wordsOf(other), 0, other.length).u32(1)).toBeUndefined()
    expect(reader.u32(2)).toBe(2)
  })

  test('of two of one type the last counts, and a 64-bit number is exact up to 2^53', () => {
    const big = Buffer.alloc(8)
    big.writeBigUInt64LE(2n ** 53n - 1n)
    const reader = readerOf(encodeAttributes([u32Attribute(1, 1), u32Attribute(1, 2), { type: 2, value: big }]))
    expect(reader.u32(1)).toBe(2)
    expect(reader.u64(2)).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('a value of another size, a text without end, and bytes that are left over are refused', () => {
    const reader = (type: number, value: Buffer) => readerOf(encodeAttributes([{ type, value }]))
    expect(() => reader(1, Buffer.alloc(3)).u32(1)).toThrow('test: attribute 1 has 3 bytes, not 4')
    expect(() => reader(1, Buffer.from('abc')).text(1)).toThrow(/has no end/)
    expect(() => readerOf(Buffer.alloc(3))).toThrow(MalformedError)
    expect(() => new AttributeReader(3, 'test').over(wordsOf(Buffer.alloc(8)), 0, 12)).toThrow(MalformedError)
    expect(() => new NetlinkWriter().u8(1, 256)).toThrow('256 for attribute 1, expected 0 to 255')
    expect(() => new NetlinkWriter().bytes(1, Buffer.alloc(70_000))).toThrow(MalformedError)
  })
})

describe('addresses', () => {
  const bytesOf = (size: number) =>
    fc
      .array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(255) }), {
        minLength: size,
        maxLength: size,
      })
      .map((all) => Buffer.from(all))

  test('come back as they were', () => {
    fc.assert(
      fc.property(bytesOf(4), bytesOf(16), (four, sixteen) => {
        expect(parseAddress('ipv4', formatAddress('ipv4', four))).toEqual(four)
        expect(parseAddress('ipv6', formatAddress('ipv6', sixteen))).toEqual(sixteen)
      }),
    )
  })

  test('IPv6 is written as a URL writes it, which is RFC 5952', () => {
    fc.assert(
      fc.property(bytesOf(16), (sixteen) => {
        const text = formatAddress('ipv6', sixteen)
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`)
      }),
      { numRuns: 1000 },
    )
  })

  test('what is no address of the family is refused', () => {
    for (const text of ['', '1.2.3', '1.2.3.256', '01.2.3.4', '::1', '1.2.3.4 ']) {
      expect(() => parseAddress('ipv4', text), text).toThrow(MalformedError)
    }
    for (const text of ['', '1.2.3.4', 'fe80::1%eth0', ':::', '1::2::3', '12345::']) {
      expect(() => parseAddress('ipv6', text), text).toThrow(MalformedError)
    }
  })
})
