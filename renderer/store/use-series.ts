import { useMemo } from 'react'
import type { Sample } from '../../core/model/telemetry.ts'
import { measuredRates, totalRates } from '../series/measured.ts'
import { type Measure, serviceIn } from '../series/pick.ts'
import { type Point, levelsOf, thinned } from '../series/rates.ts'
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

/** Rate of one service over time. */
export function useServiceRates(directorId: string, key: string, measure: Measure): readonly Point[] {
  const { readings, maxStepMs } = useThinned(directorId)
  return useMemo(
    () => measuredRates(readings, (sample) => serviceIn(sample, key), measure, maxStepMs),
    [readings, maxStepMs, key, measure],
  )
}

/** Rate of all services together. */
export function useTotalRates(directorId: string, measure: Measure): readonly Point[] {
  const { readings, maxStepMs } = useThinned(directorId)
  return useMemo(() => totalRates(readings, measure, maxStepMs), [readings, maxStepMs, measure])
}

/** A level over time. `level` must be stable (module scope or useCallback), or every render computes anew. */
export function useLevels(directorId: string, level: (sample: Sample) => number | null): readonly Point[] {
  const { readings, maxStepMs } = useThinned(directorId)
  return useMemo(() => levelsOf(readings, level, maxStepMs), [readings, maxStepMs, level])
}
