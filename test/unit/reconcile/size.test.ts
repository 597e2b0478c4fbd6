import { expect, test } from 'vitest'
import { nothingObserved as empty } from '../../../core/model/observed.ts'
import { type Desired, emptyDesired } from '../../../core/reconcile/desired.ts'
import { plan } from '../../../core/reconcile/plan.ts'
import { realServerConfig, serviceConfig } from '../../fixtures/configs.ts'
import { simulate } from '../../../core/reconcile/simulate.ts'

const clusterOf = (services: number): Desired => ({
  ...emptyDesired,
  services: Array.from({ length: services }, (_, s) => ({
    config: serviceConfig({ vip: `10.1.${s >> 8}.${s & 255}` }),
    realServers: Array.from({ length: 10 }, (_, r) => realServerConfig({ address: `10.2.${r}.${s % 250}` })),
  })),
})

/** Best of five: other programs of the machine take turns. */
function bestMs(work: () => void): number {
  return Math.min(
    ...Array.from({ length: 5 }, () => {
      const startedAt = performance.now()
      work()
      return performance.now() - startedAt
    }),
  )
}

test('planning grows with the cluster, not with its square', () => {
  const there = (services: number) => {
    const wanted = clusterOf(services)
    const steps = plan(wanted, empty).map(({ step }) => step)
    const state = { ...simulate(empty, steps) }
    expect(plan(wanted, state)).toEqual([])
    return { first: bestMs(() => plan(wanted, empty)), again: bestMs(() => plan(wanted, state)) }
  }
  const [small, large] = [there(125), there(2000)]
  // 16 times the cluster: a square would take 256 times as long, which leaves room for a machine that is busy.
  expect(large.first / small.first).toBeLessThan(100)
  expect(large.again / small.again).toBeLessThan(100)
})
