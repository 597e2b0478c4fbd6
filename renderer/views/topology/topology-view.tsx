import '@xyflow/react/dist/base.css'
import { ReactFlow, getViewportForBounds, useReactFlow, useStore } from '@xyflow/react'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FilterInput } from '../../components/filter-input.tsx'
import { Page } from '../../components/page.tsx'
import { Empty, Stale, StaleNotice } from '../../components/states.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { statusOfPhase } from '../../frame/session-status.ts'
import { measuredRates } from '../../series/measured.ts'
import { serviceIn } from '../../series/pick.ts'
import { latest } from '../../series/rates.ts'
import { useDirector, useDirectorState, useFreshness } from '../../store/selectors.ts'
import type { RealServerView, Status } from '../../store/service-state.ts'
import { useSamples, useWatchStats } from '../../store/stats-store.ts'
import { servicesOf } from '../../store/use-services.ts'
import { NewServiceError, useNewService } from '../services/new-service.tsx'
import { Details } from './details.tsx'
import { edgeTypes } from './edges.tsx'
import { type Layout, type Shape, layoutOf } from './layout.ts'
import { type DrawnService, edgesOf } from './map-edges.ts'
import { type MapNode, type Selection, nodeTypes } from './nodes.tsx'
import styles from './topology.module.css'

const minZoom = 0.15
/** A small cluster on a large screen is drawn larger, but not like a poster. */
const fitZoom = 1.35
/** Two lines of legend with its distance from the edge. */
const legendHeight = 76

const legend: readonly Status[] = ['up', 'degraded', 'down', 'draining', 'unknown']

