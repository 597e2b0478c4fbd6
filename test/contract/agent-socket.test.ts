import { spawn } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AgentContract, DirectorState } from '../../core/contract/agent.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { Client } from '../../core/rpc/client.ts'
import { encodeFrame } from '../../core/rpc/framing.ts'
import { alice, service, specOf } from '../fakes/agent.ts'
import { ServedAgent, signalbox } from '../fakes/agent-server.ts'

let served: ServedAgent
beforeEach(async () => {
  served = await ServedAgent.start()
})
afterEach(() => served.remove())

const request = (spec = specOf(service()), baseRevision = 0) => ({
  spec,
  baseRevision,
  confirmWithinSec: null,
  author: alice,
})
const failure = async (promise: Promise<unknown>): Promise<AppError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}

/** The first state for which `holds` is true. */
async function stateWhere(client: Client<AgentContract>, holds: (state: DirectorState) => boolean) {
  for await (const state of client.stream('director.watch', {})) if (holds(state)) return state
  throw new Error('the stream ended')
}

test('hello says who answers, and with which right', async () => {
  const hello = await (await served.client()).call('agent.hello', {})
  expect(hello).toMatchObject({ version: '0.0.0', hostname: 'director', access: 'change' })
  expect(hello.interfaces.map((one) => one.name)).toEqual(['lo', 'eth0', 'mgmt0'])
  expect(hello.dataplane).toMatchObject({ isAvailable: true, reason: null })
  const view = await (await served.client(served.viewSocket)).call('agent.hello', {})
  expect(view.access).toBe('view')
})

test('the view socket reads and changes nothing', async () => {
  const client = await served.client(served.viewSocket)
  await expect(client.call('cluster.plan', { spec: specOf(service()) })).resolves.toMatchObject({ baseRevision: 0 })
  for (const refused of [
    client.call('cluster.apply', request()),
    client.call('cluster.confirm', { revision: 1 }),
    client.call('cluster.revert', { revision: 1 }),
    client.call('arp.probe', { address: '192.0.2.10' }),
    client.call('agent.retire', { keepTraffic: false }),
  ]) {
    expect((await failure(refused)).code).toBe('FORBIDDEN')
  }
  expect(served.kernel.history).toEqual([])
})

test('a change by one connection is seen by another within two seconds', async () => {
  const [watcher, changer] = [await served.client(), await served.client()]
  const seen = stateWhere(watcher, (state) => state.revision === 1 && state.observed.services.length > 0)
  await stateWhere(watcher, () => true)
  const startedAt = performance.now()
  await changer.call('cluster.apply', request())
  expect((await seen).observed.services).toHaveLength(1)
  expect(performance.now() - startedAt).toBeLessThan(2000)
})

test('samples come one a second, and the history has those that were', async () => {
  const client = await served.client()
  await client.call('cluster.apply', request())
  const times: number[] = []
  for await (const sample of client.stream('stats.watch', {})) {
    times.push(sample.monotonicMs)
    if (times.length === 3) break
  }
  expect(times[2]! - times[1]!).toBeGreaterThan(900)
  expect(times[2]! - times[1]!).toBeLessThan(1500)
  const history = await client.call('stats.history', {})
  expect(history.map((sample) => sample.monotonicMs)).toEqual(expect.arrayContaining(times))
  expect(history.at(-1)?.services[0]?.realServers).toHaveLength(2)
})

test('a plan counts the flows that it would cut and hands over a command', async () => {
  const client = await served.client()
  await client.call('cluster.apply', request())
  served.kernel.flows.push({
    clientAddress: '192.0.2.99',
    clientPort: 40_000,
    vip: '192.0.2.10',
    port: 80,
    realServer: { address: '192.0.2.21', port: 80 },
    state: 'established',
    packets: 3,
    bytes: 300,
    idleMs: 5,
  })
  const [kept] = service().realServers
  const plan = await client.call('cluster.plan', { spec: specOf(service({ realServers: [kept] })) })
  expect(plan.risk).toMatchObject({ realServersLeavingRing: 1, servicesRemoved: 0, flowsCut: 1 })
  expect(plan.risk.slotsMoved['tcp/192.0.2.10:80']).toBeGreaterThan(0.4)
  expect(plan.commands[0]?.text).toMatch(/^signalbox apply - <<'EOF'\napiVersion: signalbox\/v1\n/)
  const query = { clientPort: 40_000, vip: '192.0.2.10', port: 80 }
  await expect(client.call('flow.lookup', query)).resolves.toMatchObject({ realServer: { address: '192.0.2.21' } })
  await expect(client.call('flow.lookup', { ...query, clientPort: 1 })).resolves.toBeNull()
})

test('methods that only a JavaScript object has are no methods', async () => {
  const socket = await served.open()
  const answers: Record<string, unknown>[] = []
  socket.on('data', (chunk) => {
    // Small answers, one frame a chunk or several: each begins after four bytes of length.
    for (let at = 0; at < chunk.length; ) {
      const length = chunk.readUInt32BE(at)
      answers.push(JSON.parse(chunk.toString('utf8', at + 4, at + 4 + length)) as Record<string, unknown>)
      at += 4 + length
    }
  })
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', '']
  for (const [id, m] of names.entries()) socket.write(encodeFrame({ t: 'req', id, m, i: {} }))
  await expect.poll(() => answers.length).toBe(names.length)
  for (const answer of answers) expect(answer).toMatchObject({ t: 'err', e: { code: 'NO_METHOD' } })
})

