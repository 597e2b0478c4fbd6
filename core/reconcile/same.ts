import type { RealServerConfig, ServiceConfig } from '../model/plan.ts'
import type { Persistence, Tunnel } from '../model/service.ts'

/** True where nothing that is programmed differs. Both have the same key. */
export function isSameService(a: ServiceConfig, b: ServiceConfig): boolean {
  return (
    a.dataplane === b.dataplane &&
    a.forwarding === b.forwarding &&
    a.scheduler === b.scheduler &&
    isSameList(a.schedulerFlags, b.schedulerFlags) &&
    isSamePersistence(a.persistence, b.persistence) &&
    a.onePacket === b.onePacket &&
    isSameList(a.localAddresses, b.localAddresses) &&
    a.announce === b.announce &&
    a.interface === b.interface &&
    isSameCheck(a.check, b.check)
  )
}

export function isSameRealServer(a: RealServerConfig, b: RealServerConfig): boolean {
  return (
    a.weight === b.weight &&
    a.state === b.state &&
    a.forwarding === b.forwarding &&
    isSameTunnel(a.tunnel, b.tunnel) &&
    a.upperThreshold === b.upperThreshold &&
    a.lowerThreshold === b.lowerThreshold
  )
}

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i])

function isSamePersistence(a: Persistence | null, b: Persistence | null): boolean {
  if (a === null || b === null) return a === b
  return a.timeoutSec === b.timeoutSec && a.prefixLength === b.prefixLength && a.engine === b.engine
}

function isSameTunnel(a: Tunnel | null, b: Tunnel | null): boolean {
  if (a === null || b === null) return a === b
  return a.type === b.type && a.port === b.port && a.checksum === b.checksum
}

function isSameCheck(a: ServiceConfig['check'], b: ServiceConfig['check']): boolean {
  if (a.type === 'none' || b.type === 'none') return a.type === b.type
  return a.intervalMs === b.intervalMs && a.timeoutMs === b.timeoutMs && a.rise === b.rise && a.fall === b.fall
}
