import type { ForwardingMethod } from '../../core/model/dataplane.ts'
import type { ObservedService, ObservedState } from '../../core/model/observed.ts'
import { forwardingOf } from '../../core/model/service-rules.ts'
import { schedulers } from '../../core/model/scheduler.ts'
import {
  type RealServer,
  type Tunnel,
  type VirtualService,
  defaultTunnel,
  realServerKey,
  serviceAddress,
  serviceKey,
} from '../../core/model/service.ts'
import type { RealServerStatus, Sample } from '../../core/model/telemetry.ts'
import { adoptedService } from '../../core/reconcile/adopt.ts'

/** How something is, as shown: colour, shape and word. */
export type Status = 'up' | 'degraded' | 'down' | 'draining' | 'unknown'

/** Greatest trouble first. */
export const byTrouble: readonly Status[] = ['down', 'degraded', 'unknown', 'draining', 'up']

/** A real server with what is wanted, what the dataplane has, and what is measured, side by side. */
export interface RealServerView {
  readonly key: string
  readonly address: string
  readonly port: number
  readonly name: string | undefined
  /** As the newest revision wants it. */
  readonly desired: RealServer
  readonly forwarding: ForwardingMethod
  /** Null but for the method tun. */
  readonly tunnel: Tunnel | null
  /** As the dataplane has it; null where it is not there (yet). */
  readonly observedWeight: number | null
  readonly status: Status
  /** Taken out by the operator: shown as unknown with its own word. */
  readonly isOffline: boolean
  /** Measured; undefined while no sample has arrived. */
  readonly measured: RealServerStatus | undefined
}

export interface ServiceView {
  readonly key: string
  readonly service: VirtualService
  readonly status: Status
  readonly realServers: readonly RealServerView[]
  readonly counts: ServiceCounts
  readonly isProgrammed: boolean
  /** Set up by somebody else: shown, never touched. Its document is made up from what was observed. */
  readonly isForeign: boolean
}

export interface ServiceCounts {
  readonly total: number
  readonly up: number
  readonly down: number
  readonly draining: number
  readonly offline: number
  readonly unknown: number
}

function statusOf(
  desired: RealServer,
  isChecked: boolean,
  isUp: boolean | undefined,
  measured: RealServerStatus | undefined,
): Status {
  if (desired.state === 'offline') return 'unknown'
  const isDown = measured?.health === 'down' || (measured === undefined && isUp === false)
  if (desired.state === 'drain') return isDown ? 'down' : 'draining'
  if (isDown) return 'down'
  // Without a check nobody measures health, and what is programmed counts as up.
  if (measured === undefined || !isChecked) return isUp === undefined ? 'unknown' : 'up'
  return measured.health === 'up' ? 'up' : 'unknown'
}

/** The worst that needs attention: no server left is down, some missing is degraded; draining on purpose is no trouble. */
export function statusOfService(counts: ServiceCounts): Status {
  const inRing = counts.total - counts.offline - counts.draining
  if (counts.total === 0) return 'unknown'
  if (inRing === 0) return counts.draining > 0 ? 'draining' : 'unknown'
  if (counts.down === 0) return counts.unknown === inRing ? 'unknown' : 'up'
  return counts.up === 0 ? 'down' : 'degraded'
}

/** Joins the document, the dataplane and the newest sample for one service. */
export function serviceView(service: VirtualService, observed: ObservedState, sample: Sample | undefined): ServiceView {
  const key = serviceKey(service)
  const programmed = observed.services.find((other) => !other.isForeign && serviceKey(other) === key)
  return joined(service, programmed, sample, false)
}

/** A service of somebody else: what was observed stands for the document that it has not. */
export function foreignServiceView(observed: ObservedService, sample: Sample | undefined): ServiceView {
  return joined(adoptedService(observed, serviceAddress(observed)), observed, sample, true)
}

function joined(
  service: VirtualService,
  programmed: ObservedService | undefined,
  sample: Sample | undefined,
  isForeign: boolean,
): ServiceView {
  const key = serviceKey(service)
  const measuredService = sample?.services.find((other) => other.key === key)
  const realServers = service.realServers.map((desired): RealServerView => {
    const ownKey = realServerKey(desired)
    const own = programmed?.realServers.find((other) => realServerKey(other) === ownKey)
    const measured = measuredService?.realServers.find((other) => realServerKey(other) === ownKey)
    const forwarding = forwardingOf(service, desired)
    return {
      key: ownKey,
      address: desired.address,
      port: desired.port,
      name: desired.name,
      desired,
      forwarding,
      tunnel: forwarding === 'tun' ? (desired.tunnel ?? service.tunnel ?? defaultTunnel) : null,
      observedWeight: own?.weight ?? null,
      status: statusOf(desired, service.check.type !== 'none', own?.isUp, measured),
      isOffline: desired.state === 'offline',
      measured,
    }
  })
  const count = (status: Status) => realServers.filter((server) => server.status === status && !server.isOffline).length
  const counts: ServiceCounts = {
    total: realServers.length,
    up: count('up'),
    down: count('down'),
    draining: count('draining'),
    offline: realServers.filter(({ isOffline }) => isOffline).length,
    unknown: count('unknown'),
  }
  return {
    key,
    service,
    status: statusOfService(counts),
    realServers,
    counts,
    isProgrammed: programmed !== undefined,
    isForeign,
  }
}

/** One's own before foreign ones; trouble first, then the name; stable while data change within one state. */
export function bySeverity(a: ServiceView, b: ServiceView): number {
  if (a.isForeign !== b.isForeign) return a.isForeign ? 1 : -1
  const rank = byTrouble.indexOf(a.status) - byTrouble.indexOf(b.status)
  return rank === 0 ? a.service.name.localeCompare(b.service.name) : rank
}

/**
 * Share of new connections that a real server should get, 0 to 1; 0 where it gets none, null where the scheduler
 * promises no share: by rank (fo), by capacity (ovf), by the least connections or the destination without weights.
 */
export function expectedShare(
  server: RealServerView,
  { service, realServers }: Pick<ServiceView, 'service' | 'realServers'>,
): number | null {
  const byWeight = schedulers[service.scheduler].weight === 'share'
  if (!byWeight && service.scheduler !== 'rr') return null
  const weightOf = (other: RealServerView) => {
    const takesNew = other.status === 'up' || (other.status === 'unknown' && !other.isOffline)
    if (!takesNew) return 0
    return byWeight ? other.desired.weight : Math.min(1, other.desired.weight)
  }
  const total = realServers.reduce((sum, other) => sum + weightOf(other), 0)
  return total === 0 ? 0 : weightOf(server) / total
}
