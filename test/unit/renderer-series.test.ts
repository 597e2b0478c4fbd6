import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Counters, KernelRates, Sample, ServiceStatus } from '../../core/model/telemetry.ts'
import { measuredRates, totalRates } from '../../renderer/series/measured.ts'
import { flowsOfService, serviceIn } from '../../renderer/series/pick.ts'
import { latest, levelsOf, longestStepMs, ratesOf, thinned } from '../../renderer/series/rates.ts'
import { niceTicks } from '../../renderer/series/ticks.ts'
import { busiest, summarize, tableOf } from '../../renderer/series/top.ts'
import { windowMs, withSamples } from '../../renderer/series/window.ts'

interface Reading {
  monotonicMs: number
  atMs: number
  counterEpoch: string
  count: number | null
}

const wall = 1_700_000_000_000
const reading = (
  monotonicMs: number,
  count: number | null,
  counterEpoch = 'a',
  atMs = wall + monotonicMs,
): Reading => ({
  monotonicMs,
  atMs,
  counterEpoch,
  count,
})
const count = (r: Reading) => r.count
const sample = (monotonicMs: number, counterEpoch = 'a'): Sample => ({
  monotonicMs,
  atMs: wall + monotonicMs,
  counterEpoch,
  services: [],
  verdicts: {},
  flowTable: null,
})

