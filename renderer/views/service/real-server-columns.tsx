import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { methodNames, repliesPassDirector } from '../../../core/model/dataplane.ts'
import type { RealServer } from '../../../core/model/service.ts'
import { editSpec } from '../../change/change-store.ts'
import { setWeight } from '../../change/edits.ts'
import { realServerField } from '../../change/spec-issues.ts'
import { Address } from '../../components/address.tsx'
import type { Column } from '../../components/data-table.tsx'
import { OutRate } from '../../components/out-rate.tsx'
import { tunnelWord } from '../../components/service-tags.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { Time } from '../../components/time.tsx'
import { formatMs, formatShare, formatSi, formatWithUnit } from '../../format/number.ts'
import { type FlowKind, flowsOf } from '../../series/pick.ts'
import { type RealServerView, type ServiceView, byTrouble } from '../../store/service-state.ts'
import { RealServerActions } from './real-server-actions.tsx'
import type { RealServerRow } from './real-server-rows.ts'
import styles from './service.module.css'
import { WeightInput } from './weight-input.tsx'

/** Farther from the expected share than this reads as a wrong weight or a sticky client, with enough connections. */
const shareTolerance = 0.3

interface Given {
  readonly directorId: string
  readonly view: ServiceView
  /** Real servers of the pending document by key; null where nothing is pending. */
  readonly pending: ReadonlyMap<string, RealServer> | null
  readonly isLocked: boolean
  readonly skewMs: number
}

interface Shape {
  readonly isIpvs: boolean
  /** No reply passes the director. */
  readonly isDirect: boolean
  /** Real servers are reached in different ways. */
  readonly isMixed: boolean
  readonly hasThresholds: boolean
}

function shapeOf({ service, realServers }: ServiceView): Shape {
  const ways = new Set(realServers.map((one) => [one.forwarding, one.tunnel && tunnelWord(one.tunnel)].join(' ')))
  return {
    isIpvs: service.dataplane === 'ipvs',
    isDirect: !realServers.some(({ forwarding }) => repliesPassDirector(forwarding)),
    isMixed: ways.size > 1,
    hasThresholds: realServers.some(({ desired }) => (desired.upperThreshold ?? 0) > 0),
  }
}

