import type { InterfaceFacts } from '../../core/contract/agent.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { ObservedAttachment, ObservedRealServer, ObservedService } from '../../core/model/observed.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { Counters, Flow } from '../../core/model/telemetry.ts'
import type { PlacedAddress } from '../../core/reconcile/desired.ts'
import type { RingMember } from '../../core/reconcile/risk.ts'
import type { Dataplane, DataplaneEvent, DataplaneStep } from '../../agent/dataplane/dataplane.ts'
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
export class FakeKernel implements Dataplane, Network {
  readonly services = new Map<string, FakeService>()
  readonly attachments = new Map<string, ObservedAttachment>()
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
  readonly #listeners = new Set<(event: DataplaneEvent) => void>()

  capabilities() {
    const { isAvailable } = this
    const reason = isAvailable ? null : 'this kernel has no BTF'
    return { isAvailable, reason, hooks: [{ hook: 'tcx' as const, isUsable: isAvailable, reason: 'kernel 6.18' }] }
  }

  observe() {
    const services = [...this.services.values()].map((one) => structuredClone(one))
    return { services, attachments: [...this.attachments.values()] }
  }

  async execute(step: DataplaneStep): Promise<void> {
    await this.#change(describe(step), () => this.#apply(step))
  }

  #apply(step: DataplaneStep): void {
    if (!this.isAvailable) throw kernelError('EOPNOTSUPP', 'this kernel has no BTF')
    switch (step.kind) {
      case 'dataplane.attach': {
        if (!this.nics.some((one) => one.name === step.interface)) throw kernelError('ENODEV', 'no such interface')
        const attachment = {
          interface: step.interface,
          hook: 'tcx' as const,
          reason: 'kernel 6.18',
          foreignPrograms: [],
        }
        this.attachments.set(step.interface, attachment)
        return
      }
      case 'dataplane.detach':
        this.attachments.delete(step.interface)
        return
      case 'service.add': {
        const { realServers = [] } = this.services.get(step.service) ?? {}
        this.services.set(step.service, { ...step.after, realServers, ringDigest: '00', isForeign: false })
        return
      }
      case 'service.change':
        Object.assign(this.#service(step.service), step.after)
        return
      case 'service.remove':
        this.services.delete(step.service)
        return
      case 'realServer.add': {
        const { realServers } = this.#service(step.service)
        const old = realServers.find((one) => realServerKey(one) === realServerKey(step.after))
        if (old === undefined) realServers.push({ ...step.after, isUp: true })
        else Object.assign(old, step.after)
        return
      }
      case 'realServer.change': {
        const old = this.#service(step.service).realServers.find(
          (one) => realServerKey(one) === realServerKey(step.after),
        )
        if (old === undefined) throw kernelError('ENOENT', `no real server ${realServerKey(step.after)}`)
        Object.assign(old, step.after)
        return
      }
      case 'realServer.remove': {
        const service = this.services.get(step.service)
        if (service === undefined) return
        service.realServers = service.realServers.filter((one) => realServerKey(one) !== realServerKey(step.before))
      }
    }
  }

  #service(key: string): FakeService {
    const service = this.services.get(key)
    if (service === undefined) throw kernelError('ENOENT', `no service ${key}`)
    return service
  }

  setHealth(service: string, realServer: string, isUp: boolean): void {
    const found = this.#service(service).realServers.find((one) => realServerKey(one) === realServer)
    if (found === undefined) throw kernelError('ENOENT', `no real server ${realServer}`)
    this.history.push(`health ${service} ${realServer} ${isUp ? 'up' : 'down'}`)
    found.isUp = isUp
  }

  read() {
    return {
      counterEpoch: 'epoch-1',
      verdicts: { LB_DROP_FRAGMENT: 0 },
      services: [...this.services.values()].map((service) => ({
        key: serviceKey(service),
        ringDigest: service.ringDigest,
        counters: { ...this.counters },
        realServers: service.realServers.map(({ address, port }) => ({
          address,
          port,
          activeFlows: this.countFlows(serviceKey(service), realServerKey({ address, port })),
          ringShare: 0.5,
          counters: { ...this.counters },
        })),
      })),
    }
  }

  lookupFlow(query: { clientPort: number; vip: string; port: number; clientAddress?: string | undefined }) {
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

  countFlows(service: string, realServer: string): number {
    return this.flows.filter(
      (flow) => `tcp/${flow.vip}:${flow.port}` === service && realServerKey(flow.realServer) === realServer,
    ).length
  }

  sweep() {
    return { freed: 0, used: this.flows.length, released: 0 }
  }

  onEvent(listener: (event: DataplaneEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async takeDown(): Promise<void> {
    await this.#change('take down', () => {
      this.services.clear()
      this.attachments.clear()
    })
  }

  close(): void {}

  async interfaces(): Promise<InterfaceFacts[]> {
    return structuredClone(this.nics)
  }

  async addAddress(place: PlacedAddress): Promise<void> {
    await this.#change(`add ${place.address} ${place.interface}`, () => {
      const { addresses } = this.#nic(place.interface)
      if (addresses.some((one) => one.address === place.address)) throw kernelError('EEXIST', 'File exists')
      addresses.push({ address: place.address, prefixLength: 32 })
    })
  }

  async removeAddress(place: PlacedAddress): Promise<void> {
    await this.#change(`remove ${place.address} ${place.interface}`, () => {
      const { addresses } = this.#nic(place.interface)
      const at = addresses.findIndex((one) => one.address === place.address && one.prefixLength === 32)
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
    for (const one of this.nics) one.addresses = one.addresses.filter((own) => own.prefixLength !== 32)
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

function describe(step: DataplaneStep): string {
  switch (step.kind) {
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
