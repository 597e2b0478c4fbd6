import { useMemo } from 'react'
import type { Point } from '../series/rates.ts'

const width = 120

/** Path through the points of a 120-wide box; a gap lifts the pen. */
function pathOf(points: readonly Point[], height: number, top: number | undefined): { line: string; area: string } {
  const first = points[0]
  const last = points.at(-1)
  if (first === undefined || last === undefined) return { line: '', area: '' }
  const span = Math.max(1, last.atMs - first.atMs)
  const max = Math.max(1e-9, top ?? 0, ...points.map(({ value }) => value ?? 0))
  const x = (point: Point) => ((point.atMs - first.atMs) / span) * width
  const y = (value: number) => height - 1.5 - (value / max) * (height - 4)
  let line = ''
  let area = ''
  let start: number | null = null
  let before = 0
  for (const point of points) {
    if (point.value === null) {
      if (start !== null) area += `L${before.toFixed(1)} ${height}L${start.toFixed(1)} ${height}Z`
      start = null
      continue
    }
    const at = `${x(point).toFixed(1)} ${y(point.value).toFixed(1)}`
    line += start === null ? `M${at}` : `L${at}`
    area += start === null ? `M${at}` : `L${at}`
    start ??= x(point)
    before = x(point)
  }
  if (start !== null) area += `L${before.toFixed(1)} ${height}L${start.toFixed(1)} ${height}Z`
  return { line, area }
}

/** The shape of a quarter of an hour beside a figure that says the value; decorative for readers of the screen. */
export function Sparkline({
  points,
  height = 28,
  top,
}: {
  readonly points: readonly Point[]
  readonly height?: number
  /** Value at the upper edge, for lines that are to be compared. */
  readonly top?: number
}) {
  const { line, area } = useMemo(() => pathOf(points, height, top), [points, height, top])
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      width="100%"
      height={height}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path d={area} fill="var(--sb-series-1)" fillOpacity="0.12" />
      <path
        d={line}
        fill="none"
        stroke="var(--sb-series-1)"
        strokeWidth="1.4"
        vectorEffect="non-scaling-stroke"
        strokeLinejoin="round"
      />
    </svg>
  )
}
