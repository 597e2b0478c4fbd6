import type { InterfaceFacts, IpvsOffer } from '../../core/contract/agent.ts'
import { AppError } from '../../core/contract/errors.ts'
import { addressBits, familyOf, type IpFamily } from '../../core/model/address.ts'
import type { ConnectionPage, ConnectionQuery } from '../../core/model/connection.ts'
import type { DataplaneName } from '../../core/model/dataplane.ts'
import {
  type NewFlows,
  noIpvs,
  type ObservedAttachment,
  type ObservedIpvs,
  type ObservedRealServer,
  type ObservedService,
} from '../../core/model/observed.ts'
import { schedulerNames } from '../../core/model/scheduler.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { Counters, Flow } from '../../core/model/telemetry.ts'
import type { DesiredService, PlacedAddress } from '../../core/reconcile/desired.ts'
import type { RingMember } from '../../core/reconcile/risk.ts'
import type {
  DataplaneEvent,
  DataplaneReading,
  Dataplanes,
  DataplaneStep,
  Execution,
} from '../../agent/dataplane/dataplane.ts'
import type { Network } from '../../agent/network.ts'

type FakeService = Omit<ObservedService, 'realServers'> & { realServers: ObservedRealServer[] }

const kernelError = (errno: string, message: string) => new AppError('KERNEL', message, { details: { errno } })

/** Slots enough to see shares move; owners by turns over the sorted members. */
export function fakeRing(members: readonly RingMember[]): string[] {
  const keys = members.flatMap((one) => Array.from({ length: one.weight }, () => realServerKey(one))).toSorted()
  return keys.length === 0 ? [] : Array.from({ length: 101 }, (_, slot) => keys[slot % keys.length]!)
}

/**
 * A director's kernel with state: no more forgiving than the real one (EEXIST, ENOENT, EADDRNOTAVAIL), and able to fail
 * or to vanish at any of its calls.
 */
export class FakeKernel implements Dataplanes, Network {
  readonly services = new Map<string, FakeService>()
  readonly attachments = new Map<string, ObservedAttachment>()
  /** Families that this kernel was booted with. */
  spoken: readonly IpFamily[] = ['ipv4', 'ipv6']
  readonly nics: InterfaceFacts[] = [
    nic(1, 'lo', [['127.0.0.1', 8]]),
    nic(2, 'eth0', [['192.0.2.2', 24]]),
    nic(3, 'mgmt0', [['198.18.0.2', 24]]),
  ]
  /** Everything that was asked of the kernel, in order. */
  readonly history: string[] = []
  /** Calls that change something: called before the effect, and again after it. May throw, or never come back. */
  hook: (call: string, moment: 'before' | 'after') => Promise<void> = async () => {}
  readonly flows: Flow[] = []
  readonly counters: Counters = { connections: 0, packetsIn: 0, bytesIn: 0, packetsOut: null, bytesOut: null }
  isAvailable = true
  ipvs: ObservedIpvs = { ...noIpvs, availability: 'ready' }
  /** Values of the settings that this kernel has, by name. */
  readonly settings = new Map([
    ['net.ipv4.ip_forward', '0'],
    ['net.ipv4.vs.conntrack', '0'],
    ['net.ipv4.vs.expire_nodest_conn', '0'],
    ['ipvs.timeout.tcp', '900'],
  ])
  /** What they were before they were ours. */
  readonly originalSettings = new Map<string, string>()
  readonly adopted = new Map<string, DesiredService>()
  readonly #listeners = new Set<(event: DataplaneEvent) => void>()

  capabilities() {
    const { isAvailable } = this
    const reason = isAvailable ? null : 'this kernel has no BTF'
    return { isAvailable, reason, hooks: [{ hook: 'tcx' as const, isUsable: isAvailable, reason: 'kernel 6.18' }] }
  }

