import { type Scheduler, schedulers } from '../../../core/model/scheduler.ts'
import { type RealServer, realServerKey, type VirtualService } from '../../../core/model/service.ts'

/** They choose by the destination's address, and a service has one. */
const byDestination: readonly Scheduler[] = ['dh', 'lblc', 'lblcr']

/**
 * True where all connections of one client address go to one real server: persistence, and schedulers that hash the
 * address alone. Requests from one host then say nothing about shares. The eBPF dataplane's mh hashes the ports too.
 */
export function staysWithOne({ dataplane, scheduler, schedulerFlags, persistence }: VirtualService): boolean {
  if (dataplane === 'ebpf') return false
  const hashes = scheduler === 'sh' || scheduler === 'mh'
  return persistence !== undefined || (hashes && !schedulerFlags.includes('port')) || byDestination.includes(scheduler)
}

/**
 * Share of the new connections that a service's scheduler promises each real server, by its key, 0 to 1. A failover
 * scheduler fills the highest weight first; what `ovf` overflows to depends on the load and is not promised.
 */
export function expectedShares(service: VirtualService): Record<string, number> {
  const { weight: meaning } = schedulers[service.scheduler]
  const isOpen = ({ state, weight }: RealServer) => state === 'enabled' && weight > 0
  const highest = Math.max(0, ...service.realServers.filter(isOpen).map(({ weight }) => weight))
  const partOf = (one: RealServer): number => {
    if (!isOpen(one)) return 0
    switch (meaning) {
      case 'none':
        return 1
      case 'share':
        return one.weight
      case 'rank':
      case 'capacity':
        return one.weight === highest ? 1 : 0
    }
  }
  const total = service.realServers.reduce((sum, one) => sum + partOf(one), 0)
  return Object.fromEntries(
    service.realServers.map((one) => [realServerKey(one), total === 0 ? 0 : partOf(one) / total]),
  )
}
