import { CartesianGrid, Line, LineChart as Chart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { type Scale, formatScaled } from '../format/number.ts'
import { formatClock } from '../format/time.ts'
import { useConsole } from '../store/console-store.ts'
import { niceTicks } from '../series/ticks.ts'
import { type Series, tableOf } from '../series/top.ts'
import styles from './line-chart.module.css'
import { lineStyles } from './line-styles.ts'

interface Hover {
  readonly active?: boolean
  readonly label?: string | number
  readonly payload?: readonly { readonly value?: unknown; readonly name?: unknown }[]
}

/** The drawing alone; loaded when the first chart is shown. Animation off: at one update a second it never ends. */
export default function LineChart({
  series,
  scale,
  height,
  max,
}: {
  readonly series: readonly Series[]
  readonly scale: Scale
  readonly height: number
  readonly max: number
}) {
  const { i18n } = useTranslation()
  const zone = useConsole((s) => s.preferences.times)
  const data = useMemo(() => tableOf(series), [series])
  const ticks = niceTicks(max)
  const format = (value: number) => formatScaled(value, scale, i18n.language)
  return (
    <ResponsiveContainer width="100%" height={height} initialDimension={{ width: 400, height }}>
      <Chart data={data} margin={{ top: 6, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false}>
        <CartesianGrid stroke="var(--sb-grid)" vertical={false} />
        <XAxis
          dataKey="atMs"
          type="number"
          domain={['dataMin', 'dataMax']}
          tickFormatter={(atMs: number) => formatClock(atMs, zone)}
          tick={{ fill: 'var(--sb-text-3)', fontSize: 11 }}
          tickLine={false}
          axisLine={{ stroke: 'var(--sb-line-strong)' }}
          minTickGap={48}
          height={20}
        />
        <YAxis
          width={44}
          domain={[0, ticks.at(-1) ?? 1]}
          ticks={ticks}
          tickFormatter={format}
          tick={{ fill: 'var(--sb-text-3)', fontSize: 11 }}
          tickLine={false}
          axisLine={false}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ stroke: 'var(--sb-line-strong)' }}
          content={(hover: Hover) =>
            hover.active === true && hover.payload !== undefined ? (
              <div className={styles.tip}>
                <div className={styles.tipTime}>{formatClock(Number(hover.label), zone)}</div>
                {hover.payload.map((entry) => (
                  <div key={String(entry.name)} className={styles.tipRow}>
                    <span>{String(entry.name)}</span>
                    <strong>{typeof entry.value === 'number' ? format(entry.value) : '–'}</strong>
                  </div>
                ))}
              </div>
            ) : null
          }
        />
        {series.map(({ id, name }, i) => (
          <Line
            key={id}
            // A function: a text would be read as a path, and addresses have dots.
            dataKey={(row: Record<string, number | null>) => row[id]}
            name={name}
            type="linear"
            stroke={lineStyles[i]?.color ?? 'var(--sb-series-1)'}
            strokeDasharray={lineStyles[i]?.dash}
            strokeWidth={1.6}
            dot={false}
            activeDot={{ r: 2.5 }}
            connectNulls={false}
            isAnimationActive={false}
          />
        ))}
      </Chart>
    </ResponsiveContainer>
  )
}