/** The columns that this service's real servers have something to say in. */
export function useRealServerColumns(given: Given): readonly Column<RealServerRow>[] {
  const { directorId, view, pending, isLocked, skewMs } = given
  const { t, i18n } = useTranslation()
  const { key, isForeign } = view
  // Health changes with every sample; which columns there are depends on the document alone.
  const shape = JSON.stringify(shapeOf(view))
  return useMemo(() => {
    const { isIpvs, isDirect, isMixed, hasThresholds } = JSON.parse(shape) as Shape
    const label = (server: RealServerView) => server.name ?? server.key
    const pendingOf = (server: RealServerView) => (pending === null ? server.desired : pending.get(server.key))
    const flows = (kind: FlowKind, header: string, hint: string | undefined): Column<RealServerRow> => {
      const read = ({ server: { measured } }: RealServerRow) =>
        measured === undefined ? null : flowsOf(measured, kind)
      return {
        id: kind,
        isOptional: kind !== 'active',
        header,
        hint,
        width: isIpvs ? 78 : 104,
        align: 'end',
        sortBy: read,
        cell: (row) => {
          const value = read(row)
          return value === null ? '–' : formatSi(value, i18n.language)
        },
      }
    }
    const refresh = isIpvs ? t('service.ipvsRefresh') : undefined
    const columns: (Column<RealServerRow> | false)[] = [
      {
        id: 'state',
        header: t('column.state'),
        width: 108,
        sortBy: ({ server }) => byTrouble.indexOf(server.status),
        cell: ({ server }) => {
          const next = isForeign ? server.desired : pendingOf(server)
          const toCome =
            next === undefined
              ? t('service.pending.remove')
              : next.state === server.desired.state
                ? null
                : t(`service.pending.${next.state}`)
          return (
            <span title={server.measured?.checkError ?? undefined}>
              <StatusMark status={server.status} isQuiet label={server.isOffline ? t('status.offline') : undefined} />
              {toCome !== null && <span className={styles.pendingRow}> → {toCome}</span>}
            </span>
          )
        },
      },
      {
        id: 'address',
        header: t('column.realServer'),
        least: 130,
        sortBy: ({ server }) => server.key,
        cell: ({ server }) => (
          <span
            className={styles.endpoint}
            title={server.name === undefined ? server.key : `${server.name} · ${server.key}`}
          >
            <Address text={server.key} />
            {server.name !== undefined && <span className="sb-dim sb-cut">{server.name}</span>}
          </span>
        ),
      },
      isMixed && {
        id: 'method',
        header: t('column.mode'),
        width: 104,
        sortBy: ({ server }) => methodNames[server.forwarding],
        cell: ({ server }) =>
          [methodNames[server.forwarding], ...(server.tunnel === null ? [] : [tunnelWord(server.tunnel)])].join(' '),
      },
      {
        id: 'weight',
        header: t('column.weight'),
        width: 88,
        align: 'end',
        sortBy: ({ server }) => server.desired.weight,
        cell: ({ server }) => {
          if (isForeign) return server.desired.weight
          const next = pendingOf(server)
          return (
            <>
              {server.observedWeight !== null && server.observedWeight !== server.desired.weight && (
                <span className={styles.was} title={t('service.observedWeight')}>
                  {server.observedWeight} →{' '}
                </span>
              )}
              <WeightInput
                value={next?.weight ?? server.desired.weight}
                applied={server.desired.weight}
                label={t('service.weightOf', { name: label(server) })}
                field={realServerField(key, server.key, 'weight')}
                isDisabled={isLocked || next === undefined}
                onCommit={(weight) => editSpec(directorId, setWeight(key, server.key, weight))}
              />
            </>
          )
        },
      },
      {
        id: 'share',
        header: t('column.share'),
        hint: t(isIpvs ? 'service.shareHintIpvs' : 'service.shareHint'),
        width: 124,
        align: 'end',
        sortBy: ({ share }) => share,
        cell: ({ share, expected, isTelling }) => {
          const isOff =
            isTelling &&
            share !== null &&
            expected !== null &&
            expected > 0 &&
            Math.abs(share - expected) / expected > shareTolerance
          return (
            <span className={styles.share}>
              <span className={isOff ? styles.shareOff : undefined}>
                {share === null ? '–' : formatShare(share, i18n.language)}
              </span>
              <span className={styles.was}>/ {expected === null ? '–' : formatShare(expected, i18n.language)}</span>
            </span>
          )
        },
      },
      ...(isIpvs
        ? [
            flows('active', t('column.active'), isDirect ? t('service.flowsEstimated') : undefined),
            flows('inactive', t('column.inactive'), t('service.inactiveHint')),
            flows('persistent', t('column.persistent'), t('service.persistentHint')),
          ]
        : [
            flows(
              'active',
              isDirect ? t('column.flowsEstimated') : t('column.flows'),
              isDirect ? t('service.flowsEstimated') : undefined,
            ),
          ]),
      {
        id: 'connections',
        header: t('column.connections'),
        hint: refresh,
        width: 76,
        align: 'end',
        sortBy: ({ connections }) => connections,
        cell: ({ connections }) => (connections === null ? '–' : formatSi(connections, i18n.language)),
      },
      {
        id: 'in',
        isOptional: true,
        header: t('column.in'),
        hint: refresh,
        width: 94,
        align: 'end',
        sortBy: ({ bits }) => bits,
        cell: ({ bits }) => (bits === null ? '–' : formatWithUnit(bits, 'bit/s', i18n.language)),
      },
      isIpvs && {
        id: 'out',
        isOptional: true,
        header: t('column.out'),
        hint: refresh,
        width: 92,
        align: 'end',
        sortBy: ({ bitsOut }) => bitsOut,
        cell: ({ server, bitsOut }) => <OutRate bits={bitsOut} forwarding={server.forwarding} />,
      },
      hasThresholds && {
        id: 'thresholds',
        isOptional: true,
        header: t('column.thresholds'),
        hint: t('service.thresholdsHint'),
        width: 98,
        align: 'end',
        sortBy: ({ server }) => server.desired.upperThreshold ?? 0,
        cell: ({ server: { desired } }) => {
          const { upperThreshold: upper = 0, lowerThreshold: lower = 0 } = desired
          return upper === 0 ? '–' : `${upper} / ${lower === 0 ? '–' : lower}`
        },
      },
      !isForeign && {
        id: 'latency',
        isOptional: true,
        header: t('column.latency'),
        hint: t('service.latencyHint'),
        width: 96,
        align: 'end',
        sortBy: ({ server }) => server.measured?.checkLatencyMs ?? null,
        cell: ({ server: { measured } }) => {
          if (measured === undefined) return '–'
          if (measured.checkLatencyMs !== null) return formatMs(measured.checkLatencyMs, i18n.language)
          return measured.checkError === null ? '–' : <span title={measured.checkError}>{measured.checkError}</span>
        },
      },
      !isForeign && {
        id: 'since',
        isOptional: true,
        header: t('column.lastChange'),
        width: 96,
        align: 'end',
        sortBy: ({ server }) => server.measured?.sinceMs ?? null,
        cell: ({ server }) =>
          typeof server.measured?.sinceMs === 'number' ? <Time atMs={server.measured.sinceMs} skewMs={skewMs} /> : '–',
      },
      !isForeign && {
        id: 'actions',
        header: <span className="sb-dim" />,
        width: 68,
        align: 'end',
        cell: ({ server }) => (
          <RealServerActions
            directorId={directorId}
            service={key}
            realServer={server.key}
            name={label(server)}
            state={pendingOf(server)?.state}
            isLocked={isLocked}
          />
        ),
      },
    ]
    return columns.filter((column) => column !== false)
  }, [t, i18n.language, directorId, key, isForeign, pending, isLocked, shape, skewMs])
}
