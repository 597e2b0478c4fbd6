// Services and real servers as the maps hold them. The maps are the only memory: a restarted agent reads the same.
import { AppError } from '../../../core/contract/errors.ts'
import { compareAddresses, familyOf } from '../../../core/model/address.ts'
import { type ForwardingMethod, translatesPorts } from '../../../core/model/dataplane.ts'
import type { ObservedService } from '../../../core/model/observed.ts'
import type { RealServerConfig, ServiceConfig } from '../../../core/model/plan.ts'
import type { Scheduler } from '../../../core/model/scheduler.ts'
import {
  defaultTunnel,
  type RealServerState,
  realServerKey,
  serviceKey,
  type Tunnel,
} from '../../../core/model/service.ts'
import { familyNumber, type Layout, type RealRecord, realUse, type ServiceInfoRecord, word, wordOf } from './layout.ts'
import type { MapSet } from './map-set.ts'
import { countNatEnd } from './nat-ends.ts'
import { RingTable } from './ring-table.ts'

export type EbpfForwarding = keyof typeof word.forwarding

/** Whether answers of the real server pass the director. */
export const isTranslated = ({ forwarding }: { readonly forwarding: EbpfForwarding }): boolean =>
  translatesPorts(forwarding)

export interface RealRow {
  readonly index: number
  /** `192.0.2.21:80`. */
  readonly key: string
  readonly address: string
  readonly port: number
  readonly weight: number
  readonly state: RealServerState
  readonly forwarding: EbpfForwarding
  /** Null but for the method tun. */
  readonly tunnel: Tunnel | null
  readonly isUp: boolean
}

/** What this dataplane can do in this version (core/model/dataplane.ts); the document's rules let nothing else through. */
interface EbpfConfig extends ServiceConfig {
  readonly vip: string
  readonly protocol: 'tcp' | 'udp'
  readonly forwarding: EbpfForwarding
  readonly scheduler: keyof typeof word.scheduler
}

const canForward = (method: ForwardingMethod): method is EbpfForwarding => Object.hasOwn(word.forwarding, method)

function ebpfConfigOf(config: ServiceConfig): EbpfConfig {
  const { vip, protocol, forwarding, scheduler } = config
  if (vip === null || (protocol !== 'tcp' && protocol !== 'udp') || !canForward(forwarding) || !isKnown(scheduler)) {
    throw new AppError('REFUSED', `The eBPF dataplane cannot do ${protocol}, ${forwarding}, ${scheduler}.`)
  }
  return { ...config, vip, protocol, forwarding, scheduler }
}

const isKnown = (scheduler: Scheduler): scheduler is keyof typeof word.scheduler => scheduler in word.scheduler
const nothing = { packets: 0, bytes: 0, connections: 0, turns: 0, reply_packets: 0, reply_bytes: 0 } as const

export interface ServiceRow {
  readonly id: number
  readonly key: string
  readonly config: EbpfConfig
  readonly ringDigest: string
  readonly reals: readonly RealRow[]
}

export class Tables {
  readonly #set: MapSet
  readonly #layout: Layout
  readonly #rings: RingTable
  /** Quarantined indices that no flow held at the last sweep; one that a CPU was just publishing shows at the next. */
  #unheld = new Set<number>()

  constructor(set: MapSet, layout: Layout) {
    this.#set = set
    this.#layout = layout
    this.#rings = new RingTable(set)
  }

