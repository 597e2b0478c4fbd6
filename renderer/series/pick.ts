import { realServerKey } from '../../core/model/service.ts'
import type { Counters, KernelRates, RealServerStatus, Sample, ServiceStatus } from '../../core/model/telemetry.ts'

/** What a chart can show of counters. */
export type Measure = 'connections' | 'packetsIn' | 'bitsIn' | 'packetsOut' | 'bitsOut'

export function counterOf(counters: Counters | undefined, measure: Measure): number | null {
  if (counters === undefined) return null
  switch (measure) {
    case 'connections':
      return counters.connections
    case 'packetsIn':
      return counters.packetsIn
    case 'bitsIn':
      return counters.bytesIn * 8
    case 'packetsOut':
      return counters.packetsOut
    case 'bitsOut':
      return counters.bytesOut === null ? null : counters.bytesOut * 8
  }
}

/** What the kernel itself says of a rate: bytes as bits, null in a direction that does not pass it. */
export function kernelRateOf(rates: KernelRates, measure: Measure): number | null {
  switch (measure) {
    case 'connections':
      return rates.connectionsPerSec
    case 'packetsIn':
      return rates.packetsInPerSec
    case 'bitsIn':
      return rates.bytesInPerSec * 8
    case 'packetsOut':
      return rates.packetsOutPerSec
    case 'bitsOut':
      return rates.bytesOutPerSec === null ? null : rates.bytesOutPerSec * 8
  }
}

interface Indexed {
  readonly status: ServiceStatus
  readonly realServers: ReadonlyMap<string, RealServerStatus>
}
const indexes = new WeakMap<Sample, ReadonlyMap<string, Indexed>>()

/** By key, made once for each sample: hundreds of lines read each of hundreds of samples every second. */
function indexOf(sample: Sample): ReadonlyMap<string, Indexed> {
  const known = indexes.get(sample)
  if (known !== undefined) return known
  const made = new Map(
    sample.services.map((status) => [
      status.key,
      { status, realServers: new Map(status.realServers.map((server) => [realServerKey(server), server])) },
    ]),
  )
  indexes.set(sample, made)
  return made
}

export function serviceIn(sample: Sample, key: string): ServiceStatus | undefined {
  return indexOf(sample).get(key)?.status
}

export function realServerIn(sample: Sample, service: string, realServer: string): RealServerStatus | undefined {
  return indexOf(sample).get(service)?.realServers.get(realServer)
}

/** Sum over all services; null where none of them knows it (DR's reply direction), or where there is no service. */
export function sumOver(sample: Sample, read: (service: ServiceStatus) => number | null): number | null {
  let sum: number | null = null
  for (const service of sample.services) {
    const value = read(service)
    if (value !== null) sum = (sum ?? 0) + value
  }
  return sum
}

/** Kinds of flows that a dataplane may tell apart; eBPF knows the active ones alone. */
export const flowKinds = ['active', 'inactive', 'persistent'] as const
export type FlowKind = (typeof flowKinds)[number]

export function flowsOf(server: RealServerStatus, kind: FlowKind): number | null {
  return kind === 'active' ? server.activeFlows : kind === 'inactive' ? server.inactiveFlows : server.persistentFlows
}

/** Sum over the real servers; null where the dataplane does not tell this kind apart. */
export function flowsOfService(service: ServiceStatus, kind: FlowKind): number | null {
  return service.realServers.reduce<number | null>(
    (sum, server) => {
      const own = flowsOf(server, kind)
      return own === null ? sum : (sum ?? 0) + own
    },
    kind === 'active' ? 0 : null,
  )
}

export function activeFlowsOf(service: ServiceStatus): number {
  return service.realServers.reduce((sum, { activeFlows }) => sum + activeFlows, 0)
}
