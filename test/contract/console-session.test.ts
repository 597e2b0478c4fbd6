import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { consoleContract, type ConsoleContract } from '../../core/contract/console.ts'
import type { DirectorEntry, Session } from '../../core/contract/session.ts'
import { emptySpec } from '../../core/model/cluster-spec.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { memoryPair } from '../../core/rpc/memory.ts'
import { serve } from '../../core/rpc/server.ts'
import { createConsole } from '../../main/console/console.ts'
import type { Console } from '../../main/console/ports.ts'
import { systemClock } from '../../main/shell/system-clock.ts'
import { FakeDirector } from '../fakes/fake-director.ts'
import { ManualClock } from '../fakes/manual-clock.ts'
import { MemorySecrets, MemoryStore } from '../fakes/memory-store.ts'

const directorId = 'lb1'
const profile = {
  id: directorId,
  name: 'lb1',
  target: { host: '192.0.2.1', port: 22, user: 'root' },
  isProduction: false,
}

let folder: string
let director: FakeDirector
let clock: ManualClock
let store: MemoryStore
let secrets: MemorySecrets
let log: string[]
let core: Console
let client: Client<ConsoleContract>
let sessions: AsyncIterableIterator<DirectorEntry[]>
let seen: Session[]

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'console-session-'))
  await writeFile(path.join(folder, 'agent-linux-x64.tar.gz'), 'agent with node')
  await writeFile(path.join(folder, 'agent-linux-x64-nonode.tar.gz'), 'agent')
  director = new FakeDirector()
  clock = new ManualClock()
  director.nowMs = () => clock.nowMs()
  store = new MemoryStore()
  secrets = new MemorySecrets()
  log = []
  await open()
})
afterEach(async () => {
  await core.close()
  await rm(folder, { recursive: true })
})

async function open(): Promise<void> {
  core = await createConsole(
    { store, secrets, clock, ssh: director },
    {
      version: '1.2.0',
      workstation: 'desk',
      agentPackages: folder,
      welcome: null,
      log: (line) => log.push(line),
    },
  )
  const [near, far] = memoryPair()
  serve(far, consoleContract, core.handlers, { peer: 'test', access: 'change' })
  client = createClient(near, consoleContract, systemClock)
  await client.call('directors.save', { profile })
  sessions = client.stream('directors.watch', {})
  seen = []
}

/** The next session that fits; every one on the way is kept in `seen`. */
async function until(fits: (session: Session) => boolean): Promise<Session> {
  for (;;) {
    const next = await sessions.next()
    if (next.done === true) throw new Error('the stream of sessions ended')
    const session = next.value[0]?.session
    if (session === undefined) continue
    seen.push(session)
    if (fits(session)) return session
  }
}
const phase = (wanted: Session['phase']) => (session: Session) => session.phase === wanted

async function connect(): Promise<void> {
  await client.call('directors.connect', { directorId })
}
async function answer(session: Session, given: Parameters<typeof client.call<'directors.answer'>>[1]['answer']) {
  await client.call('directors.answer', { directorId, questionId: session.question?.id ?? '', answer: given })
}
const step = (session: Session, id: string) => session.steps.find((s) => s.id === id)

async function connectReady(): Promise<Session> {
  director.installed = '1.2.0'
  director.running = '1.2.0'
  await connect()
  return until(phase('ready'))
}

test('a director with the same agent is ready without a question; skew and round trip are told', async () => {
  director.clockAheadMs = 5000
  const session = await connectReady()
  expect(session.hello?.hostname).toBe('lb1')
  expect(session).toMatchObject({ transport: 'stream-local', clockSkewMs: 5000, roundTripMs: 0 })
  expect(step(session, 'agent')).toMatchObject({ state: 'done', detail: 'current' })
  expect(step(session, 'install')).toMatchObject({ state: 'skipped', detail: 'notNeeded' })
  expect(step(session, 'handshake')).toMatchObject({ state: 'done', detail: 'streamLocal' })
})