  /** All services, sorted by VIP and port, with their real servers sorted by address and port. */
  services(): ServiceRow[] {
    const { serviceInfo } = this.#layout
    const rows = this.#set.rows('lb_svc_info')
    const use = serviceInfo.offsetOf('use')
    const reals = Map.groupBy(this.#reals(), ({ service }) => service)
    const found: ServiceRow[] = []
    for (let id = 0; id < rows.count; id++) {
      if (rows.view.getUint8(rows.at(id) + use) === 0) continue
      const info = serviceInfo.read(rows.view, rows.at(id))
      const config = configOf(info)
      found.push({
        id,
        key: serviceKey(config),
        config,
        ringDigest: info.ring_digest,
        reals: (reals.get(id) ?? []).toSorted((a, b) => compareAddresses(a.address, b.address) || a.port - b.port),
      })
    }
    return found.toSorted((a, b) => compareAddresses(a.config.vip, b.config.vip) || a.config.port - b.config.port)
  }

  observed(): ObservedService[] {
    return this.services().map(({ id, config, reals }) => ({
      ...config,
      realServers: reals.map(({ address, port, weight, state, forwarding, tunnel, isUp }) => {
        const reached = { forwarding, tunnel, upperThreshold: 0, lowerThreshold: 0 }
        return { address, port, weight, state, isUp, ...reached }
      }),
      ringDigest: this.#rings.digest(id, reals),
      isForeign: false,
    }))
  }

  service(key: string): ServiceRow {
    const found = this.services().find((service) => service.key === key)
    if (found === undefined) throw new AppError('NOT_FOUND', `The dataplane has no service ${key}.`)
    return found
  }

  *#reals(): Generator<RealRow & { readonly service: number }> {
    const { real } = this.#layout
    const rows = this.#set.rows('lb_reals')
    const use = real.offsetOf('use')
    for (let index = 1; index < rows.count; index++) {
      if (rows.view.getUint8(rows.at(index) + use) !== realUse.inUse) continue
      const row = real.read(rows.view, rows.at(index))
      yield {
        index,
        service: row.service,
        key: realServerKey({ address: row.addr, port: row.port }),
        address: row.addr,
        port: row.port,
        weight: row.weight,
        state: wordOf(word.state, row.state, 'state'),
        forwarding: wordOf(word.forwarding, row.forwarding, 'forwarding'),
        tunnel: tunnelOf(row),
        isUp: row.is_down === 0,
      }
    }
  }

