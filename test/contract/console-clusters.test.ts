import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ClusterJob } from '../../core/contract/clusters.ts'
import type { ConsoleContract } from '../../core/contract/console.ts'
import type { InputOf } from '../../core/contract/define.ts'
import { AppError } from '../../core/contract/errors.ts'
import { ClusterSpec, emptySpec } from '../../core/model/cluster-spec.ts'
import { type ClusterConsole, clusterIds, errorsOf, openClusterConsole } from '../fakes/cluster-console.ts'

let cluster: ClusterConsole

beforeEach(async () => {
  cluster = await openClusterConsole()
})
afterEach(() => cluster.close())

type ApplyInput = InputOf<ConsoleContract['clusters.apply']>

const change = (fields: Partial<ApplyInput> = {}): ApplyInput => ({
  directorIds: ['lb2', 'lb1'],
  spec: emptySpec('new'),
  baseRevisions: { lb1: 0, lb2: 0, lb3: 0 },
  confirmWithinSec: 60,
  message: 'A change',
  ...fields,
})

async function applied(input: ApplyInput, from = cluster.client): Promise<ClusterJob> {
  let last: ClusterJob | undefined
  for await (const job of from.stream('clusters.apply', input)) last = job
  if (last === undefined) throw new Error('the job said nothing')
  return last
}

const phases = (job: ClusterJob) => Object.fromEntries(job.members.map(({ directorId, phase }) => [directorId, phase]))
const names = () => clusterIds.map((id) => cluster.agents[id].state.spec.name)

test('one document goes to all, in the order given, and is kept on all at once', async () => {
  const order: string[] = []
  for (const id of clusterIds) cluster.agents[id].onApplied = () => order.push(id)
  const job = await applied(change({ directorIds: ['lb3', 'lb2', 'lb1'] }))
  expect(job).toMatchObject({ state: 'applied', message: 'A change' })
  expect(phases(job)).toEqual({ lb3: 'applied', lb2: 'applied', lb1: 'applied' })
  expect(order).toEqual(['lb3', 'lb2', 'lb1'])
  expect(new Set(clusterIds.map((id) => cluster.agents[id].state.digest)).size).toBe(1)
  expect(cluster.agents.lb1.state.progress?.author).toEqual({ user: 'root', via: 'console', from: 'desk' })

  const kept = await cluster.client.call('clusters.settle', { directorIds: [...clusterIds], decision: 'confirm' })
  expect(kept.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed', 'confirmed'])
  expect(cluster.agents.lb2.state.progress).toBeNull()
})

test('the failure of the second takes back the first', async () => {
  cluster.agents.lb1.nextApply = 'fails'
  const job = await applied(change())
  expect(job.state).toBe('takenBack')
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'failed' })
  expect(errorsOf(job.members)).toEqual({ lb1: 'lb1: Attaching failed: EEXIST.' })
  expect(cluster.agents.lb2.did).toEqual(['apply 1 new', 'revert 1'])
  expect(names()).toEqual(['test', 'test', 'test'])
})

test('where no confirmation was asked for, the first gets its former document again', async () => {
  cluster.agents.lb1.nextApply = 'refuses'
  const job = await applied(change({ confirmWithinSec: null }))
  expect(job.state).toBe('takenBack')
  expect(errorsOf(job.members)).toEqual({ lb1: 'lb1: The VIP is taken.' })
  expect(cluster.agents.lb2.did).toEqual(['apply 1 new', 'apply 2 test'])
  expect(names()).toEqual(['test', 'test', 'test'])
})

test('steps that are still wanted after the apply are a failure, and are taken back too', async () => {
  cluster.agents.lb1.nextApply = 'drifts'
  const job = await applied(change())
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'takenBack' })
  expect(errorsOf(job.members)).toEqual({ lb1: 'lb1: all steps were done, and 1 are still wanted.' })
  expect(names()).toEqual(['test', 'test', 'test'])
})

test('a third that cannot be reached stops it before anything is applied', async () => {
  await cluster.client.call('directors.disconnect', { directorId: 'lb3' })
  const input = { directorIds: ['lb3', 'lb2', 'lb1'], spec: emptySpec('new') }
  const plans = await cluster.client.call('clusters.plan', input)
  expect(errorsOf(plans)).toEqual({ lb3: 'lb3 is not connected.' })
  expect(plans.map(({ plan }) => plan?.steps.length)).toEqual([undefined, 1, 1])

  const job = await applied(change(input))
  expect(job.state).toBe('refused')
  expect(phases(job)).toEqual({ lb3: 'refused', lb2: 'checked', lb1: 'checked' })
  expect(errorsOf(job.members)).toEqual({ lb3: 'lb3 is not connected.' })
  expect(clusterIds.flatMap((id) => cluster.agents[id].did)).toEqual([])
})

