import type { IpvsOffer } from '../../core/contract/agent.ts'
import type { ConnectionPage, ConnectionQuery } from '../../core/model/connection.ts'
import type {
  DataplaneHook,
  NewFlows,
  ObservedAttachment,
  ObservedService,
  ObservedState,
} from '../../core/model/observed.ts'
import type { Step } from '../../core/model/plan.ts'
import type { Counters, Flow, KernelRates } from '../../core/model/telemetry.ts'
import type { Desired, DesiredService } from '../../core/reconcile/desired.ts'

/** The steps that change the kernel's dataplanes and their settings; addresses and waits are the agent's own. */
export type DataplaneStep = Exclude<Step, { kind: 'vip.raise' | 'vip.lower' | 'drain.wait' }>

/** What became of several steps. */
export interface Execution {
  /** Places of the steps that took effect: with a failure among them, steps behind it may have run too. */
  readonly done: readonly number[]
  readonly failure: { readonly at: number; readonly error: unknown } | null
}

export interface HookCapability {
  readonly hook: DataplaneHook
  readonly isUsable: boolean
  /** Why it is usable, or what is missing; one English sentence. */
  readonly reason: string
}

/** What this kernel offers, found by looking and never by asking for a version alone. */
export interface DataplaneCapabilities {
  readonly isAvailable: boolean
  /** What is missing, one English sentence; null where it is available. */
  readonly reason: string | null
  /** Best first. */
  readonly hooks: readonly HookCapability[]
}

/** Everything but addresses. */
export type DirectorState = Omit<ObservedState, 'vips'>

export interface RealServerReading {
  readonly address: string
  readonly port: number
  /** Flows in the cache that are neither closed nor expired, as the last count found them (see `sweep`). */
  readonly activeFlows: number
  readonly inactiveFlows: number | null
  readonly persistentFlows: number | null
  /** Share of the ring's slots, 0 to 1; null without a ring. */
  readonly ringShare: number | null
  readonly counters: Counters
  readonly rates: KernelRates | null
}

export interface ServiceReading {
  /** `tcp/192.0.2.10:80`. */
  readonly key: string
  readonly ringDigest: string | null
  readonly realServers: readonly RealServerReading[]
  readonly counters: Counters
  readonly rates: KernelRates | null
}

/** One reading of all counters. */
export interface DataplaneReading {
  /** Changes when counters start anew; a difference over two epochs is no rate. */
  readonly counterEpoch: string
  readonly services: readonly ServiceReading[]
  /** Packets by named verdict since the dataplane was loaded, e.g. `LB_DROP_FRAGMENT`. */
  readonly verdicts: Readonly<Record<string, number>>
  /** Entries of the flow cache in use at the last sweep, and how many there may be; null while nothing is loaded. */
  readonly flowTable: { readonly used: number; readonly size: number } | null
}

export interface FlowQuery {
  /** Left out: the first flow of that client port, whatever the address. */
  readonly clientAddress?: string | undefined
  readonly clientPort: number
  readonly vip: string
  readonly port: number
}

export interface SweepResult {
  /** Entries of the flow cache that were freed because they had expired or their real server was gone. */
  readonly freed: number
  /** Entries in use after the sweep. */
  readonly used: number
  /** Indices of removed real servers that no entry holds any more: they may be given out again. */
  readonly released: number
}

/** Something that the dataplane noticed by itself. */
export type DataplaneEvent = {
  readonly kind: 'neighbour'
  readonly address: string
  readonly interface: string | null
  /** `02:00:00:00:00:01`; null = the real server does not answer ARP, or no interface leads to it directly. */
  readonly mac: string | null
}

/** Steps on services: those that both dataplanes know. */
export type ServiceStep = Extract<DataplaneStep, { kind: `service.${string}` | `realServer.${string}` }>

/**
 * One way to balance: eBPF or IPVS. Kernel state outlives the object: closing it, or killing the process, changes nothing
 * that packets see. Errors are `AppError`: `REFUSED` where it cannot be done here, `KERNEL` (with `details.errno`) where
 * the kernel said no. A step that fails has left the kernel as it was.
 */
export interface Dataplane {
  /**
   * The services that the kernel holds now, read back from it, sorted. What it cannot tell (IPVS: a drained real
   * server's weight, a service's check) is taken from the first of `hints` that fits what it does tell.
   */
  observe(hints: readonly Desired[]): ObservedService[]
  /** Does these steps in their order. One whose effect is there already is done again without harm. */
  execute(steps: readonly DataplaneStep[]): Promise<Execution>
  /** A real server that is not up gets no new flows; its flows stay. Keys as `serviceKey` and `realServerKey` make them. */
  setHealth(service: string, realServer: string, isUp: boolean): void
  /** Counters, without a look at the kernel where that costs more than memory. */
  read(): DataplaneReading
  /** The dataplane's own record of one client socket: who answers it. */
  lookupFlow(query: FlowQuery): Promise<Flow | null>
  /** Flows of a real server that are neither closed nor expired, counted now; the event loop goes on meanwhile. */
  countFlows(service: string, realServer: string): Promise<number>
  /** Takes everything of ours off the kernel. */
  takeDown(): Promise<void>
  /** Lets go of file descriptors and timers; the kernel goes on as it is. */
  close(): void
}

/** What the eBPF dataplane has beyond that. */
export interface EbpfDataplaneLike extends Dataplane {
  /** Facts for all interfaces, or for one. */
  capabilities(interfaceName?: string): DataplaneCapabilities
  attachments(): ObservedAttachment[]
  newFlows(): NewFlows
  /** REFUSED while nothing is loaded: there is nothing to stop. */
  setNewFlows(newFlows: NewFlows): void
  /** Frees expired flows, counts the others, releases quarantined indices. For a timer of about one second. */
  sweep(): Promise<SweepResult>
  connections(query: ConnectionQuery): Promise<ConnectionPage>
  /** Returns the function that ends the subscription. */
  onEvent(listener: (event: DataplaneEvent) => void): () => void
}

/** Both dataplanes and what their host has once, as the agent drives them. */
export interface Dataplanes extends Omit<Dataplane, 'observe'> {
  capabilities(interfaceName?: string): DataplaneCapabilities
  ipvsOffer(): IpvsOffer
  observe(hints: readonly Desired[]): DirectorState
  /** Services that were taken over from somebody else, as they were then, by key. */
  originals(): ReadonlyMap<string, DesiredService>
  /** When an agent starts: its records and its files in /etc say what is there or wanted, and no more than that. */
  tidy(wanted: Desired): Promise<void>
  connections(query: ConnectionQuery): Promise<ConnectionPage>
  setNewFlows(newFlows: NewFlows): void
  sweep(): Promise<SweepResult>
  onEvent(listener: (event: DataplaneEvent) => void): () => void
}