  ipvsOffer(): IpvsOffer {
    const { availability } = this.ipvs
    return {
      availability,
      reason: availability === 'ready' ? null : `IPVS: ${availability}`,
      version: '1.2.1',
      connectionTableSize: 4096,
      schedulers: schedulerNames.map((name) => ({ name, isAvailable: name !== 'twos' })),
      tunnels: [
        { type: 'ipip', isAvailable: true },
        { type: 'gue', isAvailable: true },
        { type: 'gre', isAvailable: true },
      ],
      fullnatObstacle: null,
      sysctls: Object.fromEntries([...this.settings].filter(([name]) => name.startsWith('net.ipv4.vs.'))),
      timeouts: { tcpSec: Number(this.settings.get('ipvs.timeout.tcp')), tcpFinSec: 120, udpSec: 300 },
    }
  }

  newFlows: NewFlows = 'balanced'

  setNewFlows(newFlows: NewFlows): void {
    this.newFlows = newFlows
  }

  observe() {
    return {
      services: [...this.services.values()].map((one) => structuredClone(one)),
      attachments: [...this.attachments.values()],
      settings: [...this.settings].map(([name, value]) => ({
        name,
        value,
        original: this.originalSettings.get(name) ?? null,
      })),
      ipvs: structuredClone(this.ipvs),
      ebpf: { newFlows: this.newFlows },
    }
  }

  originals(): ReadonlyMap<string, DesiredService> {
    return this.adopted
  }

  async execute(steps: readonly DataplaneStep[]): Promise<Execution> {
    const done: number[] = []
    for (const [at, step] of steps.entries()) {
      try {
        await this.#change(describe(step), () => this.#apply(step))
      } catch (error) {
        return { done, failure: { at, error } }
      }
      done.push(at)
    }
    return { done, failure: null }
  }

