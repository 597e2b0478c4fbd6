import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ClusterJob } from '../../core/contract/clusters.ts'
import { consoleContract, type ConsoleContract } from '../../core/contract/console.ts'
import type { InputOf } from '../../core/contract/define.ts'
import { AppError } from '../../core/contract/errors.ts'
import { ClusterSpec, emptySpec } from '../../core/model/cluster-spec.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { memoryPair } from '../../core/rpc/memory.ts'
import { serve } from '../../core/rpc/server.ts'
import { createConsole } from '../../main/console/console.ts'
import type { Console } from '../../main/console/ports.ts'
import { FakeClusterAgent } from '../fakes/fake-cluster-agent.ts'
import { FakeDirector } from '../fakes/fake-director.ts'
import { FakeNetwork } from '../fakes/fake-network.ts'
import { ManualClock } from '../fakes/manual-clock.ts'
import { MemorySecrets, MemoryStore } from '../fakes/memory-store.ts'

const ids = ['lb1', 'lb2', 'lb3'] as const
type Id = (typeof ids)[number]

let folder: string
let clock: ManualClock
let hosts: Record<Id, FakeDirector>
let agents: Record<Id, FakeClusterAgent>
let core: Console
let client: Client<ConsoleContract>

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'console-clusters-'))
  await writeFile(path.join(folder, 'agent-linux-x64.tar.gz'), 'agent with node')
  clock = new ManualClock()
  agents = {
    lb1: new FakeClusterAgent('active'),
    lb2: new FakeClusterAgent('standby'),
    lb3: new FakeClusterAgent('standby'),
  }
  hosts = { lb1: host('lb1'), lb2: host('lb2'), lb3: host('lb3') }
  core = await createConsole(
    {
      store: new MemoryStore(),
      secrets: new MemorySecrets(),
      clock,
      ssh: new FakeNetwork(new Map(ids.map((id) => [`${id}.example`, hosts[id]]))),
    },
    { version: '1.2.0', workstation: 'desk', agentPackages: folder, welcome: null, log: () => {} },
  )
  client = open()
  for (const id of ids) {
    const target = { host: `${id}.example`, port: 22, user: 'root' }
    await client.call('directors.save', { profile: { id, name: id, target, isProduction: false, cluster: 'edge' } })
    await client.call('directors.connect', { directorId: id })
  }
  await ready(ids.length)
})
afterEach(async () => {
  await core.close()
  await rm(folder, { recursive: true })
})

function host(id: Id): FakeDirector {
  const director = new FakeDirector()
  director.nowMs = () => clock.nowMs()
  director.installed = '1.2.0'
  director.running = '1.2.0'
  director.agentHandlers = agents[id].handlers
  return director
}

function open(): Client<ConsoleContract> {
  const [near, far] = memoryPair()
  serve(far, consoleContract, core.handlers, { peer: 'test', access: 'change' })
  return createClient(near, consoleContract, clock)
}

async function ready(count: number): Promise<void> {
  for await (const entries of client.stream('directors.watch', {})) {
    if (entries.filter(({ session }) => session.phase === 'ready').length === count) return
  }
}

/** Lets time pass until something is there. */
async function withTime<T>(wanted: Promise<T>): Promise<T> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  wanted.then(over, over)
  while (!isOver) {
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    if (!isOver) clock.advance(500)
  }
  return wanted
}

type ApplyInput = InputOf<ConsoleContract['clusters.apply']>

const change = (fields: Partial<ApplyInput> = {}): ApplyInput => ({
  directorIds: ['lb2', 'lb1'],
  spec: emptySpec('new'),
  baseRevisions: { lb1: 0, lb2: 0, lb3: 0 },
  confirmWithinSec: 60,
  message: 'A change',
  ...fields,
})

async function applied(input: ApplyInput, from = client): Promise<ClusterJob> {
  let last: ClusterJob | undefined
  for await (const job of from.stream('clusters.apply', input)) last = job
  if (last === undefined) throw new Error('the job said nothing')
  return last
}

const phases = (job: ClusterJob) => Object.fromEntries(job.members.map(({ directorId, phase }) => [directorId, phase]))
const errors = (rows: readonly { directorId: string; error: { message: string } | null }[]) =>
  Object.fromEntries(
    rows.filter(({ error }) => error !== null).map(({ directorId, error }) => [directorId, error?.message]),
  )
const names = () => ids.map((id) => agents[id].state.spec.name)

