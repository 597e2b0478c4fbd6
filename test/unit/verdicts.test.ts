import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Sample } from '../../core/model/telemetry.ts'
import { ebpf as chinese } from '../../renderer/locales/zh-CN/ebpf.ts'
import { ebpf as english } from '../../renderer/locales/en/ebpf.ts'
import { verdictsOf } from '../../renderer/series/verdicts.ts'

const header = readFileSync(fileURLToPath(new URL('../../agent/bpf/lb_counter.h', import.meta.url)), 'utf8')
const counters = [...header.matchAll(/^\t(LB_(?:PASS|FWD|DROP|FLOW)\w*)/gm)].flatMap(([, name]) =>
  name === undefined || name === 'LB_PASS_LAST' ? [] : [name],
)

test('every counter of the programs has a sentence in both languages, and no sentence is for a counter that is gone', () => {
  expect(counters.length).toBeGreaterThan(15)
  expect(Object.keys(english.verdict).toSorted()).toEqual(counters.toSorted())
  expect(Object.keys(chinese.verdict).toSorted()).toEqual(counters.toSorted())
})

const sample = (monotonicMs: number, verdicts: Record<string, number>, counterEpoch = 'a'): Sample => ({
  monotonicMs,
  atMs: monotonicMs,
  counterEpoch,
  services: [],
  verdicts,
  flowTable: null,
})

test('rates are over the last five seconds, by the monotonic clock', () => {
  const samples = [0, 1, 2, 3, 4, 5, 6, 7].map((s) =>
    sample(s * 1000, { LB_FWD: s < 3 ? 0 : (s - 2) * 100, LB_DROP_MTU: 7 }),
  )
  const { fwd, drop } = verdictsOf(samples)
  expect(fwd).toEqual([{ name: 'LB_FWD', total: 500, rate: 100 }])
  expect(drop).toEqual([{ name: 'LB_DROP_MTU', total: 7, rate: 0 }])
})

test('one sample, another epoch or a counter that went back has no rate', () => {
  expect(verdictsOf([sample(0, { LB_FWD: 9 })]).fwd[0]?.rate).toBeNull()
  expect(verdictsOf([sample(0, { LB_FWD: 9 }), sample(1000, { LB_FWD: 12 }, 'b')]).fwd[0]?.rate).toBeNull()
  expect(verdictsOf([sample(0, { LB_FWD: 9 }), sample(1000, { LB_FWD: 3 })]).fwd[0]?.rate).toBeNull()
  expect(verdictsOf([]).fwd).toEqual([])
})

test('the largest of a group comes first', () => {
  const { pass } = verdictsOf([sample(0, { LB_PASS_VLAN: 1, LB_PASS_NO_SERVICE: 5, LB_FWD: 9 })])
  expect(pass.map(({ name }) => name)).toEqual(['LB_PASS_NO_SERVICE', 'LB_PASS_VLAN'])
})
