import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type NetlinkMessage, decodeMessages } from '../../../agent/kernel/netlink.ts'
import { AnswerLedger, type NetlinkRequest, cutIntoBatches } from '../../../agent/kernel/pipeline.ts'

const request = (index: number, size = 8): NetlinkRequest => ({
  type: 20,
  flags: 0,
  payload: Buffer.alloc(size),
  what: `request ${index}`,
})
const requests = (count: number): NetlinkRequest[] => Array.from({ length: count }, (_, index) => request(index))

/** NLMSG_ERROR: the errno, and the request's header as NLM_F_CAPPED leaves it. */
function acknowledgement(sequence: number, errno: number): NetlinkMessage {
  const payload = Buffer.alloc(20)
  payload.writeInt32LE(-errno, 0)
  return { type: 2, flags: 0x100, sequence, payload }
}
const reply = (sequence: number): NetlinkMessage => ({ type: 30, flags: 0, sequence, payload: Buffer.alloc(4) })

describe('the answers to many requests at once', () => {
  test('each outcome belongs to its request, in whatever order and however mixed the answers come', () => {
    const errnos = fc.array(fc.constantFrom(0, 1, 2, 3, 17), { minLength: 1, maxLength: 40 })
    const first = fc.oneof(fc.nat(), fc.integer({ min: 0xffffffe0, max: 0xffffffff }))
    fc.assert(
      fc.property(errnos, first, fc.infiniteStream(fc.nat()), (wanted, start, dice) => {
        const ledger = new AnswerLedger(requests(wanted.length), start)
        const sequenceOf = (index: number) => (start + index) >>> 0
        const order = wanted.map((_, index) => [dice.next().value, index] as const).toSorted(([a], [b]) => a - b)
        const answers = order.flatMap(([, index]) => {
          const errno = wanted[index]!
          return [...(errno === 0 ? [reply(sequenceOf(index))] : []), acknowledgement(sequenceOf(index), errno)]
        })
        // Foreign ones before and behind the batch's numbers, and one that comes twice with another result.
        const noise = [
          acknowledgement(sequenceOf(-1), 5),
          acknowledgement(sequenceOf(wanted.length), 5),
          reply(sequenceOf(-7)),
        ]
        for (const message of [...noise, ...answers, acknowledgement(sequenceOf(0), 5)]) {
          if (dice.next().value % 3 === 0) ledger.take(noise[0]!)
          ledger.take(message)
        }
        expect(ledger.isComplete).toBe(true)
        const names: Record<number, string> = { 1: 'EPERM', 2: 'ENOENT', 3: 'ESRCH', 17: 'EEXIST' }
        const outcomes = ledger.close('ENOBUFS', 'lost')
        expect(outcomes.map(({ error }) => error?.errno ?? null)).toEqual(wanted.map((errno) => names[errno] ?? null))
        expect(outcomes.map(({ messages }) => messages.length)).toEqual(wanted.map((errno) => (errno === 0 ? 1 : 0)))
        for (const [index, { error }] of outcomes.entries()) {
          if (error !== null) expect(error.call).toBe(`request ${index}`)
        }
      }),
    )
  })

  test('a request without an answer says so; it is never taken for done', () => {
    const ledger = new AnswerLedger(requests(4), 100)
    ledger.take(acknowledgement(103, 0))
    ledger.take(acknowledgement(101, 17))
    expect(ledger.isComplete).toBe(false)
    const outcomes = ledger.close('ENOBUFS', 'its answer was lost')
    expect(outcomes.map(({ error }) => error?.errno ?? null)).toEqual(['ENOBUFS', 'EEXIST', 'ENOBUFS', null])
    expect(outcomes[0]?.error?.message).toBe('The kernel refused request 0: ENOBUFS (its answer was lost).')
  })

  test('every request asks for its acknowledgement under its own number', () => {
    const messages = decodeMessages(new AnswerLedger(requests(3), 0xffffffff).datagram())
    expect(messages.map(({ sequence, flags }) => [sequence, flags & 5])).toEqual([
      [0xffffffff, 5],
      [0, 5],
      [1, 5],
    ])
  })
})

describe('batches', () => {
  test('all requests, in their order, each batch within both buffers', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 200 })
    const room = fc.record({
      sendBytes: fc.integer({ min: 4096, max: 1 << 22 }),
      receiveBytes: fc.integer({ min: 4096, max: 1 << 22 }),
    })
    fc.assert(
      fc.property(sizes, room, fc.constantFrom(0, 8192), (all, granted, answerBytes) => {
        const wanted = all.map((size, index) => request(index, size))
        const batches = cutIntoBatches(wanted, granted, answerBytes)
        expect(batches.flat()).toEqual(wanted)
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0)
          if (batch.length === 1) continue
          expect(new AnswerLedger(batch, 1).datagram().length).toBeLessThanOrEqual(granted.sendBytes / 2)
          expect(batch.length * (2048 + answerBytes)).toBeLessThanOrEqual(granted.receiveBytes)
        }
      }),
    )
  })

  test('a default socket takes a hundred at once, a widened one two thousand', () => {
    const sizes = (receiveBytes: number) =>
      cutIntoBatches(requests(5000), { sendBytes: 1 << 22, receiveBytes }, 0).map((batch) => batch.length)
    expect(Math.max(...sizes(212_992))).toBe(104)
    expect(Math.max(...sizes(4 << 20))).toBe(2048)
  })
})
