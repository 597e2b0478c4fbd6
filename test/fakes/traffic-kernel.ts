import { type Connection, type ConnectionPage, type ConnectionQuery, ebpfStates } from '../../core/model/connection.ts'
import type { ObservedService } from '../../core/model/observed.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { Counters } from '../../core/model/telemetry.ts'
import { mergePages, orderOf } from '../../agent/dataplane/connection-order.ts'
import type { DataplaneReading } from '../../agent/dataplane/dataplane.ts'
import { FakeKernel } from './kernel.ts'

/** New connections per second of a service at an instant, for as long as it has a ring. */
export type TrafficOf = (service: string, atMs: number) => number

const packetsEach = 9
const bytesEach = 1_380

/** Real servers do not swing together. */
const phaseOf = (server: string): number => Number.parseInt(server.replaceAll(/[^0-9a-f]/g, '').slice(-6), 16) * 2

/**
 * A fake kernel whose services have visitors: counters grow by a given rate, spread over the ring by weight. Counters
 * start when a real server is added, never go back, and stand still for one that is down or drained.
 */
export class TrafficKernel extends FakeKernel {
  readonly #trafficOf: TrafficOf
  /** New connections so far, by service and real server. */
  protected readonly counts = new Map<string, number>()
  #lastMs: number

  constructor(trafficOf: TrafficOf, nowMs: number) {
    super()
    this.#trafficOf = trafficOf
    this.#lastMs = nowMs
  }

  /** Share of each real server of a service in its ring. */
  shares(service: string): ReadonlyMap<string, number> {
    const servers = [...this.services.values()].find((one) => serviceKey(one) === service)?.realServers ?? []
    const weightOf = (one: (typeof servers)[number]) => (one.isUp && one.state === 'enabled' ? one.weight : 0)
    const total = servers.reduce((sum, one) => sum + weightOf(one), 0)
    return new Map(servers.map((one) => [realServerKey(one), total === 0 ? 0 : weightOf(one) / total]))
  }

  /** Lets the traffic of the time since the last call happen. */
  pass(nowMs: number): void {
    const seconds = (nowMs - this.#lastMs) / 1000
    if (seconds <= 0) return
    for (const service of this.services.values()) {
      const key = serviceKey(service)
      const rate = this.#trafficOf(key, nowMs)
      for (const [server, share] of this.shares(key)) {
        const id = `${key} ${server}`
        // Hashing is uneven: each server has a tenth more or less than its share, changing slowly.
        const uneven = 1 + 0.1 * Math.sin(nowMs / 9000 + phaseOf(server))
        this.counts.set(id, (this.counts.get(id) ?? 0) + rate * share * uneven * seconds)
      }
    }
    this.#lastMs = nowMs
  }

  #countersOf(connections: number): Counters {
    const whole = Math.floor(connections)
    return {
      connections: whole,
      packetsIn: whole * packetsEach,
      bytesIn: whole * bytesEach,
      packetsOut: null,
      bytesOut: null,
    }
  }

  /** The latest flow of each connection that came, as far back as a hundred for each real server. */
  #flowsOf(service: ObservedService): Connection[] {
    if (service.protocol !== 'tcp' && service.protocol !== 'udp') return []
    const key = serviceKey(service)
    return service.realServers.flatMap((one, place) => {
      const count = Math.floor(this.counts.get(`${key} ${realServerKey(one)}`) ?? 0)
      return Array.from({ length: Math.min(100, count) }, (_, i): Connection => {
        const nth = count - i
        return {
          dataplane: 'ebpf',
          protocol: service.protocol === 'udp' ? 'udp' : 'tcp',
          clientAddress: `198.51.100.${1 + ((nth * 7 + place) % 250)}`,
          clientPort: 32_768 + ((nth * 613) % 28_000),
          vip: service.vip ?? '',
          port: service.port ?? 0,
          fwmark: null,
          realServer: { address: one.address, port: one.port },
          state: ebpfStates[nth % 9 === 0 ? 0 : nth % 4 === 0 ? 2 : 1] ?? 'ESTABLISHED',
          isTemplate: false,
          packets: packetsEach,
          bytes: bytesEach,
          expiresSec: Math.max(1, 900 - i * 3),
        }
      })
    })
  }

  override async connections(query: ConnectionQuery): Promise<ConnectionPage> {
    const all = [...this.services.values()].flatMap((service) => this.#flowsOf(service))
    const rows = all.filter((one) => fits(one, query)).toSorted(orderOf(query))
    return mergePages([{ rows, matched: rows.length, total: all.length, isCut: false, takenAtMs: Date.now() }], query)
  }

  /** As many packets sent on as counters say; fragments and packets without a service come by now and then. */
  #verdicts(): Record<string, number> {
    const connections = Math.floor([...this.counts.values()].reduce((sum, count) => sum + count, 0))
    return {
      LB_FWD: connections * packetsEach,
      LB_FWD_NEIGHBOUR: Math.min(connections, 3),
      LB_PASS_NO_SERVICE: Math.floor(connections / 3),
      LB_PASS_NOT_OURS: Math.floor(connections / 50),
      LB_DROP_FRAGMENT: Math.floor(connections / 4000),
      LB_DROP_MTU: 0,
      LB_DROP_STOPPED: 0,
      LB_FLOW_NEW: connections,
      LB_FLOW_EVICTED: Math.floor(connections / 900),
      LB_FLOW_FULL: 0,
    }
  }

  override read(): DataplaneReading {
    return {
      counterEpoch: 'epoch-1',
      verdicts: this.#verdicts(),
      flowTable: {
        used: [...this.services.values()].reduce((sum, one) => sum + this.#flowsOf(one).length, 0),
        size: 262_144,
      },
      services: [...this.services.values()].map((service) => {
        const key = serviceKey(service)
        const shares = this.shares(key)
        const counts = service.realServers.map((one) => this.counts.get(`${key} ${realServerKey(one)}`) ?? 0)
        const rate = this.#trafficOf(key, this.#lastMs)
        return {
          key,
          ringDigest: service.ringDigest,
          counters: this.#countersOf(counts.reduce((sum, count) => sum + count, 0)),
          rates: null,
          realServers: service.realServers.map((one, i) => ({
            address: one.address,
            port: one.port,
            activeFlows: Math.round(
              one.state === 'drain' ? Math.min(counts[i] ?? 0, 17) : rate * 4 * (shares.get(realServerKey(one)) ?? 0),
            ),
            inactiveFlows: null,
            persistentFlows: null,
            rates: null,
            ringShare: shares.get(realServerKey(one)) ?? 0,
            counters: this.#countersOf(counts[i] ?? 0),
          })),
        }
      }),
    }
  }
}

/** Whether a connection is one that a query asks for. */
export function fits(one: Connection, query: ConnectionQuery): boolean {
  return (
    (query.client === undefined || one.clientAddress.startsWith(query.client)) &&
    (query.realServer === undefined || one.realServer.address === query.realServer) &&
    (query.state === undefined || one.state === query.state) &&
    (query.templates || !one.isTemplate) &&
    (query.service === undefined || query.service === serviceKey({ ...one, protocol: one.protocol as 'tcp' }))
  )
}