test('a missing agent is installed after the question, with progress and a digest', async () => {
  await connect()
  const asked = await until(phase('question'))
  expect(asked.question).toMatchObject({
    kind: 'install',
    reason: 'missing',
    installedVersion: null,
    version: '1.2.0',
    bytes: 'agent with node'.length,
    asUser: 'root',
    withSudo: false,
  })
  expect(director.commands.some((command) => command.includes('mkdir'))).toBe(false)
  await answer(asked, { kind: 'accept' })
  const session = await until(phase('ready'))
  expect(director).toMatchObject({ installed: '1.2.0', running: '1.2.0' })
  expect(step(session, 'install')).toMatchObject({ state: 'done', detail: 'installed' })
  expect(director.commands).toContain('/opt/signalbox/current/signalbox setup')
})

test('a rejected installation changes nothing and says so', async () => {
  await connect()
  await answer(await until(phase('question')), { kind: 'reject' })
  const session = await until(phase('failed'))
  expect(session.error).toMatchObject({ code: 'AGENT_MISSING' })
  expect(step(session, 'install')).toMatchObject({ state: 'failed', detail: 'refused' })
  expect(director.commands.filter((command) => !command.startsWith('sh -s'))).toEqual([])
})

test('a host with a recent Node gets the package without one', async () => {
  director.facts['node'] = 'v24.1.0'
  await connect()
  expect((await until(phase('question'))).question).toMatchObject({ bytes: 'agent'.length })
})

test('everything that is missing on a host is named before anything is uploaded', async () => {
  Object.assign(director.facts, {
    architecture: 'aarch64',
    glibc: 'glibc 2.17',
    kernel: '5.4.0-100-generic',
    btf: 'no',
    options: 'rw,noexec',
    free: '0',
    uid: '1000',
    user: 'op',
    sudo: 'sudo: a password is required',
  })
  await connect()
  const { error, steps } = await until(phase('failed'))
  expect(error?.code).toBe('HOST_UNFIT')
  expect(Object.keys(error?.details ?? {}).sort()).toEqual(
    ['architecture', 'btf', 'glibc', 'kernel', 'noexec', 'root', 'space'].map((key) => `unfit.${key}`),
  )
  expect(error?.message).toContain('There is no agent build for aarch64')
  expect(JSON.parse(error?.details?.['unfit.glibc'] ?? '{}')).toEqual({ found: '2.17', needed: '2.28' })
  expect(steps.find(({ state }) => state === 'failed')).toMatchObject({ id: 'install', detail: 'unfit' })
})

test('musl and a host without an agent build are told apart from an old glibc', async () => {
  Object.assign(director.facts, { glibc: '', ldd: 'musl libc (x86_64) Version 1.2.4' })
  await connect()
  expect(Object.keys((await until(phase('failed'))).error?.details ?? {})).toEqual(['unfit.musl'])
})

test('a package that arrives damaged is not unpacked', async () => {
  director.damagesUploads = true
  await connect()
  await answer(await until(phase('question')), { kind: 'accept' })
  expect((await until(phase('failed'))).error).toMatchObject({
    code: 'REFUSED',
    details: { expected: createHash('sha256').update('agent with node').digest('hex') },
  })
  expect(director.installed).toBe(null)
})

test('without root, everything that changes the host goes through sudo', async () => {
  Object.assign(director.facts, { uid: '1000', user: 'op', sudo: 'OK' })
  await connect()
  const asked = await until(phase('question'))
  expect(asked.question).toMatchObject({ asUser: 'op', withSudo: true })
  await answer(asked, { kind: 'accept' })
  const session = await until(phase('ready'))
  expect(session.transport).toBe('exec')
  expect(step(session, 'handshake')).toMatchObject({ detail: 'socketForbidden', params: { user: 'op' } })
  expect(director.commands).toContain('sudo -n /opt/signalbox/current/signalbox setup')
  expect(director.commands).toContain('sudo -n /opt/signalbox/current/signalbox connect')
})

test('where sshd forbids stream-local forwarding, the exec bridge is used and named', async () => {
  director.forbidsStreamLocal = true
  const session = await connectReady()
  expect(session.transport).toBe('exec')
  expect(step(session, 'handshake')).toMatchObject({ state: 'done', detail: 'streamLocalForbidden' })
})