test('one document goes to all, in the order given, and is kept on all at once', async () => {
  const order: string[] = []
  for (const id of ids) agents[id].onApplied = () => order.push(id)
  const job = await applied(change({ directorIds: ['lb3', 'lb2', 'lb1'] }))
  expect(job).toMatchObject({ state: 'applied', message: 'A change' })
  expect(phases(job)).toEqual({ lb3: 'applied', lb2: 'applied', lb1: 'applied' })
  expect(order).toEqual(['lb3', 'lb2', 'lb1'])
  expect(new Set(ids.map((id) => agents[id].state.digest)).size).toBe(1)
  expect(agents.lb1.state.progress?.author).toEqual({ user: 'root', via: 'console', from: 'desk' })

  const kept = await client.call('clusters.settle', { directorIds: [...ids], decision: 'confirm' })
  expect(kept.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed', 'confirmed'])
  expect(agents.lb2.state.progress).toBeNull()
})

test('the failure of the second takes back the first', async () => {
  agents.lb1.nextApply = 'fails'
  const job = await applied(change())
  expect(job.state).toBe('takenBack')
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'failed' })
  expect(errors(job.members)).toEqual({ lb1: 'lb1: Attaching failed: EEXIST.' })
  expect(agents.lb2.did).toEqual(['apply 1 new', 'revert 1'])
  expect(names()).toEqual(['test', 'test', 'test'])
})

test('where no confirmation was asked for, the first gets its former document again', async () => {
  agents.lb1.nextApply = 'refuses'
  const job = await applied(change({ confirmWithinSec: null }))
  expect(job.state).toBe('takenBack')
  expect(errors(job.members)).toEqual({ lb1: 'lb1: The VIP is taken.' })
  expect(agents.lb2.did).toEqual(['apply 1 new', 'apply 2 test'])
  expect(names()).toEqual(['test', 'test', 'test'])
})

test('steps that are still wanted after the apply are a failure, and are taken back too', async () => {
  agents.lb1.nextApply = 'drifts'
  const job = await applied(change())
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'takenBack' })
  expect(errors(job.members)).toEqual({ lb1: 'lb1: all steps were done, and 1 are still wanted.' })
  expect(names()).toEqual(['test', 'test', 'test'])
})

test('a third that cannot be reached stops it before anything is applied', async () => {
  await client.call('directors.disconnect', { directorId: 'lb3' })
  const input = { directorIds: ['lb3', 'lb2', 'lb1'], spec: emptySpec('new') }
  const plans = await client.call('clusters.plan', input)
  expect(errors(plans)).toEqual({ lb3: 'lb3 is not connected.' })
  expect(plans.map(({ plan }) => plan?.steps.length)).toEqual([undefined, 1, 1])

  const job = await applied(change(input))
  expect(job.state).toBe('refused')
  expect(phases(job)).toEqual({ lb3: 'refused', lb2: 'checked', lb1: 'checked' })
  expect(errors(job.members)).toEqual({ lb3: 'lb3 is not connected.' })
  expect(ids.flatMap((id) => agents[id].did)).toEqual([])
})

test('a director that refuses the document, is outdated, or has a revision that awaits: each is named, nothing is applied', async () => {
  agents.lb1.refusesPlan = new AppError('BAD_INPUT', 'The VIP is taken.')
  expect(errors((await applied(change())).members)).toEqual({ lb1: 'lb1: The VIP is taken.' })
  agents.lb1.refusesPlan = null

  const outdated = await applied(change({ baseRevisions: { lb1: 4 } }))
  expect(errors(outdated.members)).toEqual({
    lb1: 'lb1 is at revision 0 by now; the change was made on revision 4.',
    lb2: 'lb2 is at revision 0 by now; the change was made without its revision.',
  })
  expect(outdated.members.map(({ error }) => error?.code)).toEqual(['CONFLICT', 'CONFLICT'])

  await applied(change({ directorIds: ['lb1'] }))
  const busy = await applied(change({ baseRevisions: { lb1: 1, lb2: 0 } }))
  expect(errors(busy.members)).toEqual({ lb1: 'lb1: revision 1 is running or awaits its confirmation.' })
  expect(agents.lb2.did).toEqual([])
})

test('two active directors do not both get a VIP that they would answer for; routers may have several ways', async () => {
  const role = { directorId: 'lb2', input: { role: 'active' } } as const
  await client.call('director.director.setRole', role)
  const spec = (announce: 'arp' | 'route') => {
    const service = { name: 'web', vip: '192.0.2.10', port: 80, announce, realServers: [] }
    return ClusterSpec.parse({ apiVersion: 'signalbox/v1', name: 'new', services: [service] })
  }
  const input = { directorIds: ['lb3', 'lb2', 'lb1'] }
  const message = 'lb1 and lb2 are both active: both would answer for 192.0.2.10.'
  expect(errors(await client.call('clusters.plan', { ...input, spec: spec('arp') }))).toEqual({ lb1: message })
  const job = await applied(change({ ...input, spec: spec('arp') }))
  expect([job.state, errors(job.members)]).toEqual(['refused', { lb1: message }])
  expect(errors(await client.call('clusters.plan', { ...input, spec: spec('route') }))).toEqual({})
})

test('a director lost in the middle is looked at when it is back, and taken back with the others', async () => {
  agents.lb1.onApplied = () => hosts.lb1.cut()
  const job = await withTime(applied(change()))
  expect(job.state).toBe('takenBack')
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'takenBack' })
  expect(agents.lb1.did).toEqual(['apply 1 new', 'revert 1'])
  expect(agents.lb2.did).toEqual(['apply 1 new', 'revert 1'])
})

