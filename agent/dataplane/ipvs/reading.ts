// Counters of IPVS in the agent's terms. Pure.
import { repliesPassDirector } from '../../../core/model/dataplane.ts'
import type { ObservedRealServer, ObservedService } from '../../../core/model/observed.ts'
import { formatEndpoint } from '../../../core/model/address.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import type { Counters, KernelRates } from '../../../core/model/telemetry.ts'
import type { DataplaneReading, RealServerReading, ServiceReading } from '../dataplane.ts'
import type { IpvsDestination, IpvsServiceId, IpvsStats, IpvsTableEntry } from './types.ts'

/** The last reading of each row: of the same row and the same service it is the same object again. */
const made = new WeakMap<IpvsTableEntry, { readonly service: ObservedService; readonly reading: ServiceReading }>()

/** The services that were seen, with what the table says of them; those of others too. */
export function readingOf(
  table: readonly IpvsTableEntry[],
  services: readonly ObservedService[],
  counterEpoch: string,
): DataplaneReading {
  const byId = new Map(table.map((row) => [idText(row.id), row]))
  return {
    counterEpoch,
    verdicts: {},
    flowTable: null,
    services: services.flatMap((service): ServiceReading[] => {
      const row = byId.get(idTextOf(service))
      if (row === undefined) return []
      const last = made.get(row)
      if (last?.service === service) return [last.reading]
      const reading = serviceReading(service, row)
      made.set(row, { service, reading })
      return [reading]
    }),
  }
}

function serviceReading(service: ObservedService, row: IpvsTableEntry): ServiceReading {
  const destinations = new Map(row.destinations.map((one) => [realServerKey(one.id), one]))
  const seesReplies = service.realServers.some(({ forwarding }) => repliesPassDirector(forwarding))
  return {
    key: serviceKey(service),
    ringDigest: null,
    counters: countersOf(row.stats, seesReplies),
    rates: ratesOf(row.stats, seesReplies),
    realServers: service.realServers.flatMap((one) => realServerReading(one, destinations.get(realServerKey(one)))),
  }
}

function realServerReading(seen: ObservedRealServer, one: IpvsDestination | undefined): RealServerReading[] {
  if (one === undefined) return []
  const seesReplies = repliesPassDirector(seen.forwarding)
  return [
    {
      address: seen.address,
      port: seen.port,
      activeFlows: one.activeConnections,
      inactiveFlows: one.inactiveConnections,
      persistentFlows: one.persistentConnections,
      ringShare: null,
      counters: countersOf(one.stats, seesReplies),
      rates: ratesOf(one.stats, seesReplies),
    },
  ]
}

/** In DR and Tunnel the reply does not pass the director: not zero, unknown. */
const countersOf = (stats: IpvsStats, seesReplies: boolean): Counters => ({
  connections: stats.connections,
  packetsIn: stats.inPackets,
  bytesIn: stats.inBytes,
  packetsOut: seesReplies ? stats.outPackets : null,
  bytesOut: seesReplies ? stats.outBytes : null,
})

const ratesOf = (stats: IpvsStats, seesReplies: boolean): KernelRates => ({
  connectionsPerSec: stats.connectionsPerSec,
  packetsInPerSec: stats.inPacketsPerSec,
  packetsOutPerSec: seesReplies ? stats.outPacketsPerSec : null,
  bytesInPerSec: stats.inBytesPerSec,
  bytesOutPerSec: seesReplies ? stats.outBytesPerSec : null,
})

const idText = (id: IpvsServiceId): string =>
  'fwmark' in id ? `fwmark ${id.fwmark} ${id.family}` : `${id.protocol} ${formatEndpoint(id.address, id.port)}`

const idTextOf = ({ fwmark, family, protocol, vip, port }: ObservedService): string =>
  fwmark === null ? `${protocol} ${formatEndpoint(vip ?? '', port)}` : `fwmark ${fwmark} ${family}`
