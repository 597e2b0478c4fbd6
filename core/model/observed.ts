import { z } from 'zod'
import { HostSetting, NatEntry, RealServerConfig, ServiceConfig, SyncDaemonConfig } from './plan.ts'

/** A real server as the dataplane has it now. */
export const ObservedRealServer = RealServerConfig.extend({
  /** What health checking last told the dataplane; a real server without a check is up. */
  isUp: z.boolean(),
})

/** A virtual service as the dataplane has it now, or as IPVS has it for somebody else. */
export const ObservedService = ServiceConfig.extend({
  realServers: z.array(ObservedRealServer),
  /** First 16 hex digits of SHA-256 over the ring's slots by server key; equal on all directors that agree. Null: IPVS. */
  ringDigest: z.string().nullable(),
  /** Set up by somebody else: shown, never touched. */
  isForeign: z.boolean(),
})

/** An address of a VIP as the director's interfaces have it now. */
export const ObservedVip = z.object({
  address: z.string(),
  interface: z.string(),
  /** True where the agent raised it (its journal says so), and may therefore lower it. */
  isOurs: z.boolean(),
})

export const DataplaneHook = z.enum(['tcx', 'clsact', 'xdp-native', 'xdp-generic'])

/** An interface that the dataplane is attached to. */
export const ObservedAttachment = z.object({
  interface: z.string(),
  hook: DataplaneHook,
  /** Why this hook and not another, one English sentence. */
  reason: z.string(),
  /** Names of other programs found on the same interface. */
  foreignPrograms: z.array(z.string()),
  /** No service is on it: answers of real servers in NAT or FullNAT mode come in there. The dataplane sees to it itself. */
  isForReplies: z.boolean().default(false),
})

/** A setting of the host that is ours or that the document names, as it is now. */
export const ObservedSetting = HostSetting.extend({
  /** What it was before the agent set it; null where the agent never did. */
  original: z.string().nullable(),
})

export const ObservedSyncDaemon = SyncDaemonConfig.extend({ isOurs: z.boolean() })

/** A program that changes IPVS by its own will. */
export const IpvsWriter = z.object({
  name: z.string(),
  pid: z.number().int(),
  /** Keys of the services that it manages by its own configuration; left out where that cannot be read. */
  manages: z.array(z.string()).optional(),
})

/** Whether IPVS can be driven: four different answers, since each wants another remedy. */
export const IpvsAvailability = z.enum(['ready', 'module-not-loaded', 'module-missing', 'no-permission'])

export const ObservedIpvs = z.object({
  availability: IpvsAvailability,
  syncDaemons: z.array(ObservedSyncDaemon),
  natEntries: z.array(NatEntry),
  /** Modules that the agent had loaded, and unloads when nothing needs them. */
  ownModules: z.array(z.string()),
  writers: z.array(IpvsWriter),
})

export const noIpvs: ObservedIpvs = {
  availability: 'module-missing',
  syncDaemons: [],
  natEntries: [],
  ownModules: [],
  writers: [],
}

/** Whether the eBPF dataplane balances new flows, or only those that it knows already. */
export const NewFlows = z.enum(['balanced', 'stopped'])
export const ObservedEbpf = z.object({ newFlows: NewFlows })
const balancing: ObservedEbpf = { newFlows: 'balanced' }

export const ObservedState = z.object({
  services: z.array(ObservedService),
  vips: z.array(ObservedVip),
  attachments: z.array(ObservedAttachment),
  settings: z.array(ObservedSetting).default([]),
  ipvs: ObservedIpvs.default(noIpvs),
  ebpf: ObservedEbpf.default(balancing),
})

/** Before the first look. */
export const nothingObserved: ObservedState = {
  services: [],
  vips: [],
  attachments: [],
  settings: [],
  ipvs: noIpvs,
  ebpf: balancing,
}

export type ObservedRealServer = z.infer<typeof ObservedRealServer>
export type ObservedService = z.infer<typeof ObservedService>
export type ObservedVip = z.infer<typeof ObservedVip>
export type DataplaneHook = z.infer<typeof DataplaneHook>
export type ObservedAttachment = z.infer<typeof ObservedAttachment>
export type ObservedSetting = z.infer<typeof ObservedSetting>
export type ObservedSyncDaemon = z.infer<typeof ObservedSyncDaemon>
export type IpvsWriter = z.infer<typeof IpvsWriter>
export type IpvsAvailability = z.infer<typeof IpvsAvailability>
export type ObservedIpvs = z.infer<typeof ObservedIpvs>
export type NewFlows = z.infer<typeof NewFlows>
export type ObservedEbpf = z.infer<typeof ObservedEbpf>
export type ObservedState = z.infer<typeof ObservedState>
