import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AttributeView, AttributeWriter } from '../../../agent/kernel/attributes.ts'
import { MalformedError } from '../../../agent/kernel/bytes.ts'
import { formatAddress, parseAddress } from '../../../agent/kernel/ip-address.ts'
import { decodeAttributes, encodeAttributes, nestedAttribute, u32Attribute } from '../../../agent/kernel/netlink.ts'

describe('attributes in place', () => {
  test('what is written is read, beyond the first 512 bytes and through nests', () => {
    const value = fc.record({ a: fc.nat(0xff), b: fc.nat(0xffff), c: fc.nat(), d: fc.uint8Array({ maxLength: 700 }) })
    fc.assert(
      fc.property(value, fc.array(value, { maxLength: 3 }), (outer, inner) => {
        const writer = new AttributeWriter('test')
        const write = ({ a, b, c, d }: typeof outer) =>
          writer.u8(1, a).u16(2, b).u16be(3, b).u32(4, c).u32be(5, c).bytes(6, Buffer.from(d)).text(7, 'wlc', 15)
        write(outer)
        for (const [index, one] of inner.entries()) writer.nest(8 + index, () => void write(one))
        const view = new AttributeView(writer.finish(), 11, 'test')
        const expectSame = (from: AttributeView | undefined, { a, b, c, d }: typeof outer) => {
          expect([from?.u8(1), from?.u16(2), from?.u16be(3), from?.u32(4), from?.u32be(5)]).toEqual([a, b, b, c, c])
          expect(from?.bytes(6, d.length)).toEqual(Buffer.from(d))
          expect(from?.text(7)).toBe('wlc')
        }
        expectSame(view, outer)
        for (const [index, one] of inner.entries()) expectSame(view.nest(8 + index, 11, 'test'), one)
        expect(view.has(8 + inner.length)).toBe(false)
      }),
    )
  })

  test('the writer writes what the codec of single attributes writes', () => {
    const writer = new AttributeWriter('test').u32(4, 42).nest(5, (inner) => inner.u32(7, 1).text(8, 'rr', 15))
    const same = [
      u32Attribute(4, 42),
      nestedAttribute(5, [u32Attribute(7, 1), { type: 8, value: Buffer.from('rr\0') }]),
    ]
    expect(writer.finish()).toEqual(encodeAttributes(same))
    expect(decodeAttributes(writer.finish())).toHaveLength(2)
  })

  test('of two of one type the last counts, and a 64-bit number is exact up to 2^53', () => {
    const big = Buffer.alloc(8)
    big.writeBigUInt64LE(2n ** 53n - 1n)
    const bytes = encodeAttributes([u32Attribute(1, 1), u32Attribute(1, 2), { type: 2, value: big }])
    const view = new AttributeView(bytes, 3, 'test')
    expect(view.u32(1)).toBe(2)
    expect(view.u64(2)).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('a value of another size, a text without end, and bytes that are left over are refused', () => {
    const view = (type: number, value: Buffer) => new AttributeView(encodeAttributes([{ type, value }]), 3, 'test')
    expect(() => view(1, Buffer.alloc(3)).u32(1)).toThrow('test: attribute 1 has 3 bytes, not 4')
    expect(() => view(1, Buffer.from('abc')).text(1)).toThrow(/has no end/)
    expect(() => new AttributeView(Buffer.alloc(3), 3, 'test')).toThrow(MalformedError)
    expect(() => new AttributeWriter('test').u8(1, 256)).toThrow('test: 256 for attribute 1, which takes 8 bits')
    expect(() => new AttributeWriter('test').bytes(1, Buffer.alloc(70_000))).toThrow(MalformedError)
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
