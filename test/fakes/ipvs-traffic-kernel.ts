import type { Connection, ConnectionPage, ConnectionQuery } from '../../core/model/connection.ts'
import { repliesPassDirector } from '../../core/model/dataplane.ts'
import { ipvsSysctlNames } from '../../core/model/ipvs-settings.ts'
import type { IpvsWriter, ObservedService, ObservedSyncDaemon } from '../../core/model/observed.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { Counters, KernelRates } from '../../core/model/telemetry.ts'
import { orderOf } from '../../agent/dataplane/connection-order.ts'
import type { DataplaneReading } from '../../agent/dataplane/dataplane.ts'
import { fits, TrafficKernel, type TrafficOf } from './traffic-kernel.ts'

const packetsEach = 9
const bytesEach = 1_380
const repliesEach = 14_200
/** IPVS copies counters and moves its averages this often (ip_vs_est.c). */
const estimateEveryMs = 2000

const changedSysctls: Readonly<Record<string, string>> = {
  amemthresh: '1024',
  am_droprate: '10',
  conn_reuse_mode: '1',
  expire_nodest_conn: '1',
  pmtu_disc: '1',
  run_estimation: '1',
  snat_reroute: '1',
  sync_ports: '1',
  sync_threshold: '3 50',
}

export interface IpvsSetup {
  readonly availability?: 'ready' | 'module-not-loaded' | 'module-missing' | 'no-permission'
  readonly foreign?: readonly ObservedService[]
  readonly writers?: readonly IpvsWriter[]
  readonly syncDaemons?: readonly ObservedSyncDaemon[]
  /** What the table of connections holds, made when it is first asked for. */
  readonly connections?: () => readonly Connection[]
  /** More than this is not read at once. */
  readonly readAtOnce?: number
}

interface Estimate {
  readonly counted: number
  readonly rate: number
}

/**
 * A director whose IPVS services have visitors as the kernel shows them: counters that stand still for 2 s and then
 * jump, averages beside them that do not, and a table of connections.
 */
export class IpvsTrafficKernel extends TrafficKernel {
  readonly #setup: IpvsSetup
  readonly #estimates = new Map<string, Estimate>()
  #estimatedAtMs: number
  #connections: readonly Connection[] | null = null

  constructor(setup: IpvsSetup, trafficOf: TrafficOf, nowMs: number) {
    super(trafficOf, nowMs)
    this.#setup = setup
    this.#estimatedAtMs = nowMs
    const { availability = 'ready', foreign = [], writers = [], syncDaemons = [] } = setup
    this.ipvs = { ...this.ipvs, availability, writers: [...writers], syncDaemons: [...syncDaemons] }
    this.nics[1]?.addresses.push({ address: '2001:db8::2', prefixLength: 64 })
    this.settings.set('net.ipv6.conf.all.forwarding', '0')
    this.settings.set('ipvs.timeout.tcpfin', '120')
    this.settings.set('ipvs.timeout.udp', '300')
    for (const name of ipvsSysctlNames) this.settings.set(`net.ipv4.vs.${name}`, changedSysctls[name] ?? '0')
    if (availability !== 'ready') this.#forgetSettings()
    for (const service of foreign) {
      this.services.set(`ipvs ${serviceKey(service)}`, { ...service, realServers: [...service.realServers] })
    }
  }

