import type { ObservedService } from '../../core/model/observed.ts'
import type { TcpCheck } from '../../core/model/health-check.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'

/** One endpoint to be checked, for all services that have it. */
export interface Target {
  readonly key: string
  readonly address: string
  readonly port: number
  readonly check: TcpCheck
  readonly services: readonly string[]
  /** What the dataplane was last told; true unless every service has it down. */
  readonly wasUp: boolean
}

/**
 * The endpoints of all services, each once. Where services want it checked differently, the shortest interval counts
 * with all of its figures: the others see a change sooner, never later. An offline real server is not checked.
 */
export function targetsOf(services: readonly ObservedService[]): Map<string, Target> {
  const targets = new Map<string, Target>()
  for (const service of services) {
    const { check } = service
    if (check.type === 'none' || service.isForeign) continue
    for (const { address, port, state, isUp } of service.realServers) {
      if (state === 'offline') continue
      const key = realServerKey({ address, port })
      const other = targets.get(key)
      targets.set(key, {
        key,
        address,
        port,
        check: other !== undefined && other.check.intervalMs <= check.intervalMs ? other.check : check,
        services: [...(other?.services ?? []), serviceKey(service)],
        wasUp: (other?.wasUp ?? false) || isUp,
      })
    }
  }
  return targets
}