test('an older agent is offered to be replaced, and works on when that is refused', async () => {
  director.installed = '1.1.0'
  director.running = '1.1.0'
  await connect()
  const asked = await until(phase('question'))
  expect(asked.question).toMatchObject({ kind: 'install', reason: 'old', installedVersion: '1.1.0' })
  await answer(asked, { kind: 'reject' })
  expect((await until(phase('ready'))).hello?.version).toBe('1.1.0')
  // It is not asked for again when the connection comes back.
  director.cut()
  await until(phase('reconnecting'))
  clock.advance(1000)
  await until(phase('ready'))
  expect(seen.filter(({ question }) => question !== null).map(({ question }) => question?.id)).toEqual(['1'])
})

test('an older agent is replaced when that is accepted', async () => {
  director.installed = '1.1.0'
  director.running = '1.1.0'
  await connect()
  await answer(await until(phase('question')), { kind: 'accept' })
  expect((await until(phase('ready'))).hello?.version).toBe('1.2.0')
})

test('an agent of another contract is never talked to', async () => {
  director.installed = '3.0.0'
  director.running = '3.0.0'
  director.contractVersion = 7
  await connect()
  const asked = await until(phase('question'))
  expect(asked.question).toMatchObject({ reason: 'newer', installedVersion: '3.0.0' })
  await answer(asked, { kind: 'reject' })
  expect((await until(phase('failed'))).error?.code).toBe('AGENT_OLD')
})

test('an agent that is installed and does not run is started', async () => {
  director.installed = '1.2.0'
  await connect()
  const session = await until(phase('ready'))
  expect(step(session, 'agent')).toMatchObject({ detail: 'stopped' })
  expect(seen.every(({ question }) => question === null)).toBe(true)
})

test('a lost director comes back by itself with growing pauses, and keeps its last snapshot meanwhile', async () => {
  await connectReady()
  director.isReachable = false
  director.cut()
  let session = await until((s) => s.phase === 'reconnecting' && s.retryInMs !== null)
  expect(session).toMatchObject({ attempt: 1, retryInMs: 1000, transport: null, lostAtMs: clock.nowMs() })
  expect(session.hello?.hostname).toBe('lb1')
  const pauses = [1000]
  for (let attempt = 2; attempt <= 7; attempt++) {
    clock.advance(pauses.at(-1) ?? 0)
    session = await until((s) => s.attempt === attempt && s.retryInMs !== null)
    expect(session.error?.code).toBe('SSH_UNREACHABLE')
    pauses.push(session.retryInMs ?? 0)
  }
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000])
  director.isReachable = true
  clock.advance(30_000)
  expect(await until(phase('ready'))).toMatchObject({ attempt: 0, retryInMs: null, lostAtMs: null, error: null })
})

test('an operator need not wait for the next try', async () => {
  await connectReady()
  director.cut()
  await until((s) => s.retryInMs !== null)
  await connect()
  await until(phase('ready'))
})

test('an agent that restarts is found again over the same SSH connection', async () => {
  await connectReady()
  director.killAgent()
  await until((s) => s.retryInMs !== null)
  director.running = '1.2.0'
  clock.advance(1000)
  await until(phase('ready'))
  expect(director.logins).toBe(1)
})

test('what cannot get better by itself ends the reconnecting', async () => {
  director.password = 'secret'
  director.installed = '1.2.0'
  director.running = '1.2.0'
  await connect()
  await answer(await until(phase('question')), { kind: 'secrets', secrets: ['secret'], remember: false })
  await until(phase('ready'))
  director.password = 'another'
  director.cut()
  await until((s) => s.retryInMs !== null)
  clock.advance(1000)
  // The password of this session is tried first, then asked for.
  const asked = await until(phase('question'))
  expect(asked.question).toMatchObject({ kind: 'password', wasWrong: true })
  await answer(asked, { kind: 'secrets', secrets: ['wrong'], remember: false })
  await answer(await until((s) => s.question !== null && s.question.id !== asked.question?.id), {
    kind: 'secrets',
    secrets: ['wrong too'],
    remember: false,
  })
  expect((await until(phase('failed'))).error?.code).toBe('SSH_AUTH')
})

