import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { decodeDestination } from '../../../agent/dataplane/ipvs/codec-destination.ts'
import { decodeService } from '../../../agent/dataplane/ipvs/codec-service.ts'
import { decodeDaemon, decodeInfo, decodeTimeouts } from '../../../agent/dataplane/ipvs/codec-settings.ts'
import { MalformedError } from '../../../agent/kernel/bytes.ts'
import { decodeFamily, decodeGeneric } from '../../../agent/kernel/genl.ts'
import { type Attribute, attributeOf, decodeAttributes, encodeAttributes } from '../../../agent/kernel/netlink.ts'
import { golden, over } from './golden.ts'

const decodeAny = over((words, start, end) => decodeDestination(words, start, end, 'ipv4'))
const decodeOne = over(decodeService)
const recorded = [
  ...golden('services-6.1').map(({ attributes }) => ({ attributes, nest: 1, decode: decodeOne })),
  ...golden('destinations-6.1').map(({ attributes }) => ({ attributes, nest: 2, decode: decodeAny })),
]
const decoders = [
  decodeOne,
  decodeAny,
  over(decodeDaemon),
  over(decodeTimeouts),
  over(decodeInfo),
  decodeFamily,
  decodeGeneric,
]

/** A value or a MalformedError, nothing else. Returns whether it was refused. */
function isRefused(decode: (bytes: Buffer) => unknown, bytes: Buffer): boolean {
  try {
    decode(bytes)
    return false
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return true
  }
}

/** The same message with another inside. */
const rebuilt = (attributes: Buffer, nest: number, change: (inner: Attribute[]) => Attribute[], flag = 0): Buffer =>
  encodeAttributes([
    {
      type: nest | flag,
      value: encodeAttributes(change(decodeAttributes(attributeOf(decodeAttributes(attributes), nest)!))),
    },
  ])

describe('input that nobody vouches for', () => {
  test('a recorded answer that is cut off is refused, wherever it is cut', () => {
    for (const { attributes, decode } of recorded) {
      for (let length = 0; length < attributes.length; length++) {
        expect(isRefused(decode, attributes.subarray(0, length)), `${length} bytes`).toBe(true)
      }
    }
  })

  test('an answer with one attribute cut short, too long, or away is refused or reads as before, never otherwise', () => {
    for (const { attributes, nest, decode } of recorded) {
      const whole = decode(attributes)
      const inner = decodeAttributes(attributeOf(decodeAttributes(attributes), nest)!)
      for (const [index, { type }] of inner.entries()) {
        // STATS is not read where STATS64 is there.
        const isRead = type !== 10
        const isText = nest === 1 && type === 6
        const shorter = rebuilt(attributes, nest, (all) =>
          all.with(index, { type, value: all[index]!.value.subarray(1) }),
        )
        const longer = rebuilt(attributes, nest, (all) =>
          all.with(index, { type, value: Buffer.concat([all[index]!.value, Buffer.alloc(1)]) }),
        )
        if (isRead && !isText) {
          expect(isRefused(decode, shorter), `attribute ${type}`).toBe(true)
          expect(isRefused(decode, longer), `attribute ${type}`).toBe(true)
        } else if (!isRead) expect(decode(shorter)).toEqual(whole)
        const without = rebuilt(attributes, nest, (all) => all.filter((_, at) => at !== index))
        isRefused(decode, without)
      }
    }
  })

  test('unknown attributes are skipped, wherever they stand and whatever is in them', () => {
    const unknown = fc.record({
      type: fc.integer({ min: 16, max: 0x3fff }),
      value: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    })
    fc.assert(
      fc.property(fc.constantFrom(...recorded), unknown, fc.nat(), ({ attributes, nest, decode }, extra, place) => {
        const inside = rebuilt(attributes, nest, (all) => all.toSpliced(place % (all.length + 1), 0, extra))
        expect(decode(inside)).toEqual(decode(attributes))
        expect(decode(Buffer.concat([encodeAttributes([extra]), attributes]))).toEqual(decode(attributes))
      }),
    )
  })

  test('the NESTED bit may be there or not, at every level', () => {
    for (const { attributes, nest, decode } of recorded) {
      const flagged = rebuilt(
        attributes,
        nest,
        (all) => all.map(({ type, value }) => ({ type: type === 10 || type === 12 ? type | 0x8000 : type, value })),
        0x8000,
      )
      expect(decode(flagged)).toEqual(decode(attributes))
    }
  })

  test('a message in the other byte order is refused, and no value is read from it', () => {
    for (const { attributes, decode } of recorded) {
      const swapped = Buffer.from(attributes)
      const swap = (at: number) => swapped.subarray(at, at + 2).reverse()
      swap(0)
      swap(2)
      expect(isRefused(decode, swapped)).toBe(true)
    }
  })

  test('numbers in the other byte order show: a family of 512 is refused', () => {
    for (const { attributes, nest, decode } of recorded) {
      const type = nest === 1 ? 1 : 11
      const turned = rebuilt(attributes, nest, (all) =>
        all.map((one) => (one.type === type ? { type, value: Buffer.from(one.value).reverse() } : one)),
      )
      expect(() => decode(turned)).toThrow(/address family 512, expected 2 or 10/)
    }
  })

  test('100,000 inputs: random bytes, and recorded answers with random bytes in them', { timeout: 60_000 }, () => {
    // Most inputs are refused; a stack for each would be most of the time.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    onTestFinished(() => {
      Error.stackTraceLimit = stackTraceLimit
    })
    let refused = 0
    const noise = fc.uint8Array({ maxLength: 120 })
    fc.assert(
      fc.property(noise, fc.nat(), fc.constantFrom(...recorded), (bytes, place, { attributes, decode }) => {
        const random = Buffer.from(bytes)
        for (const one of decoders) isRefused(one, random)
        const damaged = Buffer.from(attributes)
        random.copy(damaged, place % damaged.length)
        if (isRefused(decode, damaged)) refused += 1
      }),
      { numRuns: 100_000, seed: 20_261_126 },
    )
    expect(refused).toBeGreaterThan(25_000)
  })
})
