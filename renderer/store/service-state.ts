import type { ObservedState } from '../../core/model/observed.ts'
import { type RealServer, type VirtualService, realServerKey, serviceKey } from '../../core/model/service.ts'
import type { RealServerStatus, Sample } from '../../core/model/telemetry.ts'

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
  const programmed = observed.services.find((other) => serviceKey(other) === key)
  const measuredService = sample?.services.find((other) => other.key === key)
  const realServers = service.realServers.map((desired): RealServerView => {
    const ownKey = realServerKey(desired)
    const own = programmed?.realServers.find((other) => realServerKey(other) === ownKey)
    const measured = measuredService?.realServers.find((other) => realServerKey(other) === ownKey)
    return {
      key: ownKey,
      address: desired.address,
      port: desired.port,
      name: desired.name,
      desired,
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
  }
}

/** Trouble first, then the name; stable while data change within one state. */
export function bySeverity(a: ServiceView, b: ServiceView): number {
  const rank = byTrouble.indexOf(a.status) - byTrouble.indexOf(b.status)
  return rank === 0 ? a.service.name.localeCompare(b.service.name) : rank
}

/** Share of new connections that a real server should get by its weight, 0 to 1; 0 where it gets none. */
export function expectedShare(server: RealServerView, all: readonly RealServerView[]): number {
  const weightOf = (other: RealServerView) =>
    other.status === 'up' || (other.status === 'unknown' && !other.isOffline) ? other.desired.weight : 0
  const total = all.reduce((sum, other) => sum + weightOf(other), 0)
  return total === 0 ? 0 : weightOf(server) / total
}
