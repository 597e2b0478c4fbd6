import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ArpPacket, decodeArp, encodeArp } from '../../../agent/kernel/arp.ts'
import { MalformedError } from '../../../agent/kernel/bytes.ts'

const octet = fc.integer({ min: 0, max: 255 })
const mac = fc
  .array(octet, { minLength: 6, maxLength: 6 })
  .map((octets) => octets.map((one) => one.toString(16).padStart(2, '0')).join(':'))
const address = fc.array(octet, { minLength: 4, maxLength: 4 }).map((octets) => octets.join('.'))
const packet: fc.Arbitrary<ArpPacket> = fc.record({
  operation: fc.integer({ min: 0, max: 0xffff }),
  senderMac: mac,
  senderAddress: address,
  targetMac: mac,
  targetAddress: address,
})

test('a packet comes back as it was written', () => {
  fc.assert(
    fc.property(packet, (one) => {
      expect(decodeArp(encodeArp(one))).toEqual(one)
    }),
  )
})

test('a probe has the bytes of RFC 5227', () => {
  const probe = encodeArp({
    operation: 1,
    senderMac: '02:00:00:00:00:01',
    senderAddress: '0.0.0.0',
    targetMac: '00:00:00:00:00:00',
    targetAddress: '192.0.2.100',
  })
  expect(probe.toString('hex')).toBe('000108000604000102000000000100000000' + '000000000000' + 'c0000264')
})

test('another kind of network is no packet of ours; a short one is refused', () => {
  const bytes = encodeArp({
    operation: 2,
    senderMac: '02:00:00:00:00:01',
    senderAddress: '192.0.2.1',
    targetMac: '02:00:00:00:00:02',
    targetAddress: '192.0.2.2',
  })
  bytes.writeUInt16BE(6, 0)
  expect(decodeArp(bytes)).toBeNull()
  expect(() => decodeArp(bytes.subarray(0, 27))).toThrow(MalformedError)
})
