import type { Sample } from '../../core/model/telemetry.ts'

/** One point of a line. `null` is "no sample": a gap in the line, never a zero. */
export interface Point {
  /** Director's wall clock, for the axis only. */
  readonly atMs: number
  readonly value: number | null
}

/** The part of a sample that rates need, so that tests and figures need not make a whole one. */
export type Reading = Pick<Sample, 'monotonicMs' | 'atMs' | 'counterEpoch'>

/** Samples come once a second; more than this between two of them is a gap. */
export const longestStepMs = 3_500

/**
 * Rates over time between neighbouring readings, by the agent's monotonic clock: a step of the wall clock is no spike. A
 * gap is one point of null; over a gap or two counter epochs there is nothing to count from.
 *
 * @param read the part of a reading that `rate` needs; read once for each
 * @param rate per second from what was read before (undefined where that cannot be counted from) to what is now
 * @param maxStepMs distance from which two readings count as a gap
 */
export function ratesBy<R extends Reading, T>(
  readings: readonly R[],
  read: (reading: R) => T,
  rate: (from: T | undefined, to: T, elapsedMs: number) => number | null,
  maxStepMs: number = longestStepMs,
): Point[] {
  const points: Point[] = []
  let before: R | undefined
  let from: T | undefined
  for (const reading of readings) {
    const to = read(reading)
    const elapsedMs = before === undefined ? 0 : reading.monotonicMs - before.monotonicMs
    if (before !== undefined && elapsedMs > maxStepMs) points.push({ atMs: before.atMs + 1, value: null })
    const isCountable = reading.counterEpoch === before?.counterEpoch && elapsedMs > 0 && elapsedMs <= maxStepMs
    const value = rate(isCountable ? from : undefined, to, elapsedMs)
    // The first reading has no rate by counters; that is no gap.
    if (before !== undefined || value !== null) points.push({ atMs: reading.atMs, value })
    before = reading
    from = to
  }
  return points
}

/**
 * Rates by a counter: none over a missing counter (server not there yet, DR's reply direction), or where it went back.
 *
 * @param counter reads the counter; `null` where the reading has none
 */
export function ratesOf<R extends Reading>(
  readings: readonly R[],
  counter: (reading: R) => number | null | undefined,
  maxStepMs: number = longestStepMs,
): Point[] {
  return ratesBy(readings, counter, growth, maxStepMs)
}

/** Per second, from one state of a counter to the next; null where it is not known or went back. */
export function growth(
  from: number | null | undefined,
  to: number | null | undefined,
  elapsedMs: number,
): number | null {
  const isKnown = from !== null && from !== undefined && to !== null && to !== undefined
  return isKnown && to >= from ? ((to - from) / elapsedMs) * 1000 : null
}

/** Points of a value that is a level, not a count (active flows); the first point of an epoch is good too. */
export function levelsOf<R extends Reading>(
  readings: readonly R[],
  level: (reading: R) => number | null | undefined,
  maxStepMs: number = longestStepMs,
): Point[] {
  const points: Point[] = []
  let before: R | undefined
  for (const reading of readings) {
    if (before !== undefined && reading.monotonicMs - before.monotonicMs > maxStepMs) {
      points.push({ atMs: before.atMs + 1, value: null })
    }
    points.push({ atMs: reading.atMs, value: level(reading) ?? null })
    before = reading
  }
  return points
}

/**
 * At most `maxPoints` readings, one per bucket of the monotonic clock. Buckets stand still while time passes, so lines
 * do not shimmer; counters are not averaged, so rates over the kept readings are exact.
 *
 * @returns the readings kept and the longest step between neighbours that is still no gap
 */
export function thinned<R extends Reading>(
  readings: readonly R[],
  maxPoints: number,
): { readings: readonly R[]; maxStepMs: number } {
  const first = readings[0]
  const last = readings.at(-1)
  if (first === undefined || last === undefined || readings.length <= maxPoints) {
    return { readings, maxStepMs: longestStepMs }
  }
  const spanMs = last.monotonicMs - first.monotonicMs
  const bucketMs = Math.max(1000, Math.ceil(spanMs / (maxPoints - 1) / 1000) * 1000)
  const kept: R[] = []
  let bucket = Number.NaN
  for (const reading of readings) {
    const own = Math.floor(reading.monotonicMs / bucketMs)
    // The last reading of each bucket: the newest value is always on the chart.
    if (own === bucket && kept.at(-1)?.counterEpoch === reading.counterEpoch) kept[kept.length - 1] = reading
    else kept.push(reading)
    bucket = own
  }
  // Kept readings stand at the end of their buckets: farther apart than one bucket and a step, samples are missing.
  return { readings: kept.slice(-maxPoints), maxStepMs: bucketMs + longestStepMs }
}

/** The newest rate, or null while there is none. */
export function latest(points: readonly Point[]): number | null {
  return points.at(-1)?.value ?? null
}
