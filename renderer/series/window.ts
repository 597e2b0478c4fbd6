import type { Sample } from '../../core/model/telemetry.ts'

/** A quarter of an hour at one sample a second. */
export const windowMs = 15 * 60_000

/**
 * Adds samples to those that the page holds: sorted by the agent's monotonic clock, none twice, none older than the
 * window. A smaller clock with another epoch is a director that was started again: what was before is dropped, since
 * the two clocks cannot be compared.
 */
export function withSamples(held: readonly Sample[], added: readonly Sample[]): readonly Sample[] {
  if (added.length === 0) return held
  const newest = added.reduce((a, b) => (b.monotonicMs > a.monotonicMs ? b : a))
  const last = held.at(-1)
  const isRestarted =
    last !== undefined && newest.monotonicMs < last.monotonicMs && newest.counterEpoch !== last.counterEpoch
  const all = new Map<number, Sample>()
  for (const sample of isRestarted ? added : [...held, ...added]) all.set(sample.monotonicMs, sample)
  const oldestMs = newest.monotonicMs - windowMs
  return [...all.values()].filter(({ monotonicMs }) => monotonicMs >= oldestMs).toSorted(byClock)
}

function byClock(a: Sample, b: Sample): number {
  return a.monotonicMs - b.monotonicMs
}
