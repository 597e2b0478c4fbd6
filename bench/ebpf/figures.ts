// From series of measured runs to the figures that are printed, as JSON and in the report.
import { median, ratioOf, rounded } from '../statistics.ts'
import { comparedMode } from './ours.ts'
import { loadNames, type Load, type Rates } from './end-to-end/measure.ts'
import type { Series } from './test-runs.ts'
import { traffics } from './traffic.ts'

/** Balancer and hook, then kind of traffic: the median. */
export type NsPerPacket = Record<string, Record<string, number>>

export const columnOf = (series: Series): string => `${series.target.name}.${series.target.hook}`

export function nsPerPacket(all: readonly Series[]): NsPerPacket {
  const table: NsPerPacket = {}
  for (const series of all) (table[columnOf(series)] ??= {})[series.traffic.key] = rounded(median(series.ns))
  return table
}

/** Ours over Katran's by kind of traffic, round by round; null where there is nothing to compare. */
export function katranRatio(all: readonly Series[]): Record<string, number> | null {
  const find = (name: string, traffic: string): readonly number[] | undefined =>
    all.find(({ target, traffic: { key } }) => target.name === name && target.hook === 'xdp' && key === traffic)?.ns
  const ratios: Record<string, number> = {}
  for (const { key, meets } of traffics) {
    // With its limit most new flows are not remembered, and cost accordingly less.
    const theirs = meets === 'new' ? find('katranLifted', key) : (find('katran', key) ?? find('katranLifted', key))
    const ours = find(comparedMode, key)
    if (ours !== undefined && theirs !== undefined) ratios[key] = rounded(ratioOf(ours, theirs))
  }
  return Object.keys(ratios).length === 0 ? null : ratios
}

/** What goes through in a second, and what part that is of what goes through plain routing, run by run. */
export interface Throughput {
  readonly perSecond: number
  readonly ofRouting: number
  /** The same of what goes through for a second of CPU time. */
  readonly ofRoutingByCpu: number
}

export type EndToEndFigures = Record<string, Record<Load, Throughput>>

export function endToEndFigures(rates: readonly Rates[]): EndToEndFigures {
  const routing = rates.find(({ way }) => way.key === baseline)
  if (routing === undefined) throw new Error(`${baseline} was not measured`)
  const of = (one: Rates, load: Load): Throughput => ({
    perSecond: Math.round(median(one.perSecond[load])),
    ofRouting: rounded(ratioOf(one.perSecond[load], routing.perSecond[load])),
    ofRoutingByCpu: rounded(ratioOf(one.perCpuSecond[load], routing.perCpuSecond[load])),
  })
  return Object.fromEntries(
    rates.map((one) => [one.way.key, Object.fromEntries(loadNames.map((load) => [load, of(one, load)]))]),
  ) as EndToEndFigures
}

const baseline = 'routing'
