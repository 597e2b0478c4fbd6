import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MalformedError } from '../../../agent/kernel/bytes.ts'
import { type NetlinkMessage, decodeMessages } from '../../../agent/kernel/netlink.ts'
import { NetlinkWriter } from '../../../agent/kernel/netlink-writer.ts'
import {
  AnswerLedger,
  type Batch,
  type NetlinkRequest,
  type PipelineRoom,
  writeBatches,
} from '../../../agent/kernel/pipeline.ts'

const request = (index: number, size = 8): NetlinkRequest => ({
  type: 20,
  flags: 0,
  what: () => `request ${index}`,
  write: (writer) => writer.raw(Buffer.alloc(size, index)),
})
const requests = (count: number): NetlinkRequest[] => Array.from({ length: count }, (_, index) => request(index))
const wide: PipelineRoom = { sendBytes: 4 << 20, receiveBytes: 4 << 20 }
const batchesOf = (all: NetlinkRequest[], first = 1, room = wide, answerBytes = 0): Batch[] =>
  writeBatches(new NetlinkWriter(), all, first, room, answerBytes)
const ledgerOf = (count: number, first: number): AnswerLedger => new AnswerLedger(batchesOf(requests(count), first)[0]!)

/** NLMSG_ERROR: the errno, and the request's header as NLM_F_CAPPED leaves it. */
function acknowledgement(sequence: number, errno: number): NetlinkMessage {
  const payload = Buffer.alloc(20)
  payload.writeInt32LE(-errno, 0)
  return { type: 2, flags: 0x100, sequence, payload }
}
const reply = (sequence: number): NetlinkMessage => ({ type: 30, flags: 0, sequence, payload: Buffer.alloc(4) })
const names: Readonly<Record<number, string>> = { 1: 'EPERM', 2: 'ENOENT', 3: 'ESRCH', 17: 'EEXIST' }

describe('the answers to many requests at once', () => {
  test('each outcome belongs to its request: refusals and replies come, done is silent up to the last', () => {
    const errnos = fc.array(fc.constantFrom(0, 1, 2, 3, 17), { minLength: 1, maxLength: 40 })
    const first = fc.oneof(fc.nat(), fc.integer({ min: 0xffffffe0, max: 0xffffffff }))
    fc.assert(
      fc.property(errnos, first, fc.infiniteStream(fc.nat(5)), (wanted, start, dice) => {
        const ledger = ledgerOf(wanted.length, start)
        const roll = (): number => dice.next().value as number
        const sequenceOf = (index: number) => (start + index) >>> 0
        const last = wanted.length - 1
        const withReply = wanted.map((errno) => errno === 0 && roll() === 0)
        const answers = wanted.flatMap((errno, index) => [
          ...(withReply[index] ? [reply(sequenceOf(index))] : []),
          ...(errno !== 0 || index === last ? [acknowledgement(sequenceOf(index), errno)] : []),
        ])
        const foreign = [
          acknowledgement(sequenceOf(-1), 5),
          acknowledgement(sequenceOf(wanted.length), 5),
          reply(sequenceOf(-7)),
        ]
        for (const message of answers) {
          const noise = foreign[roll()]
          if (noise !== undefined) ledger.take(noise)
          expect(ledger.isComplete).toBe(false)
          ledger.take(message)
        }
        expect(ledger.isComplete).toBe(true)
        // What comes behind the end changes nothing.
        ledger.take(acknowledgement(sequenceOf(0), 5))
        const { errors, messages } = ledger.close('ENOBUFS', 'lost')
        expect(errors.map((error) => error?.errno ?? null)).toEqual(wanted.map((errno) => names[errno] ?? null))
        expect(wanted.map((_, index) => messages.get(index)?.length ?? 0)).toEqual(withReply.map(Number))
        for (const [index, error] of errors.entries()) {
          if (error !== null) expect(error.call).toBe(`request ${index}`)
        }
      }),
    )
  })

  test('without the end, silence is not taken for done', () => {
    const ledger = ledgerOf(4, 100)
    ledger.take(acknowledgement(101, 17))
    ledger.take(reply(102))
    expect(ledger.isComplete).toBe(false)
    const { errors } = ledger.close('ENOBUFS', 'its answer was lost')
    expect(errors.map((error) => error?.errno ?? null)).toEqual(['ENOBUFS', 'EEXIST', null, 'ENOBUFS'])
    expect(errors[0]?.message).toBe('The kernel refused request 0: ENOBUFS (its answer was lost).')
  })

  test('after answers were dropped, silence is not taken for done either', () => {
    const ledger = ledgerOf(3, 100)
    ledger.lose()
    ledger.take(acknowledgement(101, 2))
    ledger.take(acknowledgement(102, 0))
    expect(ledger.isComplete).toBe(true)
    expect(ledger.close('ENOBUFS', 'lost').errors.map((error) => error?.errno)).toEqual([
      'ENOBUFS',
      'ENOENT',
      'ENOBUFS',
    ])
  })
})

describe('batches', () => {
  test('all requests once, in their order and under their numbers, each batch within both buffers', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 200 })
    const room = fc.record({
      sendBytes: fc.integer({ min: 4096, max: 1 << 22 }),
      receiveBytes: fc.integer({ min: 4096, max: 1 << 22 }),
    })
    fc.assert(
      fc.property(sizes, room, fc.constantFrom(0, 8192), fc.nat(0xffffffff), (all, granted, answerBytes, first) => {
        const wanted = all.map((size, index) => request(index, size))
        const batches = batchesOf(wanted, first, granted, answerBytes)
        expect(batches.flatMap((batch) => batch.requests)).toEqual(wanted)
        const sent = batches.map(({ datagram }) => decodeMessages(datagram))
        expect(sent.flat().map(({ sequence }) => sequence)).toEqual(wanted.map((_, index) => (first + index) >>> 0))
        expect(sent.flat().map(({ payload }) => payload.length)).toEqual(all.map((size) => (size + 3) & ~3))
        for (const [index, batch] of batches.entries()) {
          const messages = sent[index]!
          expect(messages[0]?.sequence).toBe(batch.first)
          // NLM_F_REQUEST for all, NLM_F_ACK for the last.
          expect(messages.map(({ flags }) => flags)).toEqual([...messages.slice(1).map(() => 1), 5])
          if (batch.requests.length === 1) continue
          expect(batch.datagram.length).toBeLessThanOrEqual(granted.sendBytes / 2)
          expect(batch.requests.length * (2048 + answerBytes)).toBeLessThanOrEqual(granted.receiveBytes)
        }
      }),
    )
  })

  test('a default socket takes a hundred at once, a widened one two thousand', () => {
    const largest = (receiveBytes: number) =>
      Math.max(...batchesOf(requests(5000), 1, { ...wide, receiveBytes }).map((batch) => batch.requests.length))
    expect(largest(212_992)).toBe(104)
    expect(largest(4 << 20)).toBe(2048)
  })

  test('what cannot be written throws before there is anything to send', () => {
    const bad: NetlinkRequest = { ...request(1), what: () => 'a bad one', write: (writer) => writer.u16(1, 70_000) }
    expect(() => batchesOf([request(0), bad])).toThrow(MalformedError)
    expect(() => batchesOf([request(0), bad])).toThrow(
      'a bad one: netlink request: 70000 for attribute 1, expected 0 to 65535',
    )
  })
})