test('a frame of 200 MB is refused before it is taken in, and nobody else notices', async () => {
  const socket = await served.open()
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  const before = process.memoryUsage()
  const header = Buffer.alloc(4)
  header.writeUInt32BE(200 * 1024 * 1024)
  socket.write(header)
  socket.on('error', () => {})
  await ended
  const text = Buffer.concat(chunks).toString('utf8', 4)
  expect(JSON.parse(text)).toMatchObject({ t: 'fatal', e: { code: 'TOO_LARGE' } })
  expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(50 * 1024 * 1024)
  await expect((await served.client()).call('agent.hello', {})).resolves.toMatchObject({ hostname: 'director' })
})

test('a document that does not fit the model is refused by field, found and expected', async () => {
  const client = await served.client()
  const spec = { ...specOf(service()), services: [{ ...specOf(service()).services[0]!, port: 70_000 }] }
  const error = await failure(client.call('cluster.apply', { ...request(), spec }))
  expect(error.code).toBe('BAD_INPUT')
  expect(error.issues).toContainEqual(
    expect.objectContaining({ path: ['spec', 'services', 0, 'port'], found: '70000', expectation: 'portOrAny' }),
  )
  expect(served.kernel.history).toEqual([])
})

test('sockets are for root until their groups are there, and their folder is open to all', () => {
  expect(statSync(served.socket).mode & 0o007).toBe(0)
  expect(statSync(served.viewSocket).mode & 0o007).toBe(0)
  expect(statSync(join(served.dir, 'run')).mode & 0o777).toBe(0o755)
  expect(statSync(join(served.dir, 'state')).mode & 0o777).toBe(0o700)
})

test('the bridge carries bytes as they are, and ends when the agent does', async () => {
  const child = spawn(process.execPath, ['agent/main.ts', 'connect', '--socket', served.socket])
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stdin.write(encodeFrame({ t: 'req', id: 7, m: 'cluster.revision', i: { revision: 0 } }))
  await expect.poll(() => Buffer.concat(chunks).length, { timeout: 10_000 }).toBeGreaterThan(4)
  const bytes = Buffer.concat(chunks)
  expect(bytes.readUInt32BE(0)).toBe(bytes.length - 4)
  expect(JSON.parse(bytes.toString('utf8', 4))).toMatchObject({ t: 'ok', id: 7, v: { revision: 0 } })
  const code = new Promise((resolve) => child.once('close', resolve))
  await served.stop()
  expect(await code).toBe(0)
})

const waitFor = async (holds: () => boolean) => expect.poll(holds, { timeout: 15_000, interval: 50 }).toBe(true)

test('a killed daemon leaves no obstacle; a second one is refused; SIGTERM ends it in peace', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-daemon-'))
  const places = ['--state-dir', join(dir, 'state'), '--socket-dir', join(dir, 'run')]
  const socket = join(dir, 'run/agent.sock')
  const start = () => spawn(process.execPath, ['agent/main.ts', 'agent', ...places], { stdio: 'ignore' })
  const ended = (child: ReturnType<typeof start>) =>
    new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  const first = start()
  try {
    await waitFor(() => existsSync(join(dir, 'run/view.sock')))
    const second = await signalbox(['agent', ...places])
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('Another agent works with')])
    // Another state directory, the same sockets.
    const third = await signalbox(['agent', '--state-dir', join(dir, 'other'), ...places.slice(2)])
    expect([third.code, third.stderr]).toEqual([1, expect.stringContaining('Another agent listens on')])
    const death = ended(first)
    first.kill('SIGKILL')
    await death
    expect(existsSync(socket)).toBe(true)
  } finally {
    first.kill('SIGKILL')
  }
  const next = start()
  try {
    await expect.poll(async () => (await signalbox(['status', '--socket', socket])).code, { timeout: 15_000 }).toBe(0)
    const end = ended(next)
    next.kill('SIGTERM')
    expect(await end).toBe(0)
    expect(existsSync(socket)).toBe(false)
  } finally {
    next.kill('SIGKILL')
    await rm(dir, { recursive: true, force: true })
  }
})

test('what is no socket is not removed to make room for one', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-daemon-'))
  await mkdir(join(dir, 'run'))
  writeFileSync(join(dir, 'run/agent.sock'), 'precious')
  const places = ['--state-dir', join(dir, 'state'), '--socket-dir', join(dir, 'run')]
  const result = await signalbox(['agent', ...places])
  expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('it is no socket')])
  expect(existsSync(join(dir, 'run/agent.sock'))).toBe(true)
  await rm(dir, { recursive: true, force: true })
})

test('a peer that ends in the middle of a frame leaves nothing behind', async () => {
  const socket = await served.open()
  socket.write(encodeFrame({ t: 'req', id: 1, m: 'director.watch', i: {} }))
  socket.write(Buffer.from([0, 0, 1]))
  await new Promise((resolve) => socket.once('data', resolve))
  socket.destroy()
  const client = await served.client()
  await expect(client.call('agent.hello', {})).resolves.toMatchObject({ hostname: 'director' })
  expect(served.log).toEqual([])
})

test('a server that never answers is told as unreachable, not waited for', async () => {
  const path = join(served.dir, 'dead.sock')
  const dead = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => dead.listen(path, resolve))
  const result = await signalbox(['status', '--socket', path])
  expect(result.code).toBe(3)
  await new Promise((resolve) => dead.close(resolve))
})