test('a director that stays away is said to have the new document perhaps, and when it reverts by itself', async () => {
  agents.lb1.onApplied = () => {
    hosts.lb1.isReachable = false
    hosts.lb1.cut()
  }
  const job = await withTime(applied(change()))
  expect(job.state).toBe('notTakenBack')
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'notTakenBack' })
  expect(job.members[1]?.error).toMatchObject({
    code: 'OFFLINE',
    message: 'lb1 is not connected.',
    hint: 'It reverts by itself 60 s after it was applied, unless somebody confirms it there.',
  })
})

test('a revert that fails is said plainly, with its director', async () => {
  agents.lb1.nextApply = 'fails'
  agents.lb2.refusesRevert = new AppError('KERNEL', 'The kernel said EBUSY.')
  const job = await applied(change())
  expect(job.state).toBe('notTakenBack')
  expect(phases(job)).toEqual({ lb2: 'notTakenBack', lb1: 'failed' })
  expect(job.members[0]?.error).toMatchObject({
    message: 'lb2: The kernel said EBUSY.',
    hint: 'It reverts by itself 60 s after it was applied, unless somebody confirms it there.',
  })
})

test('a director that could not undo its own failed steps is not called taken back', async () => {
  agents.lb1.nextApply = 'failsHalf'
  const job = await applied(change())
  expect(job.state).toBe('notTakenBack')
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'notTakenBack' })
})

test('a page that goes away neither stops nor confirms the apply, and another page can watch it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  agents.lb1.onPlan = () => promise
  for await (const job of client.stream('clusters.apply', change())) {
    expect(job.state).toBe('checking')
    break
  }
  const page = open()
  await expect(applied(change({ directorIds: ['lb1'] }), page)).rejects.toMatchObject({
    code: 'BUSY',
    message: 'lb1 takes part in another change of its cluster.',
  })
  resolve()
  for await (const jobs of page.stream('clusters.watch', {})) if (jobs[0]?.state === 'applied') break
  expect(agents.lb1.state.progress?.phase).toBe('awaiting-confirmation')
  expect(names()).toEqual(['new', 'new', 'test'])
})

test('nothing is confirmed where one director cannot be reached; what can be taken back is', async () => {
  await applied(change())
  await client.call('directors.disconnect', { directorId: 'lb1' })
  const rows = await client.call('clusters.settle', { directorIds: ['lb1', 'lb2'], decision: 'confirm' })
  expect(rows.map(({ outcome }) => outcome)).toEqual(['untouched', 'untouched'])
  expect(errors(rows)).toEqual({ lb1: 'lb1 is not connected.' })
  expect(agents.lb2.state.progress).not.toBeNull()

  const back = await client.call('clusters.settle', { directorIds: ['lb1', 'lb2'], decision: 'revert' })
  expect(back.map(({ outcome }) => outcome)).toEqual(['untouched', 'reverted'])
  expect(errors(back)).toEqual({ lb1: 'lb1 is not connected.' })
})

test('a failover lowers the VIPs of the active one before the target raises them', async () => {
  const order: string[] = []
  for (const id of ids) agents[id].onRole = (role) => order.push(`${id} ${role}`)
  const rows = await client.call('clusters.failover', { directorIds: [...ids], to: 'lb2', evenWithout: [] })
  expect(order).toEqual(['lb1 standby', 'lb2 active'])
  expect(rows.map(({ directorId, role, error }) => [directorId, role, error])).toEqual([
    ['lb1', 'standby', null],
    ['lb3', 'standby', null],
    ['lb2', 'active', null],
  ])
})

test('a failover stops before anything is done at a director that cannot be reached, unless it is called dead', async () => {
  await client.call('directors.disconnect', { directorId: 'lb1' })
  const input = { directorIds: [...ids], to: 'lb2' }
  const refused = await client.call('clusters.failover', { ...input, evenWithout: [] })
  expect(errors(refused)).toEqual({ lb1: 'lb1 is not connected.' })
  expect(agents.lb2.did).toEqual([])

  const done = await client.call('clusters.failover', { ...input, evenWithout: ['lb1'] })
  expect(done.map(({ directorId, role }) => [directorId, role])).toEqual([
    ['lb1', null],
    ['lb3', 'standby'],
    ['lb2', 'active'],
  ])
})

test('a target that cannot raise the VIPs gives them back to who had them', async () => {
  agents.lb2.refusesRole = new AppError('KERNEL', 'The kernel said ENODEV.')
  const rows = await client.call('clusters.failover', { directorIds: ['lb1', 'lb2'], to: 'lb2', evenWithout: [] })
  expect(agents.lb1.did).toEqual(['standby', 'active'])
  expect(rows.map(({ directorId, role }) => [directorId, role])).toEqual([
    ['lb1', 'active'],
    ['lb2', null],
  ])
  expect(errors(rows)).toEqual({ lb2: 'lb2: The kernel said ENODEV.' })
  await expect(
    client.call('clusters.failover', { directorIds: ['lb1', 'lb2'], to: 'lb3', evenWithout: [] }),
  ).rejects.toMatchObject({ code: 'BAD_INPUT' })
})
