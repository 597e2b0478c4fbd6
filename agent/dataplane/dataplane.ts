import type { DataplaneHook, ObservedAttachment, ObservedService } from '../../core/model/observed.ts'
import type { Step } from '../../core/model/plan.ts'
import type { Counters, Flow } from '../../core/model/telemetry.ts'

/** The steps that a dataplane executes; addresses are raised and lowered by the agent itself. */
export type DataplaneStep = Exclude<Step, { kind: 'vip.raise' | 'vip.lower' }>

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

export interface DataplaneState {
  /** Sorted by VIP and port; real servers by address and port. */
  readonly services: readonly ObservedService[]
  readonly attachments: readonly ObservedAttachment[]
}

export interface RealServerReading {
  readonly address: string
  readonly port: number
  /** Flows in the cache that are neither closed nor expired, as the last count found them (see `sweep`). */
  readonly activeFlows: number
  /** Share of the ring's slots, 0 to 1. */
  readonly ringShare: number
  readonly counters: Counters
}

export interface ServiceReading {
  /** `tcp/192.0.2.10:80`. */
  readonly key: string
  readonly ringDigest: string
  readonly realServers: readonly RealServerReading[]
  readonly counters: Counters
}

/** One reading of all counters. */
export interface DataplaneReading {
  /** Changes when counters start anew; a difference over two epochs is no rate. */
  readonly counterEpoch: string
  readonly services: readonly ServiceReading[]
  /** Packets by named verdict since the dataplane was loaded, e.g. `LB_DROP_FRAGMENT`. */
  readonly verdicts: Readonly<Record<string, number>>
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

/**
 * What the agent programs. Kernel state outlives the object: closing it, or killing the process, changes nothing that
 * packets see. Errors are `AppError`: `REFUSED` where it cannot be done here, `KERNEL` (with `details.errno`) where the
 * kernel said no. A step that throws has left the kernel as it was.
 */
export interface Dataplane {
  /** Facts for all interfaces, or for one. */
  capabilities(interfaceName?: string): DataplaneCapabilities
  /** What the kernel holds now, read back from it. */
  observe(): DataplaneState
  /** Does one step. A step whose effect is there already is done again without harm: a journal may be replayed. */
  execute(step: DataplaneStep): Promise<void>
  /** A real server that is not up leaves the ring; its flows stay. Keys as `serviceKey` and `realServerKey` make them. */
  setHealth(service: string, realServer: string, isUp: boolean): void
  /** Counters, without a system call. */
  read(): DataplaneReading
  /** The cache's own record of one client socket: who answers it. */
  lookupFlow(query: FlowQuery): Flow | null
  /** Flows of a real server that are neither closed nor expired, counted now. */
  countFlows(service: string, realServer: string): number
  /** Frees expired flows, counts the others, releases quarantined indices. For a timer of about one second. */
  sweep(): SweepResult
  /** Returns the function that ends the subscription. */
  onEvent(listener: (event: DataplaneEvent) => void): () => void
  /** Takes everything off the kernel: attachments, services, flows, pins. */
  takeDown(): Promise<void>
  /** Lets go of file descriptors and timers; the kernel goes on as it is. */
  close(): void
}
