import type { Counters, KernelRates, Sample } from '../../core/model/telemetry.ts'
import { type Measure, counterOf, kernelRateOf, serviceIn } from './pick.ts'
import { type Point, growth, longestStepMs, ratesBy } from './rates.ts'

/** A service or a real server in one sample. */
export interface Measured {
  readonly counters: Counters
  readonly rates: KernelRates | null
}

/**
 * IPVS copies its counters every 2 s (ip_vs_est.c), so that their differences over samples of a second would be a saw:
 * nothing, double, nothing. Where the kernel gives rates of its own they are the rate, and counters are not touched.
 */
function rateBetween(
  from: Measured | undefined,
  to: Measured | undefined,
  elapsedMs: number,
  measure: Measure,
): number | null {
  if (to === undefined) return null
  if (to.rates !== null) return kernelRateOf(to.rates, measure)
  // A service that has moved from one dataplane to the other: its counters began anew.
  if (from === undefined || from.rates !== null) return null
  return growth(counterOf(from.counters, measure), counterOf(to.counters, measure), elapsedMs)
}

/** Rate of one thing over time, whichever dataplane carries it. */
export function measuredRates(
  readings: readonly Sample[],
  pick: (sample: Sample) => Measured | undefined,
  measure: Measure,
  maxStepMs: number = longestStepMs,
): Point[] {
  return ratesBy(readings, pick, (from, to, elapsedMs) => rateBetween(from, to, elapsedMs, measure), maxStepMs)
}

/** Sum of the rates of all services; each is taken in its own dataplane's way. Null while none is known. */
export function totalRates(readings: readonly Sample[], measure: Measure, maxStepMs: number = longestStepMs): Point[] {
  return ratesBy(
    readings,
    (sample) => sample,
    (from, to, elapsedMs) => {
      let sum: number | null = null
      for (const service of to.services) {
        const before = from === undefined ? undefined : serviceIn(from, service.key)
        const rate = rateBetween(before, service, elapsedMs, measure)
        if (rate !== null) sum = (sum ?? 0) + rate
      }
      return sum
    },
    maxStepMs,
  )
}
