import { useMemo } from 'react'
import { measuredRates } from '../../series/measured.ts'
import { type Measure, counterOf, realServerIn, serviceIn } from '../../series/pick.ts'
import { latest } from '../../series/rates.ts'
import { type RealServerView, type ServiceView, expectedShare } from '../../store/service-state.ts'
import { useSamples } from '../../store/stats-store.ts'

export interface RealServerRow {
  readonly server: RealServerView
  readonly connections: number | null
  readonly bits: number | null
  readonly bitsOut: number | null
  /** Share of the new connections of the last half minute, 0 to 1; null while there were none. */
  readonly share: number | null
  /** Null where the scheduler promises no share. */
  readonly expected: number | null
  /** True once so many connections were seen that a distance from the expected share means something. */
  readonly isTelling: boolean
}

/** New connections are counted over this time for the share: one second of a hash says nothing. */
const shareWindow = 30
/** Connections per real server from which a share is more than chance. */
const tellingCount = 40

/** Rates and shares beside each real server. */
export function useRealServerRows(directorId: string, view: ServiceView): readonly RealServerRow[] {
  const samples = useSamples(directorId)
  return useMemo(() => {
    const recent = samples.slice(-shareWindow)
    const last = recent.slice(-2)
    const newest = recent.at(-1)
    // Counters of another epoch, or of before a real server was there, are no start to count from.
    const start = recent.find(
      (sample) => sample.counterEpoch === newest?.counterEpoch && serviceIn(sample, view.key) !== undefined,
    )
    const grown = (key: string): number => {
      if (start === undefined || newest === undefined) return 0
      const from = counterOf(realServerIn(start, view.key, key)?.counters, 'connections') ?? 0
      const to = counterOf(realServerIn(newest, view.key, key)?.counters, 'connections') ?? 0
      return Math.max(0, to - from)
    }
    const counts = new Map(view.realServers.map(({ key }) => [key, grown(key)]))
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    return view.realServers.map((server): RealServerRow => {
      const rate = (measure: Measure) =>
        latest(measuredRates(last, (sample) => realServerIn(sample, view.key, server.key), measure))
      return {
        server,
        connections: rate('connections'),
        bits: rate('bitsIn'),
        bitsOut: rate('bitsOut'),
        share: total === 0 ? null : (counts.get(server.key) ?? 0) / total,
        // The ring's own share where it was measured: that is what new connections get.
        expected: server.measured?.ringShare ?? expectedShare(server, view),
        isTelling: total >= tellingCount * Math.max(1, view.realServers.length),
      }
    })
  }, [samples, view])
}