/** Who answers what, and which way packets and replies go. Positions depend on the document alone. */
export default function TopologyView({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  useWatchStats(directorId)
  const entry = useDirector(directorId)
  const state = useDirectorState(directorId)
  const freshness = useFreshness(directorId)
  const samples = useSamples(directorId)
  const [filter, setFilter] = useState('')
  const [selection, setSelection] = useState<Selection | null>(null)
  const newService = useNewService(directorId)

  // In the document's order: sorting by trouble would make cards jump.
  const services = useMemo(() => servicesOf(state, samples.at(-1)), [state, samples])
  // Data come every second; only the number of services and real servers may move a card.
  const shape = JSON.stringify(services.map(({ key, realServers }) => ({ key, count: realServers.length })))
  const layout = useMemo(() => layoutOf(JSON.parse(shape) as Shape[]), [shape])

  const selectServer = useCallback(
    (service: string) => (server: RealServerView) => setSelection({ kind: 'realServer', service, key: server.key }),
    [],
  )

  const { nodes, edges } = useMemo(() => {
    const last = samples.slice(-2)
    const rateOf = (key: string) => latest(measuredRates(last, (sample) => serviceIn(sample, key), 'connections'))
    const rates = new Map(services.map(({ key }) => [key, rateOf(key)]))
    const known = [...rates.values()].filter((rate) => rate !== null)
    const total = known.reduce((sum, rate) => sum + rate, 0)
    const words = filter.toLowerCase().trim()
    const isMatch = (text: string) => words === '' || text.toLowerCase().includes(words)
    const allNodes: MapNode[] = [
      {
        id: 'clients',
        type: 'clients',
        position: layout.clients,
        ...sizeOf(layout.clients),
        selectable: false,
        focusable: false,
        data: { rate: known.length === 0 ? null : total, isDimmed: false, isSelected: false },
      },
      {
        id: 'director',
        type: 'director',
        position: layout.director,
        ...sizeOf(layout.director),
        ariaLabel: entry?.profile.name ?? directorId,
        data: {
          name: entry?.profile.name ?? directorId,
          status: statusOfPhase(entry?.session.phase ?? 'disconnected'),
          word: t(`phase.${entry?.session.phase ?? 'disconnected'}`),
          vips: state?.observed.vips.length ?? 0,
          isDimmed: false,
          isSelected: selection?.kind === 'director',
        },
      },
    ]
    const drawn: DrawnService[] = []
    for (const [i, view] of services.entries()) {
      const place = layout.services[i]
      if (place === undefined) continue
      const rate = rates.get(view.key) ?? null
      const isDimmed = !isMatch(
        `${view.service.name} ${view.key} ${view.realServers.map(({ key, name }) => `${key} ${name ?? ''}`).join(' ')}`,
      )
      drawn.push({ view, rate, isDimmed })
      allNodes.push(
        {
          id: `vip ${view.key}`,
          type: 'vip',
          position: place.vip,
          ...sizeOf(place.vip),
          ariaLabel: `${view.service.name} ${view.key}${view.isForeign ? ` (${t('foreign.mark')})` : ''}`,
          data: {
            view,
            rate,
            isDimmed,
            isSelected: selection?.kind === 'service' && selection.key === view.key,
          },
        },
        {
          id: `pool ${view.key}`,
          type: 'pool',
          position: place.pool,
          ...sizeOf(place.pool),
          focusable: false,
          data: {
            view,
            isDimmed,
            isSelected: selection?.kind === 'service' && selection.key === view.key,
            selectedKey: selection?.kind === 'realServer' && selection.service === view.key ? selection.key : null,
            onSelect: selectServer(view.key),
          },
        },
      )
    }
    return { nodes: allNodes, edges: edgesOf(drawn, layout, freshness === 'live') }
  }, [services, layout, samples, filter, freshness, entry, state, selection, selectServer, t, directorId])

  if (services.length === 0) {
    return (
      <Page title={t('nav.topology')}>
        <StaleNotice directorId={directorId} />
        <NewServiceError command={newService} />
        <Empty
          icon="topology"
          sentence={t('overview.noServices', { name: entry?.profile.name ?? directorId })}
          more={t('overview.noServicesMore')}
          action={{ label: t('action.newService'), onClick: () => void newService.run() }}
        />
      </Page>
    )
  }
  return (
    <Page
      title={t('nav.topology')}
      isFilled
      actions={<FilterInput value={filter} onChange={setFilter} label={t('topology.filter')} />}
    >
      <StaleNotice directorId={directorId} />
      <Stale freshness={freshness}>
        <div className={styles.board}>
          <div className={styles.map} role="region" aria-label={t('nav.topology')}>
            <ReactFlow
              nodes={nodes}
              edges={edges}
              nodeTypes={nodeTypes}
              edgeTypes={edgeTypes}
              nodesDraggable={false}
              nodesConnectable={false}
              edgesFocusable={false}
              elementsSelectable
              deleteKeyCode={null}
              selectionKeyCode={null}
              multiSelectionKeyCode={null}
              minZoom={minZoom}
              maxZoom={2}
              onlyRenderVisibleElements={services.length > 60}
              proOptions={{ hideAttribution: true }}
              onNodeClick={(_event, node) => setSelection(selectionOf(node.id))}
              onSelectionChange={({ nodes: chosen }) => {
                const [first] = chosen
                if (first !== undefined) setSelection(selectionOf(first.id))
              }}
              onPaneClick={() => setSelection(null)}
            >
              <Fit layout={layout} />
              <svg className={styles.defs} aria-hidden="true">
                <defs>
                  <marker
                    id="sb-arrow"
                    viewBox="0 0 8 8"
                    refX="6"
                    refY="4"
                    markerWidth="7"
                    markerHeight="7"
                    orient="auto"
                  >
                    <path d="M0 0.6 7 4 0 7.4z" className={styles.arrow} />
                  </marker>
                </defs>
              </svg>
            </ReactFlow>
            <div className={styles.legend}>
              {legend.map((status) => (
                <StatusMark key={status} status={status} isQuiet />
              ))}
              <span className={styles.legendLine}>
                <svg width="26" height="8" aria-hidden="true">
                  <path d="M0 4h26" className={styles.flow} strokeWidth="4" />
                </svg>
                {t('topology.request')}
              </span>
              <span className={styles.legendLine}>
                <svg width="26" height="8" aria-hidden="true">
                  <path d="M0 4h26" className={styles.reply} />
                </svg>
                {t('topology.reply')}
              </span>
              <span className={styles.legendLine}>
                <svg width="26" height="8" aria-hidden="true">
                  <path d="M0 4h26" className={styles.back} />
                </svg>
                {t('topology.replyBack')}
              </span>
            </div>
          </div>
          {selection !== null && (
            <Details
              directorId={directorId}
              selection={selection}
              services={services}
              onSelect={setSelection}
              onClose={() => setSelection(null)}
            />
          )}
        </div>
      </Stale>
    </Page>
  )
}

/**
 * Shows the whole map, with the reply's way around it and room for the legend, when it opens and when the space for it
 * changes; cards keep their places on the map, and what the reader zoomed to stays while data change.
 */
function Fit({ layout }: { readonly layout: Layout }) {
  const { setViewport } = useReactFlow()
  const width = useStore((s) => s.width)
  const height = useStore((s) => s.height)
  useEffect(() => {
    if (width === 0 || height === 0) return
    const bounds = { x: 0, y: layout.busY, width: layout.busX, height: layout.bottom - layout.busY }
    const padding = { top: '20px', left: '24px', right: '24px', bottom: `${legendHeight}px` } as const
    void setViewport(getViewportForBounds(bounds, width, height, minZoom, fitZoom, padding))
  }, [width, height, layout, setViewport])
  return null
}

const sizeOf = ({ width, height }: { readonly width: number; readonly height: number }) => ({ width, height })

function selectionOf(nodeId: string): Selection | null {
  if (nodeId === 'director') return { kind: 'director' }
  const [kind, key] = nodeId.split(' ')
  return (kind === 'vip' || kind === 'pool') && key !== undefined ? { kind: 'service', key } : null
}
