import { z } from 'zod'
import { HostAddress, InterfaceName, IpFamily, Ipv4HostAddress, Port } from '../model/address.ts'
import { ClusterSpec } from '../model/cluster-spec.ts'
import { ConnectionPage, ConnectionQuery } from '../model/connection.ts'
import { expected } from '../model/issue.ts'
import { DataplaneHook, IpvsAvailability, NewFlows, ObservedState } from '../model/observed.ts'
import { Plan, Step } from '../model/plan.ts'
import {
  ApplyProgress,
  ApplyResult,
  Author,
  plainMessage,
  Revision,
  RevisionSummary,
  UtcMs,
} from '../model/revision.ts'
import { Scheduler } from '../model/scheduler.ts'
import { ServiceKey, TunnelType } from '../model/service.ts'
import { DirectorEvent, Flow, Sample } from '../model/telemetry.ts'
import { method, stream } from './define.ts'

/** Raised when an entry changes its meaning; additions leave it. Console and agent compare it in the handshake. */
export const agentContractVersion = 2

const Empty = z.strictObject({})

/**
 * Addresses that a VIP must never be, beyond what the agent sees for itself: the console sends the one that SSH came in
 * by, the CLI takes it from SSH_CONNECTION.
 */
const ProtectedAddresses = z.array(HostAddress).max(16)

const confirmRange = expected('seconds', { min: 5, max: 3600 })
export const ConfirmWithinSec = z.int(confirmRange).min(5, confirmRange).max(3600, confirmRange)

/** Services that somebody else set up and that shall be ours from now on. */
const Adopt = z.array(ServiceKey).max(1000).default([])
/** What is removed gets no new connections for this long, or until its last one has ended. */
const DrainSec = z.int().min(0).max(90).default(10)

export const PlanRequest = z.strictObject({
  spec: ClusterSpec,
  adopt: Adopt,
  drainSec: DrainSec,
  protectedAddresses: ProtectedAddresses.default([]),
})
export const ApplyRequest = z.strictObject({
  spec: ClusterSpec,
  /** Revision that the operator saw when editing. */
  baseRevision: z.int().nonnegative(),
  /** Reverts by itself unless confirmed within this time; null: no confirmation wanted. */
  confirmWithinSec: ConfirmWithinSec.nullable(),
  adopt: Adopt,
  drainSec: DrainSec,
  author: Author,
  message: plainMessage.default(''),
  protectedAddresses: ProtectedAddresses.default([]),
})

export const InterfaceFacts = z.object({
  name: z.string(),
  index: z.number().int(),
  mac: z.string().nullable(),
  mtu: z.number().int(),
  isUp: z.boolean(),
  addresses: z.array(z.object({ address: z.string(), prefixLength: z.number().int() })),
})

/** What this kernel's IPVS offers, found by looking. */
export const IpvsOffer = z.object({
  availability: IpvsAvailability,
  /** What is missing, one English sentence; null where nothing is. */
  reason: z.string().nullable(),
  /** `1.2.1`; null until the module is loaded. */
  version: z.string().nullable(),
  /** Buckets of the connection table. */
  connectionTableSize: z.number().int().nullable(),
  schedulers: z.array(z.object({ name: Scheduler, isAvailable: z.boolean() })),
  tunnels: z.array(z.object({ type: TunnelType, isAvailable: z.boolean() })),
  /** FullNAT needs nft(8) on the director; null where it is there, else what is missing. */
  fullnatObstacle: z.string().nullable(),
  /** Names of the sysctls of net.ipv4.vs that this kernel has, with their values. */
  sysctls: z.record(z.string(), z.string()),
  /** Seconds; null where the kernel was built without that protocol. */
  timeouts: z
    .object({ tcpSec: z.number().nullable(), tcpFinSec: z.number().nullable(), udpSec: z.number().nullable() })
    .nullable(),
})

const untoldIpvs: z.infer<typeof IpvsOffer> = {
  availability: 'module-missing',
  reason: 'the agent is older than this console and does not know IPVS',
  version: null,
  connectionTableSize: null,
  schedulers: [],
  tunnels: [],
  fullnatObstacle: null,
  sysctls: {},
  timeouts: null,
}

export const AgentHello = z.object({
  version: z.string(),
  contractVersion: z.number().int(),
  hostname: z.string(),
  kernel: z.string(),
  architecture: z.string(),
  bootId: z.string(),
  /** The agent's clocks at the answer; the console derives the skew from the first. */
  nowMs: UtcMs,
  monotonicMs: z.number(),
  startedAtMs: UtcMs,
  access: z.enum(['view', 'change']),
  interfaces: z.array(InterfaceFacts),
  /** Address families of this kernel. An agent that does not say is older than the question. */
  families: z.array(IpFamily).default([...IpFamily.options]),
  dataplane: z.object({
    isAvailable: z.boolean(),
    /** What is missing, one sentence, where it is not available. */
    reason: z.string().nullable(),
    hooks: z.array(z.object({ hook: DataplaneHook, isUsable: z.boolean(), reason: z.string() })),
  }),
  /** An agent that does not say is older than IPVS. */
  ipvs: IpvsOffer.default(untoldIpvs),
})