  /** Adds a service without real servers, or sets the fields of one that is there. Packets find it last of all. */
  putService(key: string, wanted: ServiceConfig): void {
    const config = ebpfConfigOf(wanted)
    const { serviceInfo, service: serviceRecord } = this.#layout
    const rows = this.#set.rows('lb_svc_info')
    const present = this.services().find((row) => row.key === key)
    const id = present?.id ?? this.#freeService()
    if (present === undefined) {
      this.#zeroStats('lb_svc_stats', this.#set.sizes.services, id)
      this.#rings.clear(id)
    }
    const { check } = config
    serviceInfo.write(rows.view, rows.at(id), {
      vip: config.vip,
      port: config.port,
      proto: word.protocol[config.protocol],
      family: familyNumber[familyOf(config.vip)],
      forwarding: word.forwarding[config.forwarding],
      scheduler: word.scheduler[config.scheduler],
      announce: word.announce[config.announce],
      check_type: word.check[check.type],
      check_interval_ms: check.type === 'tcp' ? check.intervalMs : 0,
      check_timeout_ms: check.type === 'tcp' ? check.timeoutMs : 0,
      check_rise: check.type === 'tcp' ? check.rise : 0,
      check_fall: check.type === 'tcp' ? check.fall : 0,
      interface: config.interface,
      ...(present === undefined ? { ring_digest: this.#rings.write(id, [], config.scheduler) } : {}),
    })
    // Said last: an agent that dies before leaves a free place.
    serviceInfo.write(rows.view, rows.at(id), { use: 1 })
    this.#countVip(config)
    this.#set.map('lb_services').update(
      this.#keyOf(config),
      serviceRecord.encode({
        id,
        forwarding: word.forwarding[config.forwarding],
        scheduler: word.scheduler[config.scheduler],
      }),
    )
    if (present !== undefined && present.config.scheduler !== config.scheduler) this.rebuildRing(key)
  }

  removeService(key: string): void {
    const present = this.services().find((row) => row.key === key)
    if (present === undefined) return
    this.#set.map('lb_services').delete(this.#keyOf(present.config))
    this.#rings.clear(present.id)
    for (const real of present.reals) this.#writeReal(real.index, { use: realUse.quarantined })
    for (const real of present.reals) this.#countNatEnd(present.config, real)
    const rows = this.#set.rows('lb_svc_info')
    this.#layout.serviceInfo.write(rows.view, rows.at(present.id), { use: 0 })
    this.#countVip(present.config)
  }

  /** Adds a real server, or changes weight and state of one that is there; gives its index. */
  putReal(key: string, config: RealServerConfig): number {
    const service = this.service(key)
    const present = service.reals.find((row) => row.key === realServerKey(config))
    const index = present?.index ?? this.#freeReal()
    if (!canForward(config.forwarding)) {
      throw new AppError('REFUSED', `The eBPF dataplane cannot reach a real server by ${config.forwarding}.`)
    }
    const settings = {
      weight: config.weight,
      state: word.state[config.state],
      forwarding: word.forwarding[config.forwarding],
      ...tunnelFields(config),
    }
    if (present === undefined) {
      this.#zeroStats('lb_real_stats', this.#set.sizes.reals, index)
      const rows = this.#set.rows('lb_reals')
      const { generation } = this.#layout.real.read(rows.view, rows.at(index))
      this.#writeReal(index, {
        addr: config.address,
        port: config.port,
        service: service.id,
        family: familyNumber[familyOf(config.address)],
        generation: (generation + 1) >>> 0,
        is_down: 0,
        is_reachable: 0,
        ifindex: 0,
        active: 0,
        ...settings,
        use: realUse.inUse,
      })
    } else this.#writeReal(index, settings)
    this.#countNatEnd(service.config, config)
    this.rebuildRing(key)
    return index
  }

  /** Takes it out of the ring first: no new flow meets it. Its flows have no server afterwards. */
  removeReal(key: string, realServer: string): void {
    const service = this.services().find((row) => row.key === key)
    const real = service?.reals.find((row) => row.key === realServer)
    if (service === undefined || real === undefined) return
    this.rebuildRing(key, real.index)
    this.#writeReal(real.index, { use: realUse.quarantined })
    this.#countNatEnd(service.config, real)
    this.#unheld.delete(real.index)
  }

  /** Returns true where it changed. */
  setUp(key: string, realServer: string, isUp: boolean): boolean {
    const real = this.services()
      .find((service) => service.key === key)
      ?.reals.find((row) => row.key === realServer)
    if (real === undefined || real.isUp === isUp) return false
    this.#writeReal(real.index, { is_down: isUp ? 0 : 1 })
    this.rebuildRing(key)
    return true
  }

  /** Gives indices free again that no flow named at two sweeps in a row. */
  release(held: ReadonlySet<number>): number {
    const rows = this.#set.rows('lb_reals')
    const use = this.#layout.real.offsetOf('use')
    const unheld = new Set<number>()
    let released = 0
    for (let index = 1; index < rows.count; index++) {
      if (rows.view.getUint8(rows.at(index) + use) !== realUse.quarantined || held.has(index)) continue
      if (this.#unheld.has(index)) {
        rows.view.setUint8(rows.at(index) + use, realUse.free)
        released++
      } else unheld.add(index)
    }
    this.#unheld = unheld
    return released
  }

  /** Interfaces that lead to real servers whose answers pass the director. */
  replyInterfaces(): ReadonlySet<number> {
    const { real } = this.#layout
    const rows = this.#set.rows('lb_reals')
    const found = new Set<number>()
    for (const row of this.#reals()) {
      const ifindex = isTranslated(row) ? real.read(rows.view, rows.at(row.index)).ifindex : 0
      if (ifindex !== 0) found.add(ifindex)
    }
    return found
  }

  /** Share of the slots by real index. */
  ringShares(id: number): Float64Array {
    return this.#rings.shares(id)
  }

  /** Drain, offline, down and weight 0 leave the ring; flows that exist stay where they are. */
  rebuildRing(key: string, leaving?: number): void {
    const { id, config, reals } = this.service(key)
    const members = reals.filter(
      (real) => real.index !== leaving && real.state === 'enabled' && real.isUp && real.weight > 0,
    )
    const rows = this.#set.rows('lb_svc_info')
    this.#layout.serviceInfo.write(rows.view, rows.at(id), {
      ring_digest: this.#rings.write(id, members, config.scheduler),
    })
  }

  #writeReal(index: number, values: Parameters<Layout['real']['write']>[2]): void {
    const rows = this.#set.rows('lb_reals')
    this.#layout.real.write(rows.view, rows.at(index), values)
  }

  #freeService(): number {
    const rows = this.#set.rows('lb_svc_info')
    const use = this.#layout.serviceInfo.offsetOf('use')
    for (let id = 0; id < rows.count; id++) if (rows.view.getUint8(rows.at(id) + use) === 0) return id
    throw new AppError('REFUSED', `The dataplane has room for ${rows.count} services, and all of it is taken.`)
  }

  #freeReal(): number {
    const rows = this.#set.rows('lb_reals')
    const use = this.#layout.real.offsetOf('use')
    for (let index = 1; index < rows.count; index++) {
      if (rows.view.getUint8(rows.at(index) + use) === realUse.free) return index
    }
    throw new AppError('REFUSED', `The dataplane has room for ${rows.count - 1} real servers, and all of it is taken.`)
  }

  #keyOf({ vip, port, protocol }: EbpfConfig): Buffer {
    const proto = word.protocol[protocol]
    return this.#layout.serviceKey.encode({ vip, port, proto, family: familyNumber[familyOf(vip)] })
  }

  /** Writes how many services the VIP has now: counted, so that doing it twice changes nothing. */
  #countVip({ vip, protocol }: EbpfConfig): void {
    const proto = word.protocol[protocol]
    const key = this.#layout.vipKey.encode({ vip, proto, family: familyNumber[familyOf(vip)] })
    const services = this.services().filter(({ config }) => config.vip === vip && config.protocol === protocol).length
    if (services === 0) this.#set.map('lb_vips').delete(key)
    else this.#set.map('lb_vips').update(key, this.#layout.vip.encode({ services }))
  }

  #countNatEnd({ protocol }: EbpfConfig, { address, port }: Pick<RealRow, 'address' | 'port'>): void {
    countNatEnd(this.#set, this.#layout, { address, port, protocol }, this.services())
  }

  #zeroStats(name: string, perCpu: number, index: number): void {
    const rows = this.#set.rows(name)
    for (let cpu = 0; cpu < this.#set.cpus; cpu++) {
      this.#layout.stats.write(rows.view, rows.at(cpu * perCpu + index), nothing)
    }
  }
}

