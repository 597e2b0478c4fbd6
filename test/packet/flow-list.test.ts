import { afterEach, expect, test } from 'vitest'
import { mergePages, orderOf } from '../../agent/dataplane/connection-order.ts'
import { flowPage } from '../../agent/dataplane/ebpf/flow-page.ts'
import { flowState } from '../../agent/dataplane/ebpf/layout.ts'
import { type Connection, type ConnectionPage, ConnectionQuery } from '../../core/model/connection.ts'
import { UnderTest, addressOf, service, vip } from './under-test.ts'

let open: UnderTest | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

const realServers = 3

/** Any number of flows written as the programs write them, no two alike; each seventh has expired. */
function filled(flows: number): UnderTest {
  const dataplane = new UnderTest(realServers, { buckets: 512 })
  open = dataplane
  const { view } = dataplane.set.rows('lb_buckets')
  const { bucket, flow, real } = dataplane.layout
  const reals = dataplane.set.rows('lb_reals')
  const now = dataplane.program('lb_clock').testRun(Buffer.alloc(64)).result >>> 0
  for (let i = 0; i < flows; i++) {
    const base = Math.floor(i / bucket.ways) * bucket.size
    const way = i % bucket.ways
    const index = dataplane.indexOf(1 + (i % realServers))
    flow.write(view, base + bucket.flowsAt + way * bucket.flowSize, {
      saddr: `198.51.${(i * 37) % 200}.${(i * 91) % 250}`,
      sport: 1024 + ((i * 7919) % 60_000),
      daddr: vip,
      dport: 80,
      proto: 6,
      family: 4,
      real: index,
      generation: real.read(reals.view, reals.at(index)).generation,
      last_seen: (now - ((i * 13) % 2500) - (i % 7 === 0 ? 10_000_000 : 0)) >>> 0,
      packets: (i * 31) % 997,
      bytes: ((i * 31) % 997) * 1000 + i,
    })
    const state = [flowState.halfOpen, flowState.established, flowState.closing][i % 3] ?? 0
    view.setBigUint64(base + bucket.wordsAt + way * 8, (BigInt(i) << 32n) | 0x100n | BigInt(state), true)
  }
  return dataplane
}

const ask = (dataplane: UnderTest, query: Partial<ConnectionQuery>): Promise<ConnectionPage> =>
  flowPage(dataplane.flows, dataplane.tables.services(), ConnectionQuery.parse(query))

/** All of them, in whatever order: what the tests sort by themselves. */
async function everyFlow(dataplane: UnderTest): Promise<readonly Connection[]> {
  const pages: ConnectionPage[] = []
  for (let offset = 0; offset < 2000; offset += 500) pages.push(await ask(dataplane, { offset, limit: 500 }))
  return pages.flatMap(({ rows }) => rows)
}

test('every flow is listed once, expired ones are not', async () => {
  const dataplane = filled(1500)
  const all = await everyFlow(dataplane)
  const expected = Array.from({ length: 1500 }, (_, i) => i).filter((i) => i % 7 !== 0).length
  expect(all).toHaveLength(expected)
  expect(new Set(all.map((one) => `${one.clientAddress} ${one.clientPort} ${one.bytes}`)).size).toBe(expected)
  expect(await ask(dataplane, {})).toMatchObject({ matched: expected, total: expected, isCut: false })
})

test.each(ConnectionQuery.shape.sortBy.unwrap().options.flatMap((by) => [[by, false] as const, [by, true] as const]))(
  'sorted by %s, descending %s, a page is a piece of the whole in that order',
  async (sortBy, descending) => {
    const dataplane = filled(1200)
    const order = orderOf({ sortBy, descending })
    const all = (await everyFlow(dataplane)).toSorted(order)
    for (const [offset, limit] of [
      [0, 10],
      [137, 50],
      [all.length - 5, 100],
    ] as const) {
      const { rows } = await ask(dataplane, { sortBy, descending, offset, limit })
      const wanted = all.slice(offset, offset + limit)
      expect(rows).toHaveLength(wanted.length)
      // Rows that are equal in this order may change places; time goes on between two questions.
      const tolerance = sortBy === 'expires' ? 1 : 0
      for (const [i, row] of rows.entries()) expect(Math.abs(order(row, wanted[i]!))).toBeLessThanOrEqual(tolerance)
    }
  },
)

test('filters by real server, client, state and service', async () => {
  const dataplane = filled(600)
  const all = await everyFlow(dataplane)
  const counts = async (query: Partial<ConnectionQuery>, fits: (one: Connection) => boolean) => {
    const page = await ask(dataplane, { ...query, limit: 500 })
    expect(page.rows.every(fits)).toBe(true)
    expect(page.matched).toBe(all.filter(fits).length)
    expect(page.total).toBe(all.length)
    expect(page.matched).toBeGreaterThan(0)
  }
  await counts({ realServer: addressOf(2) }, ({ realServer }) => realServer.address === addressOf(2))
  await counts({ client: '198.51.1' }, ({ clientAddress }) => clientAddress.startsWith('198.51.1'))
  await counts({ state: 'CLOS' }, ({ state }) => state === 'CLOSING')
  await counts({ service }, () => true)
  expect(await ask(dataplane, { service: 'tcp/192.0.2.77:80' })).toMatchObject({ rows: [], matched: 0 })
})

test('a flow whose real server is gone is nobody’s any more', async () => {
  const dataplane = filled(300)
  const before = await ask(dataplane, {})
  dataplane.tables.removeReal(service, `${addressOf(2)}:80`)
  const after = await ask(dataplane, { limit: 500 })
  expect(after.total).toBeLessThan(before.total)
  expect(after.rows.some(({ realServer }) => realServer.address === addressOf(2))).toBe(false)
})

test('pages of two tables become one, in order', async () => {
  const dataplane = filled(100)
  const mine = await ask(dataplane, { limit: 20 })
  const one: Connection = {
    ...mine.rows[0]!,
    dataplane: 'ipvs',
    clientAddress: '198.51.0.1',
    packets: null,
    bytes: null,
  }
  const other: ConnectionPage = { rows: [one], matched: 1, total: 9, isCut: true, takenAtMs: 1 }
  const query = ConnectionQuery.parse({ limit: 5 })
  const merged = mergePages([mine, other], query)
  expect(merged.rows).toHaveLength(5)
  expect(merged.rows.map(({ clientAddress }) => clientAddress)).toContain('198.51.0.1')
  expect(merged).toMatchObject({ matched: mine.matched + 1, total: mine.total + 9, isCut: true })
})
