import { Duplex, PassThrough } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { method, stream } from '../../core/contract/define.ts'
import type { AppError } from '../../core/contract/errors.ts'
import { byteStreamWire } from '../../core/rpc/byte-stream.ts'
import { createClient } from '../../core/rpc/client.ts'
import { encodeFrame, FrameDecoder, maxFrameBytes } from '../../core/rpc/framing.ts'
import { memoryPair } from '../../core/rpc/memory.ts'
import { serve } from '../../core/rpc/server.ts'
import { type Wire, WireState } from '../../core/rpc/wire.ts'
import { systemClock } from '../../main/shell/system-clock.ts'

const contract = {
  'text.echo': method({ input: z.strictObject({ text: z.string() }), output: z.string() }),
  'text.huge': method({ input: z.strictObject({}), output: z.string() }),
  'list.check': method({ input: z.strictObject({ list: z.array(z.int()) }), output: z.boolean() }),
  'names.take': method({ input: z.record(z.string(), z.unknown()), output: z.array(z.string()) }),
  'time.never': method({ input: z.strictObject({}), output: z.string(), timeoutMs: 60_000 }),
  'news.quiet': stream({ input: z.strictObject({}), item: z.int() }),
  'news.fast': stream({ input: z.strictObject({}), item: z.string() }),
} as const

/** A server over a wire, with a record of what its sources do. */
function serveOn(wire: Wire) {
  const state = { open: 0, produced: 0, aborted: 0, defects: [] as unknown[] }
  const served = serve(
    wire,
    contract,
    {
      'text.echo': ({ text }) => text,
      'text.huge': () => 'x'.repeat(maxFrameBytes),
      'list.check': () => true,
      'names.take': (input) => Object.keys(input),
      'time.never': (_input, { signal }) => new Promise(() => signal.addEventListener('abort', () => state.aborted++)),
      // Does not look at its signal while it waits, as a careless source would.
      'news.quiet': async function* () {
        state.open++
        try {
          yield 1
          await new Promise(() => {})
        } finally {
          state.open--
        }
      },
      'news.fast': async function* (_input, { signal }) {
        state.open++
        try {
          while (!signal.aborted) {
            state.produced++
            yield 'item'
          }
        } finally {
          state.open--
        }
      },
    },
    { peer: 'test', access: 'change', onDefect: (_name, error) => state.defects.push(error) },
  )
  return { served, state }
}

/** Two ends of a byte stream, like a socket pair. */
function duplexPair(): [Duplex, Duplex] {
  const there = new PassThrough()
  const back = new PassThrough()
  return [Duplex.from({ readable: there, writable: back }), Duplex.from({ readable: back, writable: there })]
}

function overBytes() {
  const [far, near] = duplexPair()
  const server = serveOn(byteStreamWire(far))
  const wire = byteStreamWire(near)
  return { ...server, near, wire, client: createClient(wire, contract, systemClock) }
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: AppError) => error.code,
  )

test('calls and streams work over a byte stream', async () => {
  const { client } = overBytes()
  expect(await client.call('text.echo', { text: 'Grüße 你好 \u0000' })).toBe('Grüße 你好 \u0000')
  const items: string[] = []
  for await (const item of client.stream('news.fast', {})) {
    items.push(item)
    if (items.length === 100) break
  }
  expect(items).toHaveLength(100)
})

test('a frame of 200 MB is refused by its header, and the far end’s calls learn why', async () => {
  const { client, near, served } = overBytes()
  const waiting = client.call('time.never', {}).catch((e: unknown) => e)
  await expect.poll(() => served.liveCount).toBe(1)
  const before = process.memoryUsage().arrayBuffers
  const header = Buffer.alloc(4)
  header.writeUInt32BE(200 * 1024 * 1024)
  near.write(header)
  expect(await waiting).toMatchObject({
    code: 'TOO_LARGE',
    message: `A frame of 209715200 bytes was found where at most ${maxFrameBytes} are expected.`,
  })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(maxFrameBytes)
  expect(served.liveCount).toBe(0)
  expect(await codeOf(client.call('text.echo', { text: '' }))).toBe('TOO_LARGE')
})