function tunnelOf(row: RealRecord): Tunnel | null {
  if (row.forwarding !== word.forwarding.tun) return null
  const type = wordOf(word.tunnel, row.tunnel_type, 'tunnel')
  return { type, checksum: 'nocsum', ...(type === 'gue' ? { port: row.tunnel_port } : {}) }
}

function tunnelFields({ forwarding, tunnel }: RealServerConfig): Pick<RealRecord, 'tunnel_type' | 'tunnel_port'> {
  if (forwarding !== 'tun') return { tunnel_type: 0, tunnel_port: 0 }
  const { type, checksum, port = 0 } = tunnel ?? defaultTunnel
  if (type === 'gre' || checksum !== 'nocsum') {
    throw new AppError('REFUSED', `The eBPF dataplane has no tunnel ${type} with checksum ${checksum}.`)
  }
  return { tunnel_type: word.tunnel[type], tunnel_port: port }
}

function configOf(info: ServiceInfoRecord): EbpfConfig {
  return {
    fwmark: null,
    family: familyOf(info.vip),
    schedulerFlags: [],
    persistence: null,
    onePacket: false,
    localAddresses: [],
    vip: info.vip,
    port: info.port,
    protocol: wordOf(word.protocol, info.proto, 'protocol'),
    dataplane: 'ebpf',
    forwarding: wordOf(word.forwarding, info.forwarding, 'forwarding'),
    scheduler: wordOf(word.scheduler, info.scheduler, 'scheduler'),
    announce: wordOf(word.announce, info.announce, 'announce'),
    interface: info.interface,
    check:
      wordOf(word.check, info.check_type, 'check') === 'none'
        ? { type: 'none' }
        : {
            type: 'tcp',
            intervalMs: info.check_interval_ms,
            timeoutMs: info.check_timeout_ms,
            rise: info.check_rise,
            fall: info.check_fall,
          },
  }
}
