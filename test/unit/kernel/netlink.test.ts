import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MalformedError } from '../../../agent/kernel/bytes.ts'
import {
  type Attribute,
  type NetlinkMessage,
  attributeOf,
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  nestedAttribute,
  u32Attribute,
  u32Of,
} from '../../../agent/kernel/netlink.ts'
import { decodeAddress, decodeLink, decodeNeighbour, decodeRoute } from '../../../agent/kernel/route.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const attribute: fc.Arbitrary<Attribute> = fc.record({ type: fc.integer({ min: 0, max: 0x3fff }), value: bytes(40) })
const message: fc.Arbitrary<NetlinkMessage> = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  flags: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffffffff }),
  payload: bytes(60),
})

/** Runs a decoder on bytes that nobody vouches for: a value or a MalformedError, nothing else. */
function decodesOrRefuses(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedError)
  }
}

describe('netlink codec', () => {
  test('messages come back as they were written, many to a datagram', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        expect(decodeMessages(Buffer.concat(messages.map(encodeMessage)))).toEqual(messages)
      }),
    )
  })

  test('attributes come back as they were written, each aligned to 4 bytes', () => {
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 8 }), (attributes) => {
        const encoded = encodeAttributes(attributes)
        expect(encoded.length % 4).toBe(0)
        expect(decodeAttributes(encoded)).toEqual(attributes)
      }),
    )
  })

  test('a nested attribute is found with and without its flag', () => {
    const inner = [u32Attribute(7, 42)]
    for (const outer of [nestedAttribute(5, inner), { type: 5, value: encodeAttributes(inner) }]) {
      const found = attributeOf(decodeAttributes(encodeAttributes([outer])), 5)
      expect(u32Of(attributeOf(decodeAttributes(found!), 7), 0)).toBe(42)
    }
  })

  test('no bytes make a decoder fail in another way than by saying so', () => {
    fc.assert(
      fc.property(bytes(200), (input) => {
        decodesOrRefuses(() => decodeMessages(input))
        decodesOrRefuses(() => decodeAttributes(input))
        const asMessage = { type: 16, flags: 0, sequence: 1, payload: input }
        for (const decode of [decodeLink, decodeAddress, decodeRoute, decodeNeighbour]) {
          decodesOrRefuses(() => decode(asMessage))
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('a datagram that is cut off is refused, wherever it is cut', () => {
    const whole = encodeMessage({ type: 16, flags: 2, sequence: 9, payload: Buffer.alloc(24, 1) })
    for (let length = 1; length < whole.length; length++) {
      expect(() => decodeMessages(whole.subarray(0, length)), `${length} bytes`).toThrow(MalformedError)
    }
  })

  test('a length of less than a header is refused and does not loop', () => {
    const message = Buffer.alloc(32)
    expect(() => decodeMessages(message)).toThrow('a message of 0 bytes at 0')
    expect(() => decodeAttributes(Buffer.alloc(8))).toThrow('one of 0 bytes at 0')
  })
})

describe('rtnetlink', () => {
  /** RTM_NEWNEIGH of 192.0.2.21 on interface 3 in the given state (NUD_*). */
  const neighbour = (state: number, more: Attribute[] = []) =>
    decodeNeighbour({
      type: 28,
      flags: 0,
      sequence: 0,
      payload: Buffer.concat([
        Buffer.from([2, 0, 0, 0, 3, 0, 0, 0, state, 0, 0, 1]),
        encodeAttributes([
          { type: 1, value: Buffer.from([192, 0, 2, 21]) },
          { type: 2, value: Buffer.from([2, 0, 0, 0, 0, 0x21]) },
          ...more,
        ]),
      ]),
    })

  test('a neighbour has a MAC address while its state is usable', () => {
    for (const state of [2, 4, 8, 16, 64, 128])
      expect(neighbour(state)?.mac, `state ${state}`).toBe('02:00:00:00:00:21')
    for (const state of [0, 1, 32]) expect(neighbour(state)?.mac, `state ${state}`).toBeNull()
  })

  test('a managed neighbour is told by its extended flags', () => {
    expect(neighbour(2)).toMatchObject({ isManaged: false, isPermanent: false, ifindex: 3, address: '192.0.2.21' })
    expect(neighbour(2, [u32Attribute(15, 1)])?.isManaged).toBe(true)
    expect(neighbour(128)?.isPermanent).toBe(true)
  })

  test('a route through a gateway is no direct one, also where the gateway has an IPv6 address', () => {
    const route = (attributes: Attribute[]) =>
      decodeRoute({
        type: 24,
        flags: 0,
        sequence: 0,
        payload: Buffer.concat([Buffer.from([2, 32, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0]), encodeAttributes(attributes)]),
      })
    const via = u32Attribute(4, 3)
    expect(route([via])).toMatchObject({ ifindex: 3, gateway: null, isLocal: false })
    expect(route([via, { type: 5, value: Buffer.from([192, 0, 2, 1]) }]).gateway).toBe('192.0.2.1')
    expect(route([via, { type: 18, value: Buffer.alloc(18, 1) }]).gateway).not.toBeNull()
  })
})
