import { useMemo } from 'react'
import type { Sample } from '../../core/model/telemetry.ts'
import { type Point, levelsOf, ratesOf, thinned } from '../series/rates.ts'
import { useSamples } from './stats-store.ts'

/** Points that a panel carries at one update a second without holding up the page. */
const maxPoints = 300

/** The samples of a director, thinned for a chart, with the step from which neighbours are a gap. */
export function useThinned(directorId: string): { readings: readonly Sample[]; maxStepMs: number } {
  const samples = useSamples(directorId)
  return useMemo(() => thinned(samples, maxPoints), [samples])
}

/** A rate over time. `counter` must be stable (module scope or useCallback), or every render computes anew. */
export function useRates(directorId: string, counter: (sample: Sample) => number | null): readonly Point[] {
  const { readings, maxStepMs } = useThinned(directorId)
  return useMemo(() => ratesOf(readings, counter, maxStepMs), [readings, maxStepMs, counter])
}

export function useLevels(directorId: string, level: (sample: Sample) => number | null): readonly Point[] {
  const { readings, maxStepMs } = useThinned(directorId)
  return useMemo(() => levelsOf(readings, level, maxStepMs), [readings, maxStepMs, level])
}