/** The slow-moving truth about a director; pushed whole whenever any of it changes. */
export const DirectorState = z.object({
  /** Newest accepted revision; 0 = nothing was ever applied. */
  revision: z.number().int(),
  digest: z.string(),
  spec: ClusterSpec,
  /** `standby`: all is programmed but the VIPs, which another director of the cluster carries. */
  role: z.enum(['active', 'standby']).default('active'),
  progress: ApplyProgress.nullable(),
  /** The last apply that ended while this agent ran. */
  lastResult: ApplyResult.nullable(),
  observed: ObservedState,
  /** What a plan of the newest revision against the kernel wants now; empty = no drift. */
  drift: z.array(Step),
  events: z.array(DirectorEvent),
  nowMs: UtcMs,
  monotonicMs: z.number(),
})

export const agentContract = {
  'agent.hello': method({ input: Empty, output: AgentHello, timeoutMs: 10_000 }),
  /** First the present state, then each change within 1 s. */
  'director.watch': stream({ input: Empty, item: DirectorState }),
  'cluster.plan': method({ input: PlanRequest, output: Plan }),
  /** Answers when the steps are done, or have been rolled back; the confirmation comes later. */
  'cluster.apply': method({ input: ApplyRequest, output: ApplyResult, timeoutMs: 120_000, access: 'change' }),
  'cluster.confirm': method({
    input: z.strictObject({ revision: z.int() }),
    output: RevisionSummary,
    access: 'change',
  }),
  /** Takes back the revision that awaits confirmation. */
  'cluster.revert': method({
    input: z.strictObject({ revision: z.int() }),
    output: ApplyResult,
    timeoutMs: 120_000,
    access: 'change',
  }),
  'cluster.history': method({
    input: z.strictObject({ limit: z.int().min(1).max(500).default(100) }),
    output: z.array(RevisionSummary),
  }),
  'cluster.revision': method({ input: z.strictObject({ revision: z.int().nonnegative() }), output: Revision }),
  /** One sample at once, then one a second while watched. */
  'stats.watch': stream({ input: Empty, item: Sample }),
  /** The last samples that the agent kept, oldest first, at most 300: graphs start full. */
  'stats.history': method({ input: Empty, output: z.array(Sample) }),
  /** Raises or lowers the VIPs of the revision in force, for a failover by hand. */
  'director.setRole': method({
    input: z.strictObject({ role: z.enum(['active', 'standby']) }),
    output: z.object({ role: z.enum(['active', 'standby']), drift: z.array(Step) }),
    timeoutMs: 60_000,
    access: 'change',
  }),
  /** The emergency switch: `stopped` drops new flows of eBPF services, those that are known go on. */
  'dataplane.setNewFlows': method({
    input: z.strictObject({ newFlows: NewFlows }),
    output: z.object({ newFlows: NewFlows }),
    access: 'change',
  }),
  /** Filtered, sorted and cut to a page here: the whole table never travels. */
  'connections.list': method({ input: ConnectionQuery, output: ConnectionPage, timeoutMs: 20_000 }),
  /** The flow of one client socket: who answers it, by the dataplane's own record. */
  'flow.lookup': method({
    input: z.strictObject({ clientAddress: HostAddress.optional(), clientPort: Port, vip: HostAddress, port: Port }),
    output: Flow.nullable(),
  }),
  /** Asks the network who answers ARP for an address; a healthy VIP of this director is answered by nobody else. */
  'arp.probe': method({
    input: z.strictObject({
      address: Ipv4HostAddress,
      interface: InterfaceName.optional(),
      waitMs: z.int().min(100).max(5000).default(1000),
    }),
    output: z.object({ interface: z.string(), answers: z.array(z.string()) }),
    access: 'change',
  }),
  /** Before the agent is removed: take the dataplane and VIPs down, or leave them working without an agent. */
  'agent.retire': method({
    input: z.strictObject({ keepTraffic: z.boolean() }),
    output: z.object({ detached: z.boolean(), vipsLowered: z.array(z.string()) }),
    timeoutMs: 60_000,
    access: 'change',
  }),
} as const

export type AgentContract = typeof agentContract
export type PlanRequest = z.infer<typeof PlanRequest>
export type ApplyRequest = z.infer<typeof ApplyRequest>
export type InterfaceFacts = z.infer<typeof InterfaceFacts>
export type IpvsOffer = z.infer<typeof IpvsOffer>
export type AgentHello = z.infer<typeof AgentHello>
export type DirectorState = z.infer<typeof DirectorState>
