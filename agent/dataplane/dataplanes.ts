// Both dataplanes of one director, and what its host has once: one thing for the agent to drive.
import type { IpvsOffer } from '../../core/contract/agent.ts'
import type { ConnectionPage, ConnectionQuery } from '../../core/model/connection.ts'
import type { DataplaneName } from '../../core/model/dataplane.ts'
import type { NewFlows } from '../../core/model/observed.ts'
import type { Flow } from '../../core/model/telemetry.ts'
import type { Desired, DesiredService } from '../../core/reconcile/desired.ts'
import type {
  DataplaneCapabilities,
  DataplaneEvent,
  DataplaneReading,
  Dataplanes,
  DataplaneStep,
  DirectorState,
  EbpfDataplaneLike,
  Execution,
  FlowQuery,
  SweepResult,
} from './dataplane.ts'
import { fromTheFirst, mergePages } from './connection-order.ts'
import type { ConnectionTable } from './ipvs/connection-table.ts'
import { type HostState, isHostStep } from './ipvs/host-state.ts'
import type { IpvsDataplane } from './ipvs/ipvs-dataplane.ts'
import type { NatTable } from './ipvs/nat-table.ts'
import { availabilityReasons, ipvsSysctlsOf, type KernelPlaces, schedulersOf, tunnelsOf } from './ipvs/offer.ts'

export interface Parts {
  readonly ebpf: EbpfDataplaneLike
  readonly ipvs: IpvsDataplane
  readonly hostState: HostState
  readonly nat: NatTable
  readonly connections: ConnectionTable
  readonly places: KernelPlaces
}

export class BothDataplanes implements Dataplanes {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  capabilities(interfaceName?: string): DataplaneCapabilities {
    return this.#parts.ebpf.capabilities(interfaceName)
  }

  ipvsOffer(): IpvsOffer {
    const { ipvs, nat, places } = this.#parts
    const availability = ipvs.availability()
    const facts =
      availability === 'ready' ? ipvs.ask((kernel) => ({ ...kernel.info(), timeouts: kernel.timeouts() })) : null
    return {
      availability,
      reason: availabilityReasons[availability],
      version: facts?.version ?? null,
      connectionTableSize: facts?.connectionTableSize ?? null,
      schedulers: schedulersOf(places),
      tunnels: tunnelsOf(places),
      fullnatObstacle: nat.obstacle(),
      sysctls: ipvsSysctlsOf(places),
      timeouts: facts?.timeouts ?? null,
    }
  }

  observe(hints: readonly Desired[]): DirectorState {
    const { ebpf, ipvs, hostState } = this.#parts
    const natEntries = hostState.natEntries(hints)
    ipvs.setNatEntries(natEntries)
    return {
      services: [...ebpf.observe(hints), ...ipvs.observe(hints)],
      attachments: ebpf.attachments(),
      settings: hostState.settings(hints),
      ipvs: hostState.observe(natEntries),
      ebpf: { newFlows: ebpf.newFlows() },
    }
  }

  originals(): ReadonlyMap<string, DesiredService> {
    return this.#parts.ipvs.originals()
  }

  async tidy(wanted: Desired): Promise<void> {
    await this.#parts.ipvs.forgetMissing(wanted)
    await this.#parts.hostState.persist()
  }

  async execute(steps: readonly DataplaneStep[]): Promise<Execution> {
    const { ebpf, ipvs, hostState } = this.#parts
    const [first] = steps
    if (first === undefined) return { done: [], failure: null }
    if (isHostStep(first)) {
      await hostState.execute(first)
      return { done: [0], failure: null }
    }
    if (dataplaneOf(first) === 'ebpf') return ebpf.execute(steps)
    const execution = await ipvs.execute(steps)
    await hostState.persist()
    return execution
  }

  setHealth(service: string, realServer: string, isUp: boolean): void {
    this.#parts.ebpf.setHealth(service, realServer, isUp)
    this.#parts.ipvs.setHealth(service, realServer, isUp)
  }

  read(): DataplaneReading {
    const [ebpf, ipvs] = [this.#parts.ebpf.read(), this.#parts.ipvs.read()]
    return {
      counterEpoch: `${ebpf.counterEpoch} ${ipvs.counterEpoch}`,
      services: [...ebpf.services, ...ipvs.services],
      verdicts: ebpf.verdicts,
      flowTable: ebpf.flowTable,
    }
  }

  async lookupFlow(query: FlowQuery): Promise<Flow | null> {
    return (await this.#parts.ebpf.lookupFlow(query)) ?? (await this.#parts.ipvs.lookupFlow(query))
  }

  setNewFlows(newFlows: NewFlows): void {
    this.#parts.ebpf.setNewFlows(newFlows)
  }

  async connections(query: ConnectionQuery): Promise<ConnectionPage> {
    const { ebpf, connections } = this.#parts
    const whole = fromTheFirst(query)
    const theirs = await connections.page(whole)
    // Where one table has nothing to give, the other's page needs no merging: the usual case.
    if (theirs.rows.length === 0) {
      const ours = await ebpf.connections(query)
      return { ...ours, total: ours.total + theirs.total }
    }
    return mergePages([await ebpf.connections(whole), theirs], query)
  }

  async countFlows(service: string, realServer: string): Promise<number> {
    const { ebpf, ipvs } = this.#parts
    const [flows, connections] = await Promise.all([
      ebpf.countFlows(service, realServer),
      ipvs.countFlows(service, realServer),
    ])
    return flows + connections
  }

  sweep(): Promise<SweepResult> {
    return this.#parts.ebpf.sweep()
  }

  onEvent(listener: (event: DataplaneEvent) => void): () => void {
    return this.#parts.ebpf.onEvent(listener)
  }

  async takeDown(): Promise<void> {
    await this.#parts.ebpf.takeDown()
    await this.#parts.ipvs.takeDown()
  }

  close(): void {
    this.#parts.ebpf.close()
    this.#parts.ipvs.close()
  }
}

/** Attachments are eBPF's alone, what is taken over is IPVS's. */
function dataplaneOf(step: DataplaneStep): DataplaneName {
  switch (step.kind) {
    case 'service.add':
    case 'service.change':
      return step.after.dataplane
    case 'service.remove':
      return step.before.dataplane
    case 'service.adopt':
    case 'service.release':
      return step.config.dataplane
    case 'realServer.add':
    case 'realServer.change':
    case 'realServer.remove':
      return step.dataplane
    default:
      return 'ebpf'
  }
}