  /** Without the module none of its settings is there. */
  #forgetSettings(): void {
    for (const name of this.settings.keys()) {
      if (name.startsWith('ipvs.') || name.startsWith('net.ipv4.vs.')) this.settings.delete(name)
    }
  }

  override ipvsOffer() {
    const offer = super.ipvsOffer()
    if (this.ipvs.availability === 'ready') return offer
    return { ...offer, version: null, connectionTableSize: null, sysctls: {}, timeouts: null }
  }

  override pass(nowMs: number): void {
    super.pass(nowMs)
    if (nowMs - this.#estimatedAtMs < estimateEveryMs) return
    const seconds = (nowMs - this.#estimatedAtMs) / 1000
    for (const [id, count] of this.counts) {
      const before = this.#estimates.get(id) ?? { counted: count, rate: 0 }
      const perSecond = (count - before.counted) / seconds
      // The kernel's average: a quarter of the way to the newest rate at each step.
      const rate = before.rate === 0 ? perSecond : before.rate + (perSecond - before.rate) / 4
      this.#estimates.set(id, { counted: count, rate })
    }
    this.#estimatedAtMs = nowMs
  }

  override read(): DataplaneReading {
    const reading = super.read()
    const ipvs = new Map(
      [...this.services.values()].filter(({ dataplane }) => dataplane === 'ipvs').map((one) => [serviceKey(one), one]),
    )
    return {
      ...reading,
      services: reading.services.map((own) => {
        const service = ipvs.get(own.key)
        if (service === undefined) return own
        const realServers = own.realServers.map((server, i) => {
          const config = service.realServers[i]
          const comesBack = config !== undefined && repliesPassDirector(config.forwarding)
          const estimate = this.#estimates.get(`${own.key} ${realServerKey(server)}`) ?? { counted: 0, rate: 0 }
          return {
            ...server,
            ringShare: null,
            inactiveFlows: Math.round(server.activeFlows * 0.62),
            persistentFlows: service.persistence === null ? 0 : Math.round(server.activeFlows * 0.31),
            counters: countersOf(estimate.counted, comesBack),
            rates: ratesOf(estimate.rate, comesBack),
          }
        })
        return { ...own, realServers, ...sumOf(realServers) }
      }),
    }
  }

  override async connections(query: ConnectionQuery): Promise<ConnectionPage> {
    this.#connections ??= this.#setup.connections?.() ?? []
    const readAtOnce = this.#setup.readAtOnce ?? 1_000_000
    const read = this.#connections.slice(0, readAtOnce)
    const matched = read.filter((one) => fits(one, query)).toSorted(orderOf(query))
    return {
      rows: matched.slice(query.offset, query.offset + query.limit),
      matched: matched.length,
      total: this.#connections.length,
      isCut: this.#connections.length > readAtOnce,
      takenAtMs: Date.now(),
    }
  }
}

function countersOf(connections: number, comesBack: boolean): Counters {
  const whole = Math.floor(connections)
  return {
    connections: whole,
    packetsIn: whole * packetsEach,
    bytesIn: whole * bytesEach,
    packetsOut: comesBack ? whole * (packetsEach + 3) : null,
    bytesOut: comesBack ? whole * repliesEach : null,
  }
}

function ratesOf(rate: number, comesBack: boolean): KernelRates {
  return {
    connectionsPerSec: rate,
    packetsInPerSec: rate * packetsEach,
    bytesInPerSec: rate * bytesEach,
    packetsOutPerSec: comesBack ? rate * (packetsEach + 3) : null,
    bytesOutPerSec: comesBack ? rate * repliesEach : null,
  }
}

const plus = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : a + b)

/** A service's own figures are the sums of its real servers'; unknown where none of them knows. */
function sumOf(parts: readonly { readonly counters: Counters; readonly rates: KernelRates }[]) {
  const counters: Counters = { connections: 0, packetsIn: 0, bytesIn: 0, packetsOut: null, bytesOut: null }
  const rates: KernelRates = {
    connectionsPerSec: 0,
    packetsInPerSec: 0,
    bytesInPerSec: 0,
    packetsOutPerSec: null,
    bytesOutPerSec: null,
  }
  for (const part of parts) {
    counters.connections += part.counters.connections
    counters.packetsIn += part.counters.packetsIn
    counters.bytesIn += part.counters.bytesIn
    counters.packetsOut = plus(counters.packetsOut, part.counters.packetsOut)
    counters.bytesOut = plus(counters.bytesOut, part.counters.bytesOut)
    rates.connectionsPerSec += part.rates.connectionsPerSec
    rates.packetsInPerSec += part.rates.packetsInPerSec
    rates.bytesInPerSec += part.rates.bytesInPerSec
    rates.packetsOutPerSec = plus(rates.packetsOutPerSec, part.rates.packetsOutPerSec)
    rates.bytesOutPerSec = plus(rates.bytesOutPerSec, part.rates.bytesOutPerSec)
  }
  return { counters, rates }
}
