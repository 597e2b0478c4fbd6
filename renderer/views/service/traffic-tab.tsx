import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { repliesPassDirector } from '../../../core/model/dataplane.ts'
import { serviceAddress } from '../../../core/model/service.ts'
import { MiddleCut } from '../../components/address.tsx'
import { RateChart } from '../../components/rate-chart.tsx'
import { Sparkline } from '../../components/sparkline.tsx'
import { Empty, LoadingBlock } from '../../components/states.tsx'
import { formatSi } from '../../format/number.ts'
import { measuredRates } from '../../series/measured.ts'
import { type Measure, flowKinds, flowsOfService, realServerIn, serviceIn } from '../../series/pick.ts'
import { latest, levelsOf } from '../../series/rates.ts'
import { type Series, busiest, maxLines } from '../../series/top.ts'
import type { ServiceView } from '../../store/service-state.ts'
import { useStats } from '../../store/stats-store.ts'
import { type Thinned, useThinned, useThinnedSmall } from '../../store/use-series.ts'
import styles from './service.module.css'

const shownSmall = 50

/** Graphs of a service by real server; many of them become small ones of the same scale of time. */
export function TrafficTab({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t, i18n } = useTranslation()
  const all = useThinned(directorId)
  const few = useThinnedSmall(directorId)
  const { readings, maxStepMs } = all
  const isLoaded = useStats((s) => s.isLoaded[directorId] ?? false)
  const { key, realServers } = view

  // Health changes with every sample; lines depend on which real servers there are and what they are called.
  const named = JSON.stringify(realServers.map((server) => [server.key, server.name ?? server.key]))
  const byServer = useMemo(() => {
    const line = (id: string, name: string, measure: Measure, { readings: own, maxStepMs: step }: Thinned): Series => ({
      id,
      name,
      points: measuredRates(own, (s) => realServerIn(s, key, id), measure, step),
    })
    const small = (JSON.parse(named) as [string, string][]).map(([id, name]) => line(id, name, 'connections', few))
    // The same real servers in every graph, in the same colours: chosen once, by their connections.
    const shown = busiest(small)
    const lines = (measure: Measure) => shown.map(({ id, name }) => line(id, name, measure, all))
    return { small, connections: lines('connections'), packets: lines('packetsIn'), bits: lines('bitsIn') }
  }, [all, few, named, key])
  const isIpvs = view.service.dataplane === 'ipvs'
  const isDirect = !realServers.some(({ forwarding }) => repliesPassDirector(forwarding))
  const flows = useMemo(
    (): Series[] =>
      flowKinds
        .filter((kind) => isIpvs || kind === 'active')
        .map((kind) => ({
          id: kind,
          name: isIpvs ? t(`column.${kind}`) : t('figure.flows'),
          points: levelsOf(
            readings,
            (s) => {
              const own = serviceIn(s, key)
              return own === undefined ? null : flowsOfService(own, kind)
            },
            maxStepMs,
          ),
        })),
    [readings, maxStepMs, key, isIpvs, t],
  )
  const replies = useMemo(
    (): Series[] => [
      {
        id: 'out',
        name: t('chart.replies'),
        points: measuredRates(readings, (s) => serviceIn(s, key), 'bitsOut', maxStepMs),
      },
    ],
    [readings, maxStepMs, key, t],
  )

  if (!isLoaded) return <LoadingBlock height={320} />
  if (readings.length === 0)
    return <Empty icon="chart" sentence={t('chart.noSamples')} more={t('chart.noSamplesMore')} />
  // One scale for all small graphs: they are there to be compared.
  const top = Math.max(0, ...byServer.small.flatMap(({ points }) => points.map(({ value }) => value ?? 0)))
  const rates = byServer.small.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []))
  // Without a single rate nothing is known about traffic; the graphs say that themselves.
  const hasHadNone = rates.length > 0 && rates.every((rate) => rate === 0)
  return (
    <>
      {isIpvs && <p className={styles.notice}>{t('service.ipvsRefreshLong')}</p>}
      {hasHadNone && (
        <p className={styles.notice}>{t('service.noTraffic', { address: serviceAddress(view.service) })}</p>
      )}
      <div className={styles.charts}>
        <RateChart
          title={t('chart.connections')}
          series={byServer.connections}
          total={realServers.length}
          unit="connections/s"
        />
        <RateChart title={t('chart.packets')} series={byServer.packets} total={realServers.length} unit="packets/s" />
        <RateChart title={t('chart.bits')} series={byServer.bits} total={realServers.length} unit="bit/s" />
        <RateChart
          title={t('chart.replies')}
          series={replies}
          unit="bit/s"
          absent={isDirect ? t('chart.replyElsewhere') : undefined}
        />
        <RateChart
          title={isIpvs ? t('chart.flowsIpvs') : isDirect ? t('chart.flowsEstimated') : t('figure.flows')}
          series={flows}
          unit="connections"
        />
      </div>
      {realServers.length > maxLines && (
        <section aria-label={t('chart.each')}>
          <h2 className={styles.sectionTitle}>
            {t('chart.each')}
            {realServers.length > shownSmall &&
              ` · ${t('table.showing', { shown: shownSmall, total: realServers.length })}`}
          </h2>
          <div className={styles.small}>
            {byServer.small.slice(0, shownSmall).map(({ id, name, points }) => {
              const value = latest(points)
              return (
                <div key={id} className={styles.smallItem}>
                  <div className={styles.smallHead}>
                    <span className={styles.smallName}>
                      <MiddleCut text={name} />
                    </span>
                    <strong>{value === null ? '–' : formatSi(value, i18n.language)}</strong>
                  </div>
                  <Sparkline points={points} height={26} top={top} />
                </div>
              )
            })}
          </div>
        </section>
      )}
    </>
  )
}
