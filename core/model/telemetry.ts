import { z } from 'zod'
import { RealServerState, ServiceKey } from './service.ts'
import { UtcMs } from './revision.ts'

/** Counters since the dataplane was loaded; they never go back except when it is loaded anew. */
export const Counters = z.object({
  connections: z.number(),
  packetsIn: z.number(),
  bytesIn: z.number(),
  /** Null where the reply does not pass the director (DR): not zero, unknown. */
  packetsOut: z.number().nullable(),
  bytesOut: z.number().nullable(),
})

/**
 * Per second, as the kernel smooths them (IPVS: an average that moves every 2 s). Where they are given they are what to
 * show; elsewhere rates are differences of counters.
 */
export const KernelRates = z.object({
  connectionsPerSec: z.number(),
  packetsInPerSec: z.number(),
  packetsOutPerSec: z.number().nullable(),
  bytesInPerSec: z.number(),
  bytesOutPerSec: z.number().nullable(),
})

export const Health = z.enum(['up', 'down', 'unknown'])

export const RealServerStatus = z.object({
  address: z.string(),
  port: z.number().int(),
  weight: z.number().int(),
  state: RealServerState,
  health: Health,
  /** Last check's duration; null where it failed or none has run. */
  checkLatencyMs: z.number().nullable(),
  /** Why the last check failed, in English, e.g. `ECONNREFUSED`; null where it passed. */
  checkError: z.string().nullable(),
  sinceMs: UtcMs.nullable(),
  /** Flows in the cache that are not closed. In DR the director sees one direction only: an estimate. */
  activeFlows: z.number().int(),
  /** IPVS: connections in a state that is not established; null where the dataplane does not tell them apart. */
  inactiveFlows: z.number().int().nullable().default(null),
  /** IPVS: persistence templates that lead here. */
  persistentFlows: z.number().int().nullable().default(null),
  /** Share of the ring's slots, 0 to 1; null without a ring (IPVS). */
  ringShare: z.number().nullable(),
  counters: Counters,
  rates: KernelRates.nullable().default(null),
})

export const ServiceStatus = z.object({
  key: ServiceKey,
  ringDigest: z.string().nullable(),
  realServers: z.array(RealServerStatus),
  counters: Counters,
  rates: KernelRates.nullable().default(null),
})

/** One reading of everything that moves, taken at one instant in the agent. */
export const Sample = z.object({
  /** Agent's monotonic clock: the only one to compute rates with. */
  monotonicMs: z.number(),
  atMs: UtcMs,
  /** Changes when counters start anew; a difference over two epochs is no rate. */
  counterEpoch: z.string(),
  services: z.array(ServiceStatus),
  /** Verdict counters of the dataplane by name, e.g. `LB_DROP_FRAGMENT`. */
  verdicts: z.record(z.string(), z.number()),
  /** Entries of the flow cache in use at the last sweep, and how many there may be; null while nothing is loaded. */
  flowTable: z.object({ used: z.number().int(), size: z.number().int() }).nullable().default(null),
})

/** One flow as the flow cache has it. */
export const Flow = z.object({
  clientAddress: z.string(),
  clientPort: z.number().int(),
  vip: z.string(),
  port: z.number().int(),
  realServer: z.object({ address: z.string(), port: z.number().int() }),
  state: z.enum(['syn', 'established', 'closing']),
  /** Null where the dataplane does not count each flow (IPVS). */
  packets: z.number().nullable(),
  bytes: z.number().nullable(),
  idleMs: z.number().nullable(),
})

/** Something that happened on the director, for the overview. */
export const DirectorEvent = z.object({
  id: z.number().int(),
  atMs: UtcMs,
  kind: z.enum(['health', 'apply', 'confirm', 'revert', 'drift', 'agent', 'neighbour', 'role']),
  service: ServiceKey.nullable(),
  realServer: z.string().nullable(),
  /** Key of a sentence in the locales (`event.*`), with its parameters. */
  message: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number()])),
})

export type Counters = z.infer<typeof Counters>
export type KernelRates = z.infer<typeof KernelRates>
export type Health = z.infer<typeof Health>
export type RealServerStatus = z.infer<typeof RealServerStatus>
export type ServiceStatus = z.infer<typeof ServiceStatus>
export type Sample = z.infer<typeof Sample>
export type Flow = z.infer<typeof Flow>
export type DirectorEvent = z.infer<typeof DirectorEvent>