test('a director that refuses the document, is outdated, or has a revision that awaits: each is named, nothing is applied', async () => {
  cluster.agents.lb1.refusesPlan = new AppError('BAD_INPUT', 'The VIP is taken.')
  expect(errorsOf((await applied(change())).members)).toEqual({ lb1: 'lb1: The VIP is taken.' })
  cluster.agents.lb1.refusesPlan = null

  const outdated = await applied(change({ baseRevisions: { lb1: 4 } }))
  expect(errorsOf(outdated.members)).toEqual({
    lb1: 'lb1 is at revision 0 by now; the change was made on revision 4.',
    lb2: 'lb2 is at revision 0 by now; the change was made without its revision.',
  })
  expect(outdated.members.map(({ error }) => error?.code)).toEqual(['CONFLICT', 'CONFLICT'])

  await applied(change({ directorIds: ['lb1'] }))
  const busy = await applied(change({ baseRevisions: { lb1: 1, lb2: 0 } }))
  expect(errorsOf(busy.members)).toEqual({ lb1: 'lb1: revision 1 is running or awaits its confirmation.' })
  expect(cluster.agents.lb2.did).toEqual([])
})

test('two active directors do not both get a VIP that they would answer for; routers may have several ways', async () => {
  const role = { directorId: 'lb2', input: { role: 'active' } } as const
  await cluster.client.call('director.director.setRole', role)
  const spec = (announce: 'arp' | 'route') => {
    const service = { name: 'web', vip: '192.0.2.10', port: 80, announce, realServers: [] }
    return ClusterSpec.parse({ apiVersion: 'signalbox/v1', name: 'new', services: [service] })
  }
  const input = { directorIds: ['lb3', 'lb2', 'lb1'] }
  const message = 'lb1 and lb2 are both active: both would answer for 192.0.2.10.'
  expect(errorsOf(await cluster.client.call('clusters.plan', { ...input, spec: spec('arp') }))).toEqual({
    lb1: message,
  })
  const job = await applied(change({ ...input, spec: spec('arp') }))
  expect([job.state, errorsOf(job.members)]).toEqual(['refused', { lb1: message }])
  expect(errorsOf(await cluster.client.call('clusters.plan', { ...input, spec: spec('route') }))).toEqual({})
})

test('a director lost in the middle is looked at when it is back, and taken back with the others', async () => {
  cluster.agents.lb1.onApplied = () => cluster.hosts.lb1.cut()
  const job = await cluster.withTime(applied(change()))
  expect(job.state).toBe('takenBack')
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'takenBack' })
  expect(cluster.agents.lb1.did).toEqual(['apply 1 new', 'revert 1'])
  expect(cluster.agents.lb2.did).toEqual(['apply 1 new', 'revert 1'])
})

test('a director that stays away is said to have the new document perhaps, and when it reverts by itself', async () => {
  cluster.agents.lb1.onApplied = () => {
    cluster.hosts.lb1.isReachable = false
    cluster.hosts.lb1.cut()
  }
  const job = await cluster.withTime(applied(change()))
  expect(job.state).toBe('notTakenBack')
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'notTakenBack' })
  expect(job.members[1]?.error).toMatchObject({
    code: 'OFFLINE',
    message: 'lb1 is not connected.',
    hint: 'It reverts by itself 60 s after it was applied, unless somebody confirms it there.',
  })
})

test('a revert that fails is said plainly, with its director', async () => {
  cluster.agents.lb1.nextApply = 'fails'
  cluster.agents.lb2.refusesRevert = new AppError('KERNEL', 'The kernel said EBUSY.')
  const job = await applied(change())
  expect(job.state).toBe('notTakenBack')
  expect(phases(job)).toEqual({ lb2: 'notTakenBack', lb1: 'failed' })
  expect(job.members[0]?.error).toMatchObject({
    message: 'lb2: The kernel said EBUSY.',
    hint: 'It reverts by itself 60 s after it was applied, unless somebody confirms it there.',
  })
})

test('a director that could not undo its own failed steps is not called taken back', async () => {
  cluster.agents.lb1.nextApply = 'failsHalf'
  const job = await applied(change())
  expect(job.state).toBe('notTakenBack')
  expect(phases(job)).toEqual({ lb2: 'takenBack', lb1: 'notTakenBack' })
})

test('a page that goes away neither stops nor confirms the apply, and another page can watch it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  cluster.agents.lb1.onPlan = () => promise
  for await (const job of cluster.client.stream('clusters.apply', change())) {
    expect(job.state).toBe('checking')
    break
  }
  const page = cluster.page()
  await expect(applied(change({ directorIds: ['lb1'] }), page)).rejects.toMatchObject({
    code: 'BUSY',
    message: 'lb1 takes part in another change of its cluster.',
  })
  resolve()
  for await (const jobs of page.stream('clusters.watch', {})) if (jobs[0]?.state === 'applied') break
  expect(cluster.agents.lb1.state.progress?.phase).toBe('awaiting-confirmation')
  expect(names()).toEqual(['new', 'new', 'test'])
})

test('nothing is confirmed where one director cannot be reached; what can be taken back is', async () => {
  await applied(change())
  await cluster.client.call('directors.disconnect', { directorId: 'lb1' })
  const rows = await cluster.client.call('clusters.settle', { directorIds: ['lb1', 'lb2'], decision: 'confirm' })
  expect(rows.map(({ outcome }) => outcome)).toEqual(['untouched', 'untouched'])
  expect(errorsOf(rows)).toEqual({ lb1: 'lb1 is not connected.' })
  expect(cluster.agents.lb2.state.progress).not.toBeNull()

  const back = await cluster.client.call('clusters.settle', { directorIds: ['lb1', 'lb2'], decision: 'revert' })
  expect(back.map(({ outcome }) => outcome)).toEqual(['untouched', 'reverted'])
  expect(errorsOf(back)).toEqual({ lb1: 'lb1 is not connected.' })
})
