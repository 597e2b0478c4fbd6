import type { Point } from './rates.ts'

/** One line of a chart. */
export interface Series {
  readonly id: string
  readonly name: string
  readonly points: readonly Point[]
}

/** Lines that one panel carries without becoming a tangle. */
export const maxLines = 4

function meanOf(points: readonly Point[]): number {
  const known = points.flatMap(({ value }) => (value === null ? [] : [value]))
  return known.length === 0 ? -1 : known.reduce((sum, value) => sum + value, 0) / known.length
}

/**
 * The busiest lines by their mean, in the order in which all stood: lines do not swap places each second.
 */
export function busiest(all: readonly Series[], count: number = maxLines): readonly Series[] {
  if (all.length <= count) return all
  const chosen = new Set(
    all
      .map((series) => ({ id: series.id, mean: meanOf(series.points) }))
      .toSorted((a, b) => b.mean - a.mean)
      .slice(0, count)
      .map(({ id }) => id),
  )
  return all.filter(({ id }) => chosen.has(id))
}

export interface SeriesSummary {
  readonly latest: number | null
  readonly mean: number | null
  readonly max: number | null
  readonly gaps: number
}

/** Figures for a chart's text and its table. */
export function summarize(points: readonly Point[]): SeriesSummary {
  const known = points.flatMap(({ value }) => (value === null ? [] : [value]))
  return {
    latest: points.at(-1)?.value ?? null,
    mean: known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length,
    max: known.length === 0 ? null : Math.max(...known),
    gaps: points.filter(({ value }, i) => value === null && points[i - 1]?.value !== null && i > 0).length,
  }
}

/** Rows for recharts: one per instant, one field per series id. */
export function tableOf(series: readonly Series[]): Record<string, number | null>[] {
  const rows = new Map<number, Record<string, number | null>>()
  for (const { id, points } of series) {
    for (const { atMs, value } of points) {
      const row = rows.get(atMs) ?? { atMs }
      row[id] = value
      rows.set(atMs, row)
    }
  }
  return [...rows.values()].toSorted((a, b) => (a['atMs'] ?? 0) - (b['atMs'] ?? 0))
}