test('a remembered password is not asked for again, and is in neither store nor log', async () => {
  director.password = 'correct horse'
  director.installed = '1.2.0'
  director.running = '1.2.0'
  await connect()
  await answer(await until(phase('question')), { kind: 'secrets', secrets: ['correct horse'], remember: true })
  await until(phase('ready'))
  expect([...secrets.secrets.values()]).toEqual(['correct horse'])
  const { text } = await client.call('directors.log', { directorId })
  expect(text).toContain('handshake done')
  expect([text, ...store.texts.values(), ...log].join()).not.toContain('correct horse')
  await core.close()
  await open()
  await connect()
  await until(phase('ready'))
  expect(seen.every(({ question }) => question === null)).toBe(true)
})

test('disconnecting at a question ends it', async () => {
  await connect()
  const asked = await until(phase('question'))
  await client.call('directors.disconnect', { directorId })
  await until(phase('disconnected'))
  await expect(answer(asked, { kind: 'accept' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(director.openConnections).toBe(0)
})

test('an answer of another kind is refused and the question stays', async () => {
  await connect()
  const asked = await until(phase('question'))
  await expect(answer(asked, { kind: 'secrets', secrets: ['x'], remember: false })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  })
  await answer(asked, { kind: 'accept' })
  await until(phase('ready'))
})

test('calls go to the agent; what the console knows better than the page is filled in', async () => {
  await connectReady()
  const spec = emptySpec('edge')
  await client.call('director.cluster.plan', { directorId, input: { spec, protectedAddresses: ['203.0.113.9'] } })
  await client.call('director.cluster.apply', {
    directorId,
    input: {
      spec,
      baseRevision: 0,
      confirmWithinSec: 60,
      author: { user: 'mallory', via: 'cli', from: 'elsewhere' },
      message: 'test',
    },
  })
  expect(director.received).toMatchObject([
    { method: 'cluster.plan', input: { protectedAddresses: ['203.0.113.9', '192.0.2.1'] } },
    {
      method: 'cluster.apply',
      input: { protectedAddresses: ['192.0.2.1'], author: { user: 'root', via: 'console', from: 'desk' } },
    },
  ])
})

test("an agent's refusal arrives as it was given", async () => {
  await connectReady()
  await expect(client.call('director.cluster.confirm', { directorId, input: { revision: 1 } })).rejects.toMatchObject({
    code: 'REFUSED',
    message: 'This fake does not do that.',
  })
})

test('a stream of a lost director ends with OFFLINE, and so does a call', async () => {
  await connectReady()
  const states = client.stream('director.director.watch', { directorId, input: {} })
  expect(await states.next()).toMatchObject({ value: { spec: { name: 'lab' } } })
  const end = expect(states.next()).rejects.toMatchObject({ code: 'OFFLINE', retryable: true })
  director.cut()
  await end
  await expect(client.call('director.agent.hello', { directorId, input: {} })).rejects.toMatchObject({
    code: 'OFFLINE',
  })
  await expect(client.call('director.agent.hello', { directorId: 'nobody', input: {} })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('removing the agent retires it, takes its files away and says what was removed', async () => {
  await connectReady()
  const { removed } = await client.call('directors.removeAgent', { directorId, keepTraffic: false })
  expect(removed).toEqual(['/etc/systemd/system/signalbox.service', '/opt/signalbox/1.2.0', '/opt/signalbox'])
  expect(director.received).toEqual([{ method: 'agent.retire', input: { keepTraffic: false } }])
  expect(director).toMatchObject({ installed: null, running: null, openConnections: 0 })
  await until(phase('disconnected'))
  expect(seen.some((s) => s.phase === 'removing' && step(s, 'install')?.detail === 'tearingDown')).toBe(true)
})

test('a profile cannot be changed while connected, and forgetting it disconnects', async () => {
  await connectReady()
  await expect(client.call('directors.save', { profile: { ...profile, name: 'other' } })).rejects.toMatchObject({
    code: 'REFUSED',
  })
  await client.call('directors.forget', { directorId })
  expect(director.openConnections).toBe(0)
  expect(JSON.parse(store.texts.get('directors') ?? '')).toEqual({ profiles: [] })
})
