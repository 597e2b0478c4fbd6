import type { ObservedRealServer, ObservedState } from '../model/observed.ts'
import type { Plan, RealServerConfig, Step } from '../model/plan.ts'
import type { Scheduler } from '../model/scheduler.ts'
import { realServerKey, serviceKey } from '../model/service.ts'
import { simulate } from './simulate.ts'

/** A real server that takes part in a ring: enabled, up, with a weight. */
export interface RingMember {
  readonly address: string
  readonly port: number
  readonly weight: number
}

/** What the estimate of a risk needs to know and core/ cannot compute by itself. */
export interface RiskSources {
  /** Owner of each slot by real server key, in the order of the slots; empty where the ring has no member. */
  ringOf(members: readonly RingMember[]): readonly string[]
  /** Established flows of a real server of a service; null where they cannot be counted. */
  countFlows(service: string, realServer: Pick<RealServerConfig, 'address' | 'port'>): number | null
}

const isInRing = (one: ObservedRealServer): boolean => one.state === 'enabled' && one.weight > 0 && one.isUp

/**
 * What the steps do to traffic. `realServersLeavingRing` counts those of services that stay; those of removed services
 * are behind `servicesRemoved`. Flows are cut on whatever is removed: a drain cuts none.
 */
export function riskOf(observed: ObservedState, steps: readonly Step[], sources: RiskSources): Plan['risk'] {
  const after = simulate(observed, steps)
  const laterByKey = new Map(after.services.map((service) => [serviceKey(service), service]))
  let realServersLeavingRing = 0
  const slotsMoved: Record<string, number> = {}
  for (const service of observed.services) {
    const later = laterByKey.get(serviceKey(service))
    if (later === undefined || service.isForeign) continue
    const before = service.realServers.filter(isInRing)
    const members = later.realServers.filter(isInRing)
    const staying = new Set(members.map(realServerKey))
    realServersLeavingRing += before.filter((one) => !staying.has(realServerKey(one))).length
    // Round robin and least connections bind no client to a slot.
    if (!bindsClients(later.scheduler)) continue
    // A ring takes milliseconds to fill: only those that change are.
    if (isSameRing(before, members)) continue
    const moved = shareMoved(sources.ringOf(before), sources.ringOf(members))
    if (moved > 0) slotsMoved[serviceKey(service)] = moved
  }
  return {
    realServersLeavingRing,
    servicesRemoved: steps.filter((step) => step.kind === 'service.remove').length,
    flowsCut: flowsCut(steps, sources),
    slotsMoved,
  }
}

const bindsClients = (scheduler: Scheduler): boolean => scheduler === 'mh' || scheduler === 'sh'

/** True where both fill the same ring: the same members with the same weights, in any order. */
function isSameRing(a: readonly RingMember[], b: readonly RingMember[]): boolean {
  const weights = new Map(a.map((one) => [realServerKey(one), one.weight]))
  return a.length === b.length && b.every((one) => weights.get(realServerKey(one)) === one.weight)
}

/** Share of slots whose owner differs, 0 to 1. A ring that is empty on one side only has moved as a whole. */
export function shareMoved(before: readonly string[], after: readonly string[]): number {
  const slots = Math.max(before.length, after.length)
  if (slots === 0) return 0
  let moved = 0
  for (let slot = 0; slot < slots; slot++) if (before[slot] !== after[slot]) moved++
  return moved / slots
}

function flowsCut(steps: readonly Step[], sources: RiskSources): number | null {
  let sum = 0
  for (const step of steps) {
    if (step.kind !== 'realServer.remove') continue
    const flows = sources.countFlows(step.service, step.before)
    if (flows === null) return null
    sum += flows
  }
  return sum
}
