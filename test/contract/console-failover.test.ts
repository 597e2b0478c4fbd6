import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppError } from '../../core/contract/errors.ts'
import { type ClusterConsole, clusterIds, errorsOf, openClusterConsole } from '../fakes/cluster-console.ts'

let cluster: ClusterConsole

beforeEach(async () => {
  cluster = await openClusterConsole()
})
afterEach(() => cluster.close())

test('a failover lowers the VIPs of the active one before the target raises them', async () => {
  const order: string[] = []
  for (const id of clusterIds) cluster.agents[id].onRole = (role) => order.push(`${id} ${role}`)
  const rows = await cluster.client.call('clusters.failover', {
    directorIds: [...clusterIds],
    to: 'lb2',
    evenWithout: [],
  })
  expect(order).toEqual(['lb1 standby', 'lb2 active'])
  expect(rows.map(({ directorId, role, error }) => [directorId, role, error])).toEqual([
    ['lb1', 'standby', null],
    ['lb3', 'standby', null],
    ['lb2', 'active', null],
  ])
})

test('a failover stops before anything is done at a director that cannot be reached, unless it is called dead', async () => {
  await cluster.client.call('directors.disconnect', { directorId: 'lb1' })
  const input = { directorIds: [...clusterIds], to: 'lb2' }
  const refused = await cluster.client.call('clusters.failover', { ...input, evenWithout: [] })
  expect(errorsOf(refused)).toEqual({ lb1: 'lb1 is not connected.' })
  expect(cluster.agents.lb2.did).toEqual([])

  const done = await cluster.client.call('clusters.failover', { ...input, evenWithout: ['lb1'] })
  expect(done.map(({ directorId, role }) => [directorId, role])).toEqual([
    ['lb1', null],
    ['lb3', 'standby'],
    ['lb2', 'active'],
  ])
})

test('a target that cannot raise the VIPs gives them back to who had them', async () => {
  cluster.agents.lb2.refusesRole = new AppError('KERNEL', 'The kernel said ENODEV.')
  const rows = await cluster.client.call('clusters.failover', {
    directorIds: ['lb1', 'lb2'],
    to: 'lb2',
    evenWithout: [],
  })
  expect(cluster.agents.lb1.did).toEqual(['standby', 'active'])
  expect(rows.map(({ directorId, role }) => [directorId, role])).toEqual([
    ['lb1', 'active'],
    ['lb2', null],
  ])
  expect(errorsOf(rows)).toEqual({ lb2: 'lb2: The kernel said ENODEV.' })
  await expect(
    cluster.client.call('clusters.failover', { directorIds: ['lb1', 'lb2'], to: 'lb3', evenWithout: [] }),
  ).rejects.toMatchObject({ code: 'BAD_INPUT' })
})
