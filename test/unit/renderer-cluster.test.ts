import { expect, test } from 'vitest'
import type { DirectorState } from '../../core/contract/agent.ts'
import type { DirectorEntry } from '../../core/contract/session.ts'
import { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { nothingObserved } from '../../core/model/observed.ts'
import {
  applyOrder,
  byCluster,
  type ClusterDirector,
  commonDigest,
  contestedVips,
  entriesOfCluster,
  isDiverged,
} from '../../renderer/store/cluster.ts'

const session: DirectorEntry['session'] = {
  phase: 'ready',
  steps: [],
  question: null,
  error: null,
  attempt: 0,
  retryInMs: null,
  transport: null,
  hello: null,
  clockSkewMs: null,
  roundTripMs: null,
  lostAtMs: null,
}
const entry = (id: string, cluster?: string): DirectorEntry => ({
  profile: {
    id,
    name: id,
    target: { host: id, port: 22, user: 'root' },
    isProduction: false,
    ...(cluster === undefined ? {} : { cluster }),
  },
  session,
})
const spec = ClusterSpec.parse({
  apiVersion: 'signalbox/v1',
  name: 'test',
  services: [
    { name: 'web', vip: '192.0.2.10', port: 80, realServers: [] },
    { name: 'tls', vip: '192.0.2.10', port: 443, realServers: [] },
    { name: 'any', vip: '192.0.2.11', port: 80, announce: 'route', realServers: [] },
  ],
})
const state = (fields: Partial<DirectorState>): DirectorState => ({
  revision: 1,
  digest: 'a',
  spec,
  role: 'standby',
  progress: null,
  lastResult: null,
  observed: nothingObserved,
  drift: [],
  events: [],
  nowMs: 1,
  monotonicMs: 1,
  ...fields,
})
const member = (id: string, fields: Partial<DirectorState> | null): ClusterDirector => ({
  entry: entry(id, 'edge'),
  state: fields === null ? null : state(fields),
  isLive: true,
})

test('directors that name the same cluster are one; a director that names none is alone', () => {
  const all = [entry('lb1', 'edge'), entry('solo'), entry('lb2', 'edge'), entry('x', 'core')]
  const ids = (entries: readonly DirectorEntry[]) => entries.map(({ profile }) => profile.id)
  expect(ids(entriesOfCluster(all, 'lb2'))).toEqual(['lb1', 'lb2'])
  expect(ids(entriesOfCluster(all, 'solo'))).toEqual(['solo'])
  expect(entriesOfCluster(all, 'unknown')).toEqual([])
  expect(byCluster(all).map(([name, entries]) => [name, ids(entries)])).toEqual([
    ['core', ['x']],
    ['edge', ['lb1', 'lb2']],
    [undefined, ['solo']],
  ])
})

test('standby directors get a change before the active one, and so do those that nobody has heard of', () => {
  const data = (role: DirectorState['role']) => ({
    state: state({ role }),
    receivedAtMs: 0,
    heardAtMs: 0,
    isLive: true,
    error: null,
  })
  const entries = [entry('lb1', 'edge'), entry('lb2', 'edge'), entry('lb3', 'edge')]
  expect(applyOrder(entries, { lb1: data('active'), lb2: data('standby') })).toEqual(['lb2', 'lb3', 'lb1'])
})

test('documents diverge by their digests; a director that has none yet, or is not known, does not count', () => {
  expect(isDiverged([member('lb1', {}), member('lb2', {}), member('lb3', null)])).toBe(false)
  expect(isDiverged([member('lb1', {}), member('lb2', { revision: 0, digest: 'b' })])).toBe(false)
  expect(isDiverged([member('lb1', {}), member('lb2', { digest: 'b' })])).toBe(true)
})

test('the document of most is what others differ from; between two it is the active one’s', () => {
  expect(commonDigest([member('lb1', {}), member('lb2', { digest: 'b' }), member('lb3', { digest: 'b' })])).toBe('b')
  expect(commonDigest([member('lb1', {}), member('lb2', { digest: 'b', role: 'active' })])).toBe('b')
  expect(commonDigest([member('lb1', null)])).toBeNull()
})

test('a VIP is contested where two active directors answer ARP for it, not where routers choose', () => {
  const active = { role: 'active' } as const
  expect(contestedVips([member('lb1', active), member('lb2', {})])).toEqual([])
  expect(contestedVips([member('lb1', active), member('lb2', active)])).toEqual(['192.0.2.10'])
})
