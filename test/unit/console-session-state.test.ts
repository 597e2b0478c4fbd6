import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AgentHello } from '../../core/contract/agent.ts'
import { Session } from '../../core/contract/session.ts'
import { retryDelayMs } from '../../main/console/director-session.ts'
import { type SessionEvent, disconnected, nextSession } from '../../main/console/session-state.ts'

const hello = AgentHello.parse({
  version: '1.0.0',
  contractVersion: 1,
  hostname: 'lb1',
  kernel: '6.1',
  architecture: 'x86_64',
  bootId: 'b',
  nowMs: 1,
  monotonicMs: 1,
  startedAtMs: 1,
  access: 'change',
  interfaces: [],
  dataplane: { isAvailable: true, reason: null, hooks: [] },
})
const error = { code: 'CLOSED' as const, message: 'lost' }
const question = { kind: 'passphrase' as const, id: '1', keyFile: '/k', wasWrong: false }
const after = (...events: SessionEvent[]) => events.reduce(nextSession, disconnected)
const ready: SessionEvent = { type: 'ready', hello, transport: 'stream-local', clockSkewMs: 1, roundTripMs: 1 }

const anyEvent: fc.Arbitrary<SessionEvent> = fc.constantFrom<SessionEvent>(
  { type: 'connect' },
  { type: 'step', id: 'tcp', state: 'running', detail: 'connecting', params: {} },
  { type: 'step', id: 'tcp', state: 'done' },
  { type: 'question', question },
  { type: 'answered', questionId: '1' },
  { type: 'answered', questionId: '2' },
  ready,
  { type: 'failed', error },
  { type: 'lost', error, atMs: 5 },
  { type: 'waiting', attempt: 1, retryInMs: 1000, error },
  { type: 'retrying', attempt: 1 },
  { type: 'disconnected' },
  { type: 'removing' },
)

test('whatever happens in whatever order, the session fits its contract', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
      const session = after(...events)
      Session.parse(session)
      if (session.phase === 'question') expect(session.question).not.toBe(null)
      if (session.phase === 'failed') expect(session.error).not.toBe(null)
      if (session.phase === 'disconnected') expect(session.hello).toBe(null)
    }),
  )
})

test('a question of a login brings the login back when it is answered', () => {
  expect(after({ type: 'connect' }, { type: 'question', question }).phase).toBe('question')
  expect(after({ type: 'connect' }, { type: 'question', question }, { type: 'answered', questionId: '1' }).phase).toBe(
    'connecting',
  )
  const reconnecting = after(
    { type: 'connect' },
    ready,
    { type: 'lost', error, atMs: 5 },
    { type: 'retrying', attempt: 1 },
  )
  const asked = nextSession(reconnecting, { type: 'question', question })
  expect(nextSession(asked, { type: 'answered', questionId: '1' }).phase).toBe('reconnecting')
})

test("a real server's question leaves a ready director ready", () => {
  const asked = after({ type: 'connect' }, ready, { type: 'question', question })
  expect(asked).toMatchObject({ phase: 'ready', question })
})

test('the step that was running when it failed is the one that failed', () => {
  const session = after(
    { type: 'connect' },
    { type: 'step', id: 'resolve', state: 'done' },
    { type: 'step', id: 'tcp', state: 'running', detail: 'connecting', params: { port: 22 } },
    { type: 'failed', error },
  )
  expect(session.steps.slice(0, 3).map(({ state }) => state)).toEqual(['done', 'failed', 'pending'])
  expect(session.steps[1]?.params).toEqual({ port: 22 })
})

test('the last snapshot survives a loss, not a disconnect', () => {
  const lost = after({ type: 'connect' }, ready, { type: 'lost', error, atMs: 5 })
  expect(lost).toMatchObject({ phase: 'reconnecting', hello, lostAtMs: 5, transport: null })
  expect(nextSession(lost, { type: 'disconnected' })).toEqual(disconnected)
})

test('pauses double up to 30 s and vary by a fifth', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map((attempt) => retryDelayMs(attempt, 0.5))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
  ])
  expect(retryDelayMs(1, 0)).toBe(800)
  expect(retryDelayMs(1, 0.999)).toBeCloseTo(1200, -1)
  expect(retryDelayMs(9, 1)).toBe(30_000)
})
