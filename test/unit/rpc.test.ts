import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { method, stream } from '../../core/contract/define.ts'
import type { AppError } from '../../core/contract/errors.ts'
import { createClient } from '../../core/rpc/client.ts'
import { encodeFrame, FrameDecoder, maxFrameBytes } from '../../core/rpc/framing.ts'
import { memoryPair } from '../../core/rpc/memory.ts'
import { serve } from '../../core/rpc/server.ts'

const timers = {
  after(delayMs: number, callback: () => void) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
const contract = {
  'text.double': method({ input: z.strictObject({ text: z.string() }), output: z.string() }),
  'text.store': method({ input: z.strictObject({}), output: z.string(), access: 'change' }),
  'time.never': method({ input: z.strictObject({}), output: z.string(), timeoutMs: 20 }),
  'number.count': stream({ input: z.strictObject({ to: z.int() }), item: z.int() }),
} as const

function setUp(access: 'view' | 'change' = 'change') {
  const [far, near] = memoryPair()
  const state = { produced: 0, isOpen: false, defects: [] as string[], startedNever: false, abortedNever: false }
  serve(
    far,
    contract,
    {
      'text.double': ({ text }) => {
        if (text === 'defect') throw new Error('a secret detail')
        return text + text
      },
      'text.store': () => 'stored',
      'time.never': (_input, { signal }) =>
        new Promise(() => {
          state.startedNever = true
          signal.addEventListener('abort', () => (state.abortedNever = true))
        }),
      'number.count': async function* ({ to }) {
        state.isOpen = true
        try {
          for (let i = 0; i < to; i++) {
            state.produced++
            yield i
          }
        } finally {
          state.isOpen = false
        }
      },
    },
    { peer: 'test', access, onDefect: (name) => state.defects.push(name) },
  )
  return { client: createClient(near, contract, timers), near, state }
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: AppError) => error.code,
  )

test('a call is answered', async () => {
  const { client } = setUp()
  expect(await client.call('text.double', { text: 'ab' })).toBe('abab')
  expect(client.liveCount).toBe(0)
})

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', ''])(
  'a method named %j does not exist',
  async (name) => {
    const { near } = setUp()
    const answers: unknown[] = []
    near.onMessage((answer) => answers.push(answer))
    near.send({ t: 'req', id: 1, m: name, i: {} })
    await expect.poll(() => answers).toMatchObject([{ t: 'err', id: 1, e: { code: 'NO_METHOD' } }])
  },
)

test('an input that does not fit names the field, what was found and what was expected', async () => {
  const { client } = setUp()
  const error = await client.call('text.double', { text: 7 as unknown as string }).catch((e: AppError) => e)
  expect(error).toMatchObject({ code: 'BAD_INPUT', issues: [{ path: ['text'], found: '7' }] })
})

test('a defect tells the caller nothing but that it happened', async () => {
  const { client, state } = setUp()
  const error = await client.call('text.double', { text: 'defect' }).catch((e: AppError) => e)
  expect(error).toMatchObject({ code: 'INTERNAL' })
  expect(JSON.stringify(error)).not.toContain('secret')
  expect(state.defects).toEqual(['text.double'])
})

test('a connection that may only read is refused a change', async () => {
  expect(await codeOf(setUp('view').client.call('text.store', {}))).toBe('FORBIDDEN')
  expect(await codeOf(setUp('change').client.call('text.store', {}))).toBe('answered')
})

test('a call that is not answered in time is given up and aborted at the far end', async () => {
  const { client, state } = setUp()
  expect(await codeOf(client.call('time.never', {}))).toBe('TIMEOUT')
  await expect.poll(() => state.abortedNever).toBe(true)
  expect(client.liveCount).toBe(0)
})

test('a cancelled call is aborted at the far end', async () => {
  const { client, state } = setUp()
  const abort = new AbortController()
  const call = codeOf(client.call('time.never', {}, { signal: abort.signal, timeoutMs: 10_000 }))
  await expect.poll(() => state.startedNever).toBe(true)
  abort.abort()
  expect(await call).toBe('CANCELLED')
  await expect.poll(() => state.abortedNever).toBe(true)
})

test('a stream arrives whole and in order', async () => {
  const { client } = setUp()
  const items: number[] = []
  for await (const item of client.stream('number.count', { to: 100 })) items.push(item)
  expect(items).toEqual(Array.from({ length: 100 }, (_, i) => i))
  expect(client.liveCount).toBe(0)
})

test('a reader that stops after one item holds the source back by credit and then ends it', async () => {
  const { client, state } = setUp()
  for await (const item of client.stream('number.count', { to: 1_000_000 })) {
    expect(item).toBe(0)
    await expect.poll(() => state.produced).toBe(8)
    break
  }
  await expect.poll(() => state.isOpen).toBe(false)
  expect(state.produced).toBeLessThan(20)
})

test('a closed wire rejects what is under way and everything after', async () => {
  const { client, near } = setUp()
  const call = codeOf(client.call('time.never', {}, { timeoutMs: 10_000 }))
  near.close('cable pulled')
  expect(await call).toBe('CLOSED')
  expect(await codeOf(client.call('text.double', { text: 'x' }))).toBe('CLOSED')
  expect(client.liveCount).toBe(0)
})

test('a request id that is in use is not answered twice', async () => {
  const { near } = setUp()
  const answers: unknown[] = []
  near.onMessage((answer) => answers.push(answer))
  near.send({ t: 'req', id: 5, m: 'time.never', i: {} })
  near.send({ t: 'req', id: 5, m: 'text.double', i: { text: 'x' } })
  near.send({ t: 'req', id: 6, m: 'text.double', i: { text: 'y' } })
  await expect.poll(() => answers).toEqual([{ t: 'ok', id: 6, v: 'yy' }])
})

test('rubbish on the wire is neither answered nor fatal', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.anything(), { maxLength: 20 }), async (rubbish) => {
      const { client, near } = setUp()
      for (const message of rubbish) {
        try {
          near.send(message)
        } catch {
          // Not every value can be copied; such a one cannot arrive either.
        }
      }
      expect(await client.call('text.double', { text: 'still there' })).toBe('still therestill there')
    }),
    { numRuns: 50 },
  )
})

test('frames survive any cutting of the stream', () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 8 }),
      fc.array(fc.nat(50), { maxLength: 60 }),
      (messages, cuts) => {
        const bytes = messages
          .map(encodeFrame)
          .reduce((all, frame) => new Uint8Array([...all, ...frame]), new Uint8Array())
        const decoder = new FrameDecoder()
        const found: unknown[] = []
        let at = 0
        for (const cut of [...cuts, bytes.length]) {
          found.push(...decoder.push(bytes.subarray(at, at + cut)))
          at = Math.min(bytes.length, at + cut)
        }
        expect(found).toEqual(messages.map((message) => JSON.parse(JSON.stringify(message)) as unknown))
      },
    ),
  )
})

test('a frame of 200 MB is refused by its header, before anything is allocated for it', () => {
  const header = new Uint8Array(4)
  new DataView(header.buffer).setUint32(0, 200 * 1024 * 1024)
  expect(() => new FrameDecoder().push(header)).toThrow(
    `A frame of 209715200 bytes was found where at most ${maxFrameBytes}`,
  )
})
