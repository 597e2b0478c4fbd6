import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Sample } from '../../../core/model/telemetry.ts'
import { repliesPassDirector } from '../../../core/model/dataplane.ts'
import { Sparkline } from '../../components/sparkline.tsx'
import { StatusShape } from '../../components/status-mark.tsx'
import { formatCount, formatScaled, formatWithUnit, scaleFor } from '../../format/number.ts'
import { activeFlowsOf, sumOver } from '../../series/pick.ts'
import { type Point, latest } from '../../series/rates.ts'
import type { ServiceView } from '../../store/service-state.ts'
import { useLevels, useTotalRates } from '../../store/use-series.ts'
import styles from './overview.module.css'

const flows = (sample: Sample) => sumOver(sample, activeFlowsOf)

/** The director in four figures, each with its line of the last quarter of an hour. */
export function Figures({
  directorId,
  services,
}: {
  readonly directorId: string
  readonly services: readonly ServiceView[]
}) {
  const { t, i18n } = useTranslation()
  const connectionRate = useTotalRates(directorId, 'connections')
  const bitRate = useTotalRates(directorId, 'bitsIn')
  const outRate = latest(useTotalRates(directorId, 'bitsOut'))
  const flowLevel = useLevels(directorId, flows)
  // Nobody answers here for what somebody else set up.
  const own = services.filter(({ isForeign }) => !isForeign)
  const troubled = own.filter(({ status }) => status === 'down' || status === 'degraded')
  const isOneWay = services.some(({ realServers }) =>
    realServers.some((server) => !repliesPassDirector(server.forwarding)),
  )
  const notes = [
    ...(outRate === null ? [] : [t('figure.out', { rate: formatWithUnit(outRate, 'bit/s', i18n.language) })]),
    ...(isOneWay ? [t('figure.replyElsewhere')] : []),
  ]
  return (
    <section className={styles.figures} aria-label={t('overview.figures')}>
      <Rate title={t('figure.connections')} unit={t('unit.connections/s')} points={connectionRate} />
      <Rate
        title={t('figure.flows')}
        unit={isOneWay ? t('figure.estimated') : ''}
        points={flowLevel}
        hint={isOneWay ? t('service.flowsEstimated') : undefined}
      />
      <Rate
        title={t('figure.bitsIn')}
        unit={t('unit.bit/s')}
        isBits
        points={bitRate}
        note={notes.length === 0 ? undefined : notes.join(' · ')}
      />
      <Figure title={t('figure.trouble')}>
        <div className={styles.value}>
          <StatusShape status={troubled.length === 0 ? 'up' : 'down'} size={14} />
          <strong>{formatCount(troubled.length, i18n.language)}</strong>
          <span className={styles.unit}>{t('figure.ofServices', { count: own.length })}</span>
        </div>
        <p className={styles.note}>
          {troubled.length === 0
            ? t('figure.noTrouble')
            : troubled
                .slice(0, 3)
                .map(({ service }) => service.name)
                .join(', ')}
        </p>
      </Figure>
    </section>
  )
}

function Figure({
  title,
  hint,
  children,
}: {
  readonly title: string
  readonly hint?: string
  readonly children: ReactNode
}) {
  return (
    <div className={styles.figure} title={hint}>
      <h2 className={styles.figureTitle}>{title}</h2>
      {children}
    </div>
  )
}

function Rate({
  title,
  unit,
  points,
  isBits = false,
  note,
  hint,
}: {
  readonly title: string
  readonly unit: string
  readonly points: readonly Point[]
  readonly isBits?: boolean
  readonly note?: string
  readonly hint?: string
}) {
  const { t, i18n } = useTranslation()
  const value = latest(points)
  const scale = scaleFor(value ?? 0)
  return (
    <Figure title={title} hint={hint}>
      <div className={styles.value}>
        <strong>{value === null ? '–' : formatScaled(value, scale, i18n.language)}</strong>
        <span className={styles.unit}>
          {scale.symbol}
          {scale.symbol !== '' && !isBits ? ' ' : ''}
          {unit}
        </span>
        {value === null && <span className="sb-hidden">{t('chart.noSample')}</span>}
      </div>
      <Sparkline points={points} />
      {note !== undefined && <p className={styles.note}>{note}</p>}
    </Figure>
  )
}
