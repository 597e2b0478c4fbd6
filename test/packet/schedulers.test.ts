import { afterEach, describe, expect, test } from 'vitest'
import type { Scheduler } from '../../core/model/scheduler.ts'
import { serviceConfig } from '../fixtures/configs.ts'
import { synFrame } from '../fixtures/packet-scenarios.ts'
import { describeFrame, encodeFrame, frameOf } from '../fixtures/packets.ts'
import { type Hook, UnderTest, macOf, service, vip } from './under-test.ts'

let open: UnderTest | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

/** A dataplane with real servers of these weights, numbered from 1. */
function start(scheduler: Scheduler, weights: readonly number[]): UnderTest {
  open?.close()
  const dataplane = new UnderTest(weights.length)
  open = dataplane
  dataplane.tables.putService(service, serviceConfig({ vip, scheduler }))
  for (const [i, weight] of weights.entries()) dataplane.change(i + 1, { weight })
  return dataplane
}

const frame = (client: string, port: number, flags: ('SYN' | 'ACK' | 'RST')[] = ['SYN']) =>
  encodeFrame(frameOf(synFrame, { ip: { source: client }, tcp: { sourcePort: port, flags } }))

function serverOf(dataplane: UnderTest, hook: Hook, packet: Buffer): number {
  const mac = describeFrame(dataplane.run(hook, packet).packet)['ethernet.destination']
  return [1, 2, 3, 4].find((n) => macOf(n) === mac) ?? 0
}

/** Opens flows of clients and ports of its own; how many each real server got, by its place. */
function opened(dataplane: UnderTest, flows: number, hook: Hook = 'tcx'): number[] {
  const counts = [0, 0, 0, 0, 0]
  for (let i = 0; i < flows; i++) {
    const packet = frame(`198.51.${100 + (i % 50)}.${1 + ((i * 7) % 250)}`, 1024 + i)
    const server = serverOf(dataplane, hook, packet)
    counts[server] = (counts[server] ?? 0) + 1
  }
  return counts.slice(1)
}

/** A CPU has a turn of its own, and a test run may be on any of them. */
const offBy = 16

describe.each(['tcx', 'xdp'] as const)('%s', (hook) => {
  test('sh: all flows of a client meet one server, clients are spread, and every director chooses alike', () => {
    const choices = (dataplane: UnderTest) =>
      Array.from({ length: 40 }, (_, i) => {
        const client = `198.51.100.${1 + i}`
        const servers = new Set([1, 2, 3].map((port) => serverOf(dataplane, hook, frame(client, 2000 + port))))
        expect(servers.size).toBe(1)
        return [...servers][0]
      })
    const first = choices(start('sh', [1, 1, 1]))
    expect(new Set(first).size).toBe(3)
    expect(choices(start('sh', [1, 1, 1]))).toEqual(first)
  })

  test('rr: each server has its turn, whatever its weight; weight 0 has none', () => {
    const [one = 0, two = 0, three = 0, four = 0] = opened(start('rr', [5, 1, 1, 0]), 300, hook)
    for (const count of [one, two, three]) expect(Math.abs(count - 100)).toBeLessThanOrEqual(offBy)
    expect(four).toBe(0)
  })

  test('wrr: turns by weight', () => {
    const [one = 0, two = 0, three = 0] = opened(start('wrr', [3, 2, 1]), 300, hook)
    expect(Math.abs(one - 150)).toBeLessThanOrEqual(offBy)
    expect(Math.abs(two - 100)).toBeLessThanOrEqual(offBy)
    expect(Math.abs(three - 50)).toBeLessThanOrEqual(offBy)
  })

  test('wlc: flows stand by weight, and a server that has many gets none until the others caught up', () => {
    const dataplane = start('wlc', [2, 1])
    const [one = 0, two = 0] = opened(dataplane, 300, hook)
    expect(Math.abs(one - 200)).toBeLessThanOrEqual(offBy)
    expect(Math.abs(two - 100)).toBeLessThanOrEqual(offBy)
  })

  test('lc: weights do not matter', () => {
    const [one = 0, two = 0, three = 0] = opened(start('lc', [9, 1, 1]), 300, hook)
    for (const count of [one, two, three]) expect(Math.abs(count - 100)).toBeLessThanOrEqual(offBy)
  })
})

test('wlc: a new server gets the flows until it has as many as the others', () => {
  const dataplane = start('wlc', [1, 1])
  opened(dataplane, 200)
  dataplane.add(3)
  const counts = { 1: 0, 2: 0, 3: 0 } as Record<number, number>
  for (let i = 0; i < 90; i++) {
    const server = serverOf(dataplane, 'tcx', frame(`198.51.7.${1 + i}`, 40_000 + i))
    counts[server] = (counts[server] ?? 0) + 1
  }
  expect(counts[3]).toBeGreaterThan(80)
})

test('wlc: the sweep sets the counts right when flows have ended', async () => {
  const dataplane = start('wlc', [1, 1])
  // Server 1 alone is there, and gets a hundred flows; then they end.
  dataplane.change(2, { state: 'drain' })
  const opening = Array.from({ length: 100 }, (_, i) => [`198.51.9.${1 + i}`, 3000 + i] as const)
  for (const [client, port] of opening) expect(serverOf(dataplane, 'tcx', frame(client, port))).toBe(1)
  dataplane.change(2, { state: 'enabled' })
  const active = () => {
    const rows = dataplane.set.rows('lb_reals')
    return [1, 2].map((n) => dataplane.layout.real.read(rows.view, rows.at(dataplane.indexOf(n))).active)
  }
  expect(active()).toEqual([100, 0])
  for (const [client, port] of opening) dataplane.run('tcx', frame(client, port, ['RST']))
  await dataplane.flows.sweep()
  expect(active()).toEqual([0, 0])
  const [one = 0, two = 0] = opened(dataplane, 100)
  expect(Math.abs(one - two)).toBeLessThanOrEqual(offBy)
})

test('another scheduler on the same service rebuilds the ring, and flows that exist stay', () => {
  const dataplane = start('wrr', [1, 1, 1])
  const before = dataplane.tables.service(service).ringDigest
  const packet = frame('198.51.100.77', 7777)
  const server = serverOf(dataplane, 'tcx', packet)
  dataplane.tables.putService(service, serviceConfig({ vip, scheduler: 'mh' }))
  expect(dataplane.tables.service(service)).toMatchObject({ config: { scheduler: 'mh' } })
  expect(dataplane.tables.service(service).ringDigest).not.toBe(before)
  expect(serverOf(dataplane, 'tcx', frame('198.51.100.77', 7777, ['ACK']))).toBe(server)
})
