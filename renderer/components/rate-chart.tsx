import { ActionIcon, Tooltip } from '@mantine/core'
import { Suspense, lazy, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { formatScaled, scaleFor } from '../format/number.ts'
import type { Unit } from '../format/number.ts'
import { type Series, busiest, maxLines, summarize } from '../series/top.ts'
import { MiddleCut } from './address.tsx'
import { Icon } from './icon.tsx'
import { lineStyles } from './line-styles.ts'
import { Panel } from './page.tsx'
import styles from './rate-chart.module.css'

// recharts is the largest library of the page and no first view needs it.
const LineChart = lazy(() => import('./line-chart.tsx'))

/**
 * Lines over time in one unit, with one prefix for the whole axis, a text that says the same, and the figures as a
 * table. At most {@link maxLines} lines: of more, the busiest, and the chart says of how many.
 */
export function RateChart({
  title,
  series,
  unit,
  height = 150,
  total = series.length,
  absent,
}: {
  readonly title: string
  readonly series: readonly Series[]
  readonly unit: Unit
  readonly height?: number
  /** Lines that there are, where only the chosen ones are given. */
  readonly total?: number
  /** Stands instead of the lines where there can be none: the reply direction in DR. */
  readonly absent?: string
}) {
  const { t, i18n } = useTranslation()
  const [isTable, setIsTable] = useState(false)
  const shown = useMemo(() => busiest(series), [series])
  const summaries = useMemo(() => shown.map((one) => ({ one, summary: summarize(one.points) })), [shown])
  const max = Math.max(0, ...summaries.flatMap(({ summary }) => summary.max ?? []))
  const scale = scaleFor(max)
  const unitText = `${scale.symbol}${scale.symbol !== '' && unit !== 'bit/s' ? ' ' : ''}${t(`unit.${unit}`)}`
  const format = (value: number | null) =>
    value === null ? t('chart.noSample') : formatScaled(value, scale, i18n.language)
  const hasSample = summaries.some(({ summary }) => summary.max !== null)
  const isCut = total > shown.length

  return (
    <Panel
      title={
        <span className={styles.title}>
          {title} <span className={styles.unit}>{unitText}</span>
        </span>
      }
      label={title}
      aside={
        absent === undefined && (
          <>
            {isCut && <span className={styles.cut}>{t('chart.showing', { shown: maxLines, total })}</span>}
            <Tooltip label={isTable ? t('chart.asChart') : t('chart.asTable')}>
              <ActionIcon
                aria-label={`${isTable ? t('chart.asChart') : t('chart.asTable')}: ${title}`}
                aria-pressed={isTable}
                onClick={() => setIsTable(!isTable)}
              >
                <Icon name={isTable ? 'chart' : 'table'} />
              </ActionIcon>
            </Tooltip>
          </>
        )
      }
    >
      <div style={{ height }} className={styles.body}>
        {absent !== undefined ? (
          <p className={styles.absent}>{absent}</p>
        ) : isTable ? (
          <div className={styles.tableBox} tabIndex={0} role="group" aria-label={title}>
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">{t('chart.line')}</th>
                  {(['now', 'mean', 'max', 'gaps'] as const).map((column) => (
                    <th key={column} scope="col" className="sb-num">
                      {t(`chart.${column}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {summaries.map(({ one, summary }) => (
                  <tr key={one.id}>
                    <th scope="row">{one.name}</th>
                    <td className="sb-num">{format(summary.latest)}</td>
                    <td className="sb-num">{format(summary.mean)}</td>
                    <td className="sb-num">{format(summary.max)}</td>
                    <td className="sb-num">{summary.gaps}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : hasSample ? (
          <Suspense fallback={null}>
            <LineChart series={shown} scale={scale} height={height} max={max} />
          </Suspense>
        ) : (
          <p className={styles.absent}>{t('chart.noSamples')}</p>
        )}
      </div>
      {absent === undefined && hasSample && !isTable && (
        <ul className={styles.legend}>
          {summaries.map(({ one, summary }, i) => (
            <li key={one.id} className={styles.legendItem}>
              <svg width="18" height="8" aria-hidden="true">
                <path d="M0 4h18" stroke={lineStyles[i]?.color} strokeWidth="2" strokeDasharray={lineStyles[i]?.dash} />
              </svg>
              <span className={styles.legendName}>
                <MiddleCut text={one.name} />
              </span>
              <strong className={styles.legendValue}>{format(summary.latest)}</strong>
              <span className="sb-hidden">
                {unitText}, {t('chart.mean')} {format(summary.mean)}, {t('chart.max')} {format(summary.max)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