test.each([
  ['nothing', Buffer.from([0, 0, 0, 0])],
  ['half of a character', Buffer.from([0, 0, 0, 3, 0x22, 0xc3, 0x22])],
  ['no JSON', Buffer.from([0, 0, 0, 1, 0x7b])],
])('a frame with %s ends the connection and says so', async (_what, frame) => {
  const { client, near } = overBytes()
  const waiting = client.call('time.never', {}).catch((e: unknown) => e)
  near.write(frame)
  expect(await waiting).toMatchObject({ code: 'BAD_INPUT' })
})

test('random bytes in random pieces never break more than their connection', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), async (chunks) => {
      const [far, near] = duplexPair()
      const { served, state } = serveOn(byteStreamWire(far))
      near.on('error', () => {})
      near.resume()
      for (const chunk of chunks) if (near.writable) near.write(chunk)
      near.end()
      await expect.poll(() => far.destroyed, { interval: 1 }).toBe(true)
      expect(served.liveCount).toBe(0)
      expect(state.defects).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('a frame that only announces eight megabytes does not get them', () => {
  const before = process.memoryUsage().arrayBuffers
  const decoders = Array.from({ length: 64 }, () => {
    const decoder = new FrameDecoder()
    const header = new Uint8Array(5)
    new DataView(header.buffer).setUint32(0, maxFrameBytes)
    decoder.push(header)
    return decoder
  })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * maxFrameBytes)
  expect(decoders).toHaveLength(64)
})

test('a frame that arrives byte by byte is whole', () => {
  const message = { text: 'Grüße'.repeat(20_000) }
  const decoder = new FrameDecoder()
  const found: unknown[] = []
  for (const byte of encodeFrame(message)) found.push(...decoder.push(Uint8Array.of(byte)))
  expect(found).toEqual([message])
})

test('an input over the limit is not sent, and leaves nothing behind', async () => {
  const { client } = overBytes()
  const text = 'x'.repeat(maxFrameBytes)
  expect(await codeOf(client.call('text.echo', { text }))).toBe('TOO_LARGE')
  expect(client.liveCount).toBe(0)
  expect(await client.call('text.echo', { text: 'still there' })).toBe('still there')
})

test('an answer over the limit becomes an error of that call alone', async () => {
  const { client, served } = overBytes()
  expect(await codeOf(client.call('text.huge', {}))).toBe('TOO_LARGE')
  expect(await client.call('text.echo', { text: 'still there' })).toBe('still there')
  expect(served.liveCount).toBe(0)
})

test('an input with a hundred thousand mistakes gets a short answer', async () => {
  const { client } = overBytes()
  const list = Array.from({ length: 100_000 }, () => 'x' as unknown as number)
  const error = await client.call('list.check', { list }).catch((e: AppError) => e)
  expect(error).toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(/^list\[0\]: found "x".*99999 more/) as string,
  })
  expect((error as AppError).issues).toHaveLength(100)
})

test('names that every object has are names like any other, and pollute nothing', async () => {
  const [far, near] = memoryPair()
  serveOn(far)
  const answers: unknown[] = []
  near.onMessage((answer) => answers.push(answer))
  near.send(
    JSON.parse(
      '{"t":"req","id":1,"m":"names.take","i":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
    ),
  )
  near.send(JSON.parse('{"t":"req","id":2,"m":"text.echo","i":{"text":"a","__proto__":{"polluted":1}}}'))
  near.send(JSON.parse('{"t":"req","id":3,"m":"__proto__","i":{},"__proto__":{"m":"text.echo"}}'))
  await expect.poll(() => answers.length).toBe(3)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  const byId = (answers as { id: number; v?: unknown }[]).toSorted((a, b) => a.id - b.id)
  expect(byId).toMatchObject([
    { id: 1, t: 'ok' },
    { id: 2, t: 'err', e: { code: 'BAD_INPUT', issues: [{ path: ['__proto__'] }] } },
    { id: 3, t: 'err', e: { code: 'NO_METHOD' } },
  ])
  expect(byId[0]?.v).not.toContain('__proto__')
})