describe('rates', () => {
  test('are counts per second of the monotonic clock, even where the wall clock jumps', () => {
    const readings = [reading(0, 0), reading(2000, 100, 'a', wall - 3_600_000)]
    expect(ratesOf(readings, count)).toEqual([{ atMs: wall - 3_600_000, value: 50 }])
  })

  test('a missing sample is a gap, not zero', () => {
    const points = ratesOf([reading(0, 0), reading(1000, 10), reading(20_000, 20), reading(21_000, 30)], count)
    expect(points.map(({ value }) => value)).toEqual([10, null, null, 10])
  })

  test('a counter reset is no spike, with a new epoch and without one', () => {
    const reset = ratesOf([reading(0, 500), reading(1000, 3, 'b'), reading(2000, 8, 'b')], count)
    expect(reset.map(({ value }) => value)).toEqual([null, 5])
    const backwards = ratesOf([reading(0, 500), reading(1000, 3)], count)
    expect(backwards.map(({ value }) => value)).toEqual([null])
  })

  test('a new epoch whose counter is larger is still no rate', () => {
    expect(latest(ratesOf([reading(0, 5), reading(1000, 9_000, 'b')], count))).toBeNull()
  })

  test('a counter that is not known gives no rate (reply direction in DR)', () => {
    expect(latest(ratesOf([reading(0, null), reading(1000, null)], count))).toBeNull()
  })

  test('are never negative and never outnumber the samples twice', () => {
    const readings = fc
      .array(
        fc.record({ step: fc.integer({ min: 1, max: 9000 }), count: fc.nat(1e9), epoch: fc.constantFrom('a', 'b') }),
      )
      .map((steps) => {
        let clock = 0
        return steps.map(({ step, count: value, epoch }) => reading((clock += step), value, epoch))
      })
    fc.assert(
      fc.property(readings, (all) => {
        const points = ratesOf(all, count)
        expect(points.length).toBeLessThanOrEqual(all.length * 2)
        for (const { value } of points) if (value !== null) expect(value).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

describe('rates of a dataplane', () => {
  const countersAt = (connections: number): Counters => ({
    connections,
    packetsIn: 0,
    bytesIn: 0,
    packetsOut: null,
    bytesOut: null,
  })
  const kernelRates = (connectionsPerSec: number): KernelRates => ({
    connectionsPerSec,
    packetsInPerSec: 0,
    packetsOutPerSec: null,
    bytesInPerSec: 100,
    bytesOutPerSec: null,
  })
  const status = (key: string, connections: number, rates: KernelRates | null): ServiceStatus => ({
    key,
    ringDigest: null,
    realServers: [],
    counters: countersAt(connections),
    rates,
  })
  const at = (monotonicMs: number, ...services: ServiceStatus[]): Sample => ({ ...sample(monotonicMs), services })
  const key = 'tcp/192.0.2.10:80'
  const ratesIn = (samples: readonly Sample[]) => measuredRates(samples, (s) => serviceIn(s, key), 'connections')

  test('are the kernel’s own where it has them: counters that jump every 2 s make no saw', () => {
    // 50 connections a second, counted by the kernel in steps of 100.
    const samples = [0, 1, 2, 3, 4, 5].map((second) =>
      at(second * 1000, status(key, Math.floor(second / 2) * 100, kernelRates(50))),
    )
    expect(ratesIn(samples).map(({ value }) => value)).toEqual([50, 50, 50, 50, 50, 50])
  })

  test('keep a gap a gap, and stand behind it at once: the kernel needs no sample before', () => {
    const samples = [at(0, status(key, 0, kernelRates(5))), at(20_000, status(key, 0, kernelRates(7)))]
    expect(ratesIn(samples).map(({ value }) => value)).toEqual([5, null, 7])
    expect(ratesIn([at(0), at(1000, status(key, 0, kernelRates(7)))]).map(({ value }) => value)).toEqual([7])
  })

  test('are bits for bytes, and unknown in a direction that does not pass the director', () => {
    const samples = [at(0, status(key, 0, kernelRates(5)))]
    const pick = (s: Sample) => serviceIn(s, key)
    expect(latest(measuredRates(samples, pick, 'bitsIn'))).toBe(800)
    expect(latest(measuredRates(samples, pick, 'bitsOut'))).toBeNull()
    expect(latest(measuredRates(samples, pick, 'packetsOut'))).toBeNull()
  })

  test('are no spike where a service moves from one dataplane to the other', () => {
    const samples = [
      at(0, status(key, 9_000, kernelRates(5))),
      at(1000, status(key, 90_000, null)),
      at(2000, status(key, 90_004, null)),
      at(3000, status(key, 2, kernelRates(6))),
    ]
    expect(ratesIn(samples).map(({ value }) => value)).toEqual([5, null, 4, 6])
  })

  test('add up over services, each in its dataplane’s own way; one that appears is no spike', () => {
    const other = 'udp/[2001:db8::1]:53'
    const samples = [
      at(0, status(key, 0, null)),
      at(1000, status(key, 10, null), status(other, 777_000, kernelRates(30))),
      at(
        2000,
        status(key, 20, null),
        status(other, 777_000, kernelRates(31)),
        status('tcp/192.0.2.11:80', 5_000, null),
      ),
    ]
    expect(totalRates(samples, 'connections').map(({ value }) => value)).toEqual([40, 41])
    expect(totalRates([at(0), at(1000)], 'connections').map(({ value }) => value)).toEqual([null])
  })
})

test('flows that a dataplane does not tell apart are unknown, not none', () => {
  const server = { activeFlows: 4, inactiveFlows: null, persistentFlows: null }
  const service = (servers: readonly object[]) => ({ realServers: servers }) as unknown as ServiceStatus
  expect(flowsOfService(service([server, server]), 'active')).toBe(8)
  expect(flowsOfService(service([server]), 'inactive')).toBeNull()
  expect(flowsOfService(service([{ ...server, inactiveFlows: 3 }, server]), 'inactive')).toBe(3)
})

test('levels show the first reading and break at a gap', () => {
  const points = levelsOf([reading(0, 7), reading(1000, 8), reading(1000 + longestStepMs + 1, 9)], count)
  expect(points.map(({ value }) => value)).toEqual([7, 8, null, 9])
})

describe('thinning', () => {
  const many = Array.from({ length: 900 }, (_, i) => reading(i * 1000 + 500, i * 10))

  test('keeps at most the points asked for, and the newest reading', () => {
    const { readings } = thinned(many, 300)
    expect(readings.length).toBeLessThanOrEqual(300)
    expect(readings.at(-1)).toBe(many.at(-1))
  })

  test('keeps the rate exact and opens no gap', () => {
    const { readings, maxStepMs } = thinned(many, 300)
    for (const { value } of ratesOf(readings, count, maxStepMs)) expect(value).toBeCloseTo(10)
  })

  test('keeps a gap of some samples a gap', () => {
    const holed = many.filter((_, i) => i < 600 || i > 609)
    const { readings, maxStepMs } = thinned(holed, 300)
    expect(ratesOf(readings, count, maxStepMs).filter(({ value }) => value === null).length).toBeGreaterThan(0)
  })

  test('does not move kept readings when one more arrives', () => {
    const before = new Set(thinned(many.slice(0, 890), 300).readings.slice(5, -1))
    const after = new Set(thinned(many.slice(0, 891), 300).readings)
    for (const kept of before) expect(after).toContain(kept)
  })

  test('does not join two counter epochs in one bucket', () => {
    const two = many.map((r, i) => ({ ...r, counterEpoch: i < 450 ? 'a' : 'b' }))
    const { readings, maxStepMs } = thinned(two, 300)
    const broken = ratesOf(readings, count, maxStepMs).filter(({ value }) => value === null)
    expect(broken).toHaveLength(1)
  })
})

describe('the window of samples', () => {
  test('is sorted, holds none twice and nothing older than itself', () => {
    const held = withSamples([], [sample(2000), sample(1000)])
    const more = withSamples(held, [sample(2000), sample(windowMs + 1500)])
    expect(more.map(({ monotonicMs }) => monotonicMs)).toEqual([2000, windowMs + 1500])
  })

  test('starts anew when the director has been started again', () => {
    const held = withSamples([], [sample(500_000)])
    expect(withSamples(held, [sample(1000, 'b')]).map(({ monotonicMs }) => monotonicMs)).toEqual([1000])
  })
})

describe('series', () => {
  const line = (id: string, ...values: (number | null)[]) => ({
    id,
    name: id,
    points: values.map((value, i) => ({ atMs: i, value })),
  })

  test('the busiest keep the order they had', () => {
    const all = [line('a', 1), line('b', 50), line('c', 2), line('d', 40), line('e', null)]
    expect(busiest(all, 2).map(({ id }) => id)).toEqual(['b', 'd'])
  })

  test('a summary leaves gaps out of the mean and counts them', () => {
    expect(summarize(line('a', 2, null, 4).points)).toEqual({ latest: 4, mean: 3, max: 4, gaps: 1 })
    expect(summarize([])).toEqual({ latest: null, mean: null, max: null, gaps: 0 })
  })

  test('rows join the lines by instant and keep gaps as null', () => {
    expect(tableOf([line('a', 1, null), line('b', 3)])).toEqual([
      { atMs: 0, a: 1, b: 3 },
      { atMs: 1, a: null },
    ])
  })
})

test('an axis counts in round steps and ends just above its greatest value', () => {
  expect(niceTicks(0)).toEqual([0, 1])
  expect(niceTicks(213)).toEqual([0, 100, 200, 300])
  expect(niceTicks(1.95)).toEqual([0, 0.5, 1, 1.5, 2])
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e12, noNaN: true }), (max) => {
      const ticks = niceTicks(max)
      expect(ticks.length).toBeLessThanOrEqual(6)
      expect(ticks.at(-1)! * (1 + 1e-9)).toBeGreaterThanOrEqual(max)
    }),
  )
})
