import type { Sample } from '../../core/model/telemetry.ts'

/** One counter of the eBPF dataplane. */
export interface Verdict {
  readonly name: string
  /** Packets since the dataplane was loaded. */
  readonly total: number
  /** Per second over the last few; null without two samples of one epoch. */
  readonly rate: number | null
}

export const verdictGroups = ['drop', 'fwd', 'pass', 'flow'] as const
export type VerdictGroup = (typeof verdictGroups)[number]

const prefixes: Readonly<Record<VerdictGroup, string>> = {
  drop: 'LB_DROP_',
  fwd: 'LB_FWD',
  pass: 'LB_PASS_',
  flow: 'LB_FLOW_',
}
/** A rate over one second jumps; over this much it can be read. */
const overMs = 5000

/** All counters of the newest sample by group, the largest first. A name of no group is a newer agent's: it is left out. */
export function verdictsOf(samples: readonly Sample[]): Readonly<Record<VerdictGroup, readonly Verdict[]>> {
  const last = samples.at(-1)
  const before =
    last === undefined
      ? undefined
      : samples.find(
          (sample) =>
            sample !== last &&
            sample.counterEpoch === last.counterEpoch &&
            last.monotonicMs - sample.monotonicMs <= overMs + 500,
        )
  const all = Object.entries(last?.verdicts ?? {}).map(([name, total]): Verdict => {
    const from = before?.verdicts[name]
    const isCountable = last !== undefined && before !== undefined && from !== undefined && total >= from
    return { name, total, rate: isCountable ? ((total - from) * 1000) / (last.monotonicMs - before.monotonicMs) : null }
  })
  const of = (group: VerdictGroup) =>
    all
      .filter(({ name }) => name.startsWith(prefixes[group]))
      .toSorted((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1))
  return { drop: of('drop'), fwd: of('fwd'), pass: of('pass'), flow: of('flow') }
}
