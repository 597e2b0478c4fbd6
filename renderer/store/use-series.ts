import { useMemo } from 'react'
import type { Sample } from '../../core/model/telemetry.ts'
import { type Point, levelsOf, ratesOf, thinned } from '../series/rates.ts'
import { useSamples } from './stats-store.ts'

/** Points of a line: as many as a panel has room for; four panels of 300 would take a quarter of the main thread. */
const maxPoints = 180
/** Points of a small line among many. */
const maxSmallPoints = 60

/** Samples for a chart, and the longest step between two of them that is no gap. */
export interface Thinned {
  readonly readings: readonly Sample[]
  readonly maxStepMs: number
}

/** The samples of a director, thinned for a chart, with the step from which neighbours are a gap. */
export function useThinned(directorId: string): Thinned {
  const samples = useSamples(directorId)
  return useMemo(() => thinned(samples, maxPoints), [samples])
}

/** The same for small lines beside each other. */
export function useThinnedSmall(directorId: string): Thinned {
  const samples = useSamples(directorId)
  return useMemo(() => thinned(samples, maxSmallPoints), [samples])
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