test('an answer that this version cannot read fails its call at once', async () => {
  const [far, near] = memoryPair()
  const client = createClient(near, contract, systemClock)
  far.onMessage((request) => {
    const { id } = request as { id: number }
    far.send({ t: 'err', id, e: { code: 'FROM_THE_FUTURE', message: 'news' } })
  })
  expect(await codeOf(client.call('time.never', {}))).toBe('INTERNAL')
  expect(await codeOf(Promise.resolve(client.stream('news.quiet', {}).next()))).toBe('INTERNAL')
  expect(client.liveCount).toBe(0)
})

test('nesting deeper than the stack is high is bad input, not the end', async () => {
  const { near, client } = overBytes()
  const depth = 200_000
  const body = `{"t":"req","id":77,"m":"text.echo","i":{"text":${'['.repeat(depth)}${']'.repeat(depth)}}}`
  const frame = Buffer.alloc(4 + body.length)
  frame.writeUInt32BE(body.length)
  frame.write(body, 4)
  near.write(frame)
  expect(await client.call('text.echo', { text: 'still there' })).toBe('still there')
})

test('cancel and credit for calls that never were are ignored', async () => {
  const { wire, client } = overBytes()
  for (const message of [
    { t: 'cancel', id: 99 },
    { t: 'credit', id: 99, n: 5 },
    { t: 'cancel', id: -1 },
    { t: 'cancel', id: 1e300 },
    { t: 'credit', id: 1, n: 1e9 },
    { t: 'ok', id: 1, v: 1 },
    { t: 'req', id: 1.5, m: 'text.echo', i: { text: '' } },
    { t: 'unheardOf' },
    null,
    [],
    7,
  ]) {
    wire.send(message)
  }
  expect(await client.call('text.echo', { text: 'still there' })).toBe('still there')
})

test('credit cannot be piled up to make the server run ahead of its reader', async () => {
  const [far, near] = memoryPair()
  const { state } = serveOn(far)
  let got = 0
  near.onMessage(() => got++)
  near.send({ t: 'req', id: 1, m: 'news.fast', i: {} })
  for (let i = 0; i < 100; i++) near.send({ t: 'credit', id: 1, n: 1024 })
  await expect.poll(() => got).toBeGreaterThan(500)
  near.send({ t: 'cancel', id: 1 })
  await expect.poll(() => state.open).toBe(0)
  // Up to eight at first and never more than the most at a time afterwards.
  expect(state.produced).toBeLessThanOrEqual(100 * 1024)
})

test('more calls at once than any page needs are refused as busy, and the others go on', async () => {
  const { client, served } = overBytes()
  const stop = new AbortController()
  const calls = Array.from({ length: 300 }, () => codeOf(client.call('time.never', {}, { signal: stop.signal })))
  await expect.poll(() => client.liveCount).toBe(256)
  expect(served.liveCount).toBe(256)
  stop.abort()
  const codes = await Promise.all(calls)
  expect(codes.filter((code) => code === 'BUSY')).toHaveLength(44)
  expect(codes.filter((code) => code === 'CANCELLED')).toHaveLength(256)
  await expect.poll(() => served.liveCount).toBe(0)
})

test('a quiet stream is left at once, while its next item is still awaited', async () => {
  const { client, served } = overBytes()
  const news = client.stream('news.quiet', {})
  expect(await news.next()).toEqual({ done: false, value: 1 })
  const pending = news.next()
  await news.return?.()
  expect(await pending).toEqual({ done: true, value: undefined })
  expect(client.liveCount).toBe(0)
  await expect.poll(() => served.liveCount).toBe(0)
})