  #apply(step: DataplaneStep): void {
    switch (step.kind) {
      case 'module.load':
        this.ipvs = { ...this.ipvs, availability: 'ready', ownModules: [step.module] }
        return
      case 'module.unload':
        this.ipvs = { ...this.ipvs, availability: 'module-not-loaded', ownModules: [] }
        return
      case 'setting.set': {
        const { name, after, wasOurs, isOurs } = step
        const value = this.settings.get(name)
        if (value === undefined) throw kernelError('ENOENT', `no setting ${name}`)
        if (isOurs && !wasOurs) this.originalSettings.set(name, step.before)
        if (!isOurs) this.originalSettings.delete(name)
        this.settings.set(name, after)
        return
      }
      case 'nat.set':
        this.ipvs = { ...this.ipvs, natEntries: [...step.after] }
        return
      case 'sync.start':
        if (this.ipvs.syncDaemons.some((one) => one.role === step.daemon.role)) throw kernelError('EEXIST', 'it runs')
        this.ipvs = { ...this.ipvs, syncDaemons: [...this.ipvs.syncDaemons, { ...step.daemon, isOurs: true }] }
        return
      case 'sync.stop':
        this.ipvs = {
          ...this.ipvs,
          syncDaemons: this.ipvs.syncDaemons.filter((one) => one.role !== step.daemon.role),
        }
        return
      case 'service.adopt': {
        const found = this.#service(step.config.dataplane, step.service)
        found.isForeign = false
        this.adopted.set(step.service, { config: step.config, realServers: step.realServers })
        return
      }
      case 'service.release': {
        const found = this.#service(step.config.dataplane, step.service)
        const { announce, interface: ingress, check } = step.config
        Object.assign(found, { isForeign: true, announce, interface: ingress, check })
        this.adopted.delete(step.service)
        return
      }
      case 'dataplane.attach': {
        if (!this.isAvailable) throw kernelError('EOPNOTSUPP', 'this kernel has no BTF')
        if (!this.nics.some((one) => one.name === step.interface)) throw kernelError('ENODEV', 'no such interface')
        const attachment = {
          interface: step.interface,
          hook: 'tcx' as const,
          reason: 'kernel 6.18',
          foreignPrograms: [],
          isForReplies: false,
        }
        this.attachments.set(step.interface, attachment)
        return
      }
      case 'dataplane.detach':
        this.attachments.delete(step.interface)
        return
      case 'service.add': {
        const { dataplane } = step.after
        if (dataplane === 'ebpf' && !this.isAvailable) throw kernelError('EOPNOTSUPP', 'this kernel has no BTF')
        const key = placeOf(dataplane, step.service)
        const { realServers = [] } = this.services.get(key) ?? {}
        const ringDigest = dataplane === 'ebpf' ? '00' : null
        this.services.set(key, { ...step.after, realServers, ringDigest, isForeign: false })
        return
      }
      case 'service.change':
        Object.assign(this.#service(step.after.dataplane, step.service), step.after)
        return
      case 'service.remove':
        this.services.delete(placeOf(step.before.dataplane, step.service))
        return
      case 'realServer.add': {
        const { realServers } = this.#service(step.dataplane, step.service)
        const old = realServers.find((one) => realServerKey(one) === realServerKey(step.after))
        if (old === undefined) realServers.push({ ...step.after, isUp: true })
        else Object.assign(old, step.after)
        return
      }
      case 'realServer.change': {
        const old = this.#service(step.dataplane, step.service).realServers.find(
          (one) => realServerKey(one) === realServerKey(step.after),
        )
        if (old === undefined) throw kernelError('ENOENT', `no real server ${realServerKey(step.after)}`)
        Object.assign(old, step.after)
        return
      }
      case 'realServer.remove': {
        const service = this.services.get(placeOf(step.dataplane, step.service))
        if (service === undefined) return
        service.realServers = service.realServers.filter((one) => realServerKey(one) !== realServerKey(step.before))
      }
    }
  }

  #service(dataplane: DataplaneName, key: string): FakeService {
    const service = this.services.get(placeOf(dataplane, key))
    if (service === undefined) throw kernelError('ENOENT', `no service ${key}`)
    return service
  }

  setHealth(service: string, realServer: string, isUp: boolean): void {
    const plane = this.services.has(service) ? 'ebpf' : 'ipvs'
    const found = this.#service(plane, service).realServers.find((one) => realServerKey(one) === realServer)
    if (found === undefined) throw kernelError('ENOENT', `no real server ${realServer}`)
    this.history.push(`health ${service} ${realServer} ${isUp ? 'up' : 'down'}`)
    found.isUp = isUp
  }

  read(): DataplaneReading {
    return {
      counterEpoch: 'epoch-1',
      verdicts: { LB_DROP_FRAGMENT: 0 },
      flowTable: null,
      services: [...this.services.values()].map((service) => ({
        key: serviceKey(service),
        ringDigest: service.ringDigest,
        counters: { ...this.counters },
        rates: null,
        realServers: service.realServers.map(({ address, port }) => ({
          address,
          port,
          activeFlows: this.#flowsOf(serviceKey(service), realServerKey({ address, port })),
          inactiveFlows: null,
          persistentFlows: null,
          ringShare: 0.5,
          counters: { ...this.counters },
          rates: null,
        })),
      })),
    }
  }

  async lookupFlow(query: { clientPort: number; vip: string; port: number; clientAddress?: string | undefined }) {
    return (
      this.flows.find(
        (flow) =>
          flow.clientPort === query.clientPort &&
          flow.vip === query.vip &&
          flow.port === query.port &&
          (query.clientAddress === undefined || query.clientAddress === flow.clientAddress),
      ) ?? null
    )
  }

  async connections(_query: ConnectionQuery): Promise<ConnectionPage> {
    return { rows: [], matched: 0, total: 0, isCut: false, takenAtMs: 0 }
  }

  async countFlows(service: string, realServer: string): Promise<number> {
    return this.#flowsOf(service, realServer)
  }

  #flowsOf(service: string, realServer: string): number {
    return this.flows.filter(
      (flow) => `tcp/${flow.vip}:${flow.port}` === service && realServerKey(flow.realServer) === realServer,
    ).length
  }

  async sweep() {
    return { freed: 0, used: this.flows.length, released: 0 }
  }

  onEvent(listener: (event: DataplaneEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** It keeps no records beside the services themselves. */
  async tidy(): Promise<void> {}

  async takeDown(): Promise<void> {
    await this.#change('take down', () => {
      this.services.clear()
      this.attachments.clear()
    })
  }

  close(): void {}

  families(): readonly IpFamily[] {
    return this.spoken
  }

  async interfaces(): Promise<InterfaceFacts[]> {
    return structuredClone(this.nics)
  }

  async addAddress(place: PlacedAddress): Promise<void> {
    await this.#change(`add ${place.address} ${place.interface}`, () => {
      const { addresses } = this.#nic(place.interface)
      if (addresses.some((one) => one.address === place.address)) throw kernelError('EEXIST', 'File exists')
      addresses.push({ address: place.address, prefixLength: addressBits[familyOf(place.address)] })
    })
  }

  async removeAddress(place: PlacedAddress): Promise<void> {
    await this.#change(`remove ${place.address} ${place.interface}`, () => {
      const { addresses } = this.#nic(place.interface)
      const at = addresses.findIndex(({ address }) => address === place.address)
      if (at === -1) throw kernelError('EADDRNOTAVAIL', 'Cannot assign requested address')
      addresses.splice(at, 1)
    })
  }

  async announce(place: PlacedAddress): Promise<void> {
    await this.#change(`announce ${place.address} ${place.interface}`, () => {})
  }

  async isOnLink(): Promise<boolean> {
    return false
  }

  async probeArp(): Promise<string[]> {
    return []
  }

  /** A boot: all that the kernel held is gone, the addresses of the host's own set-up come back. */
  reboot(): void {
    this.services.clear()
    this.attachments.clear()
    this.adopted.clear()
    this.ipvs = { ...this.ipvs, syncDaemons: [], natEntries: [] }
    for (const one of this.nics) one.addresses = one.addresses.filter((own) => own.prefixLength < 32)
  }

  #nic(name: string): InterfaceFacts {
    const found = this.nics.find((one) => one.name === name)
    if (found === undefined) throw kernelError('ENODEV', 'No such device')
    return found
  }

  async #change(call: string, effect: () => void): Promise<void> {
    await this.hook(call, 'before')
    effect()
    this.history.push(call)
    await this.hook(call, 'after')
  }
}

