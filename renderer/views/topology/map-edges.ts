import { repliesPassDirector } from '../../../core/model/dataplane.ts'
import type { ServiceView } from '../../store/service-state.ts'
import type { MapEdge } from './edges.tsx'
import type { Layout } from './layout.ts'

/** A service as far as its lines depend on it. */
export interface DrawnService {
  readonly view: Pick<ServiceView, 'key' | 'realServers'>
  /** New connections per second; null while it is not known. */
  readonly rate: number | null
  readonly isDimmed: boolean
}

/** Replies that never see the director again (DR, Tunnel); with methods mixed, a service may have both ways. */
const goesPast = ({ view }: DrawnService): boolean =>
  view.realServers.some(({ forwarding }) => !repliesPassDirector(forwarding))
/** Replies that come back through it (NAT, FullNAT, and real servers on the director itself). */
const comesBack = ({ view }: DrawnService): boolean =>
  view.realServers.some(({ forwarding }) => repliesPassDirector(forwarding))

/** The ways of requests and replies. The reply's is what the methods differ in: past the director, or back through it. */
export function edgesOf(services: readonly DrawnService[], layout: Layout, isLive: boolean): MapEdge[] {
  const total = services.reduce((sum, { rate }) => sum + (rate ?? 0), 0)
  const edges: MapEdge[] = [
    {
      id: 'in',
      type: 'flow',
      source: 'clients',
      target: 'director',
      data: { share: total > 0 ? 1 : 0, isMoving: isLive && total > 0, isDimmed: false },
    },
  ]
  if (services.some(comesBack)) {
    const isMoving = isLive && services.some((one) => comesBack(one) && (one.rate ?? 0) > 0)
    edges.push({ id: 'back', type: 'back', ...fromTo('director', 'clients'), data: { isMoving, isDimmed: false } })
  }
  const lowestPast = services.findLast(goesPast)
  for (const service of services) {
    const { rate, isDimmed } = service
    const vip = `vip ${service.view.key}`
    const pool = `pool ${service.view.key}`
    const isMoving = isLive && (rate ?? 0) > 0
    const flow = { share: total > 0 ? (rate ?? 0) / total : 0, isMoving, isDimmed }
    edges.push(
      { id: `in ${service.view.key}`, type: 'flow', source: 'director', target: vip, data: flow },
      { id: `to ${service.view.key}`, type: 'flow', source: vip, target: pool, data: flow },
    )
    if (goesPast(service)) {
      // Drawn once for all: dashes on dashes would make a solid line.
      const hasTrunk = service === lowestPast
      edges.push({
        id: `reply ${service.view.key}`,
        type: 'reply',
        source: pool,
        sourceHandle: 'reply',
        target: 'clients',
        targetHandle: 'reply',
        data: {
          busX: layout.busX,
          busY: layout.busY,
          hasTrunk,
          isMoving: hasTrunk ? isLive && services.some((one) => goesPast(one) && (one.rate ?? 0) > 0) : isMoving,
          isDimmed,
        },
      })
    }
    if (comesBack(service)) {
      const data = { isMoving, isDimmed }
      edges.push(
        { id: `back ${service.view.key}`, type: 'back', ...fromTo(pool, vip), data },
        { id: `out ${service.view.key}`, type: 'back', ...fromTo(vip, 'director'), data },
      )
    }
  }
  return edges
}

const fromTo = (source: string, target: string) => ({ source, sourceHandle: 'back', target, targetHandle: 'back' })