test('a stream under a signal that is aborted before the start never asks', async () => {
  const { client, state } = overBytes()
  const items: number[] = []
  for await (const item of client.stream('news.quiet', {}, { signal: AbortSignal.abort() })) items.push(item)
  expect(items).toEqual([])
  expect(await codeOf(client.call('time.never', {}, { signal: AbortSignal.abort() }))).toBe('CANCELLED')
  expect(await client.call('text.echo', { text: 'a' })).toBe('a')
  expect(state.open).toBe(0)
})

test('a connection that is cut in the middle of a stream ends reader and source', async () => {
  const { client, near, state, served } = overBytes()
  const stop = codeOf(
    (async () => {
      for await (const item of client.stream('news.fast', {})) {
        expect(item).toBe('item')
        if (state.produced > 50) near.destroy()
      }
    })(),
  )
  expect(await stop).toBe('CLOSED')
  await expect.poll(() => state.open).toBe(0)
  expect(served.liveCount).toBe(0)
})

test('nothing is left after many calls, cancellations and closings', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('echo', 'never', 'quiet', 'fast', 'unknown'), { maxLength: 30 }),
      fc.boolean(),
      async (acts, isCut) => {
        const { client, served, state, wire } = overBytes()
        const stop = new AbortController()
        const ends = acts.map(async (act) => {
          if (act === 'echo') await client.call('text.echo', { text: act })
          else if (act === 'never') await codeOf(client.call('time.never', {}, { signal: stop.signal }))
          else if (act === 'unknown') await codeOf(client.call('constructor' as 'text.echo', { text: '' }))
          else {
            const name = act === 'quiet' ? 'news.quiet' : 'news.fast'
            for await (const _item of client.stream(name, {}, { signal: stop.signal })) if (act === 'fast') break
          }
        })
        await client.call('text.echo', { text: 'all were sent' })
        if (isCut) wire.close()
        else stop.abort()
        await Promise.allSettled(ends)
        expect(client.liveCount).toBe(0)
        await expect.poll(() => served.liveCount, { interval: 1 }).toBe(0)
        expect(state.defects).toEqual([])
      },
    ),
    { numRuns: 40 },
  )
})

test('a wire respects a stream that is full, and goes on in order when it drains', () => {
  const written: Uint8Array[] = []
  const listeners = new Map<string, (value?: unknown) => void>()
  let isFull = true
  const wire = byteStreamWire({
    write: (bytes) => {
      written.push(bytes)
      return !isFull
    },
    end: () => {},
    destroy: () => {},
    on: (event: string, listener: unknown) => listeners.set(event, listener as () => void),
  })
  for (const message of [1, 2, 3, 4]) wire.send(message)
  expect(written).toHaveLength(1)
  listeners.get('drain')?.()
  expect(written).toHaveLength(2)
  isFull = false
  listeners.get('drain')?.()
  const decoder = new FrameDecoder()
  expect(written.flatMap((bytes) => decoder.push(bytes))).toEqual([1, 2, 3, 4])
})

test('a far end that does not read is cut off before it fills the memory', () => {
  let destroyed = 0
  const wire = byteStreamWire({
    write: () => false,
    end: () => {},
    destroy: () => destroyed++,
    on: () => {},
  })
  const reasons: string[] = []
  wire.onClose((reason) => reasons.push(reason))
  const megabytes = 'x'.repeat(7 * 1024 * 1024)
  for (let i = 0; i < 20; i++) wire.send(megabytes)
  expect(destroyed).toBe(1)
  expect(reasons).toEqual(['The other side does not read.'])
})

test('messages that nobody listens to yet are kept in order, but not without end', () => {
  const state = new WireState()
  for (let i = 0; i < 10; i++) state.receive(i)
  const got: unknown[] = []
  state.onMessage((message) => got.push(message))
  expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])

  const flooded = new WireState()
  for (let i = 0; i < 2000; i++) flooded.receive(i)
  expect(flooded.isClosed).toBe(true)
})