function nic(index: number, name: string, addresses: [string, number][]): InterfaceFacts {
  const mac = name === 'lo' ? null : `02:00:00:00:00:0${index}`
  const own = addresses.map(([address, prefixLength]) => ({ address, prefixLength }))
  return { name, index, mac, mtu: 1500, isUp: true, addresses: own }
}

/** Both dataplanes may have the same VIP and port. */
const placeOf = (dataplane: DataplaneName, service: string): string =>
  dataplane === 'ebpf' ? service : `ipvs ${service}`

function describe(step: DataplaneStep): string {
  switch (step.kind) {
    case 'module.load':
    case 'module.unload':
      return `${step.kind} ${step.module}`
    case 'setting.set':
      return `${step.kind} ${step.name} ${step.after}`
    case 'nat.set':
      return `${step.kind} ${step.after.length}`
    case 'sync.start':
    case 'sync.stop':
      return `${step.kind} ${step.daemon.role}`
    case 'service.adopt':
    case 'service.release':
      return `${step.kind} ${step.service}`
    case 'dataplane.attach':
    case 'dataplane.detach':
      return `${step.kind} ${step.interface}`
    case 'service.add':
    case 'service.change':
    case 'service.remove':
      return `${step.kind} ${step.service}`
    case 'realServer.add':
    case 'realServer.change':
      return `${step.kind} ${realServerKey(step.after)}`
    case 'realServer.remove':
      return `${step.kind} ${realServerKey(step.before)}`
  }
}
