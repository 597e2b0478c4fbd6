import { z } from 'zod'
import { IpFamily } from './address.ts'
import { DataplaneName, ForwardingMethod, Protocol } from './dataplane.ts'
import { HealthCheck } from './health-check.ts'
import { SyncDaemon, SyncRole } from './ipvs-settings.ts'
import { Issue } from './issue.ts'
import { Scheduler, SchedulerFlag } from './scheduler.ts'
import { Announce, Persistence, RealServerState, ServiceKey, Tunnel } from './service.ts'

/** The part of a virtual service that is programmed; name and notes live in the document alone. */
export const ServiceConfig = z.object({
  /** Null in a service by fwmark. */
  vip: z.string().nullable(),
  /** 0 = every port, and in a service by fwmark. */
  port: z.number().int(),
  protocol: Protocol,
  fwmark: z.number().int().nullable().default(null),
  family: IpFamily.default('ipv4'),
  dataplane: DataplaneName,
  forwarding: ForwardingMethod,
  scheduler: Scheduler,
  schedulerFlags: z.array(SchedulerFlag).default([]),
  persistence: Persistence.nullable().default(null),
  onePacket: z.boolean().default(false),
  localAddresses: z.array(z.string()).default([]),
  announce: Announce,
  /** Ingress interface; empty in a service by fwmark. */
  interface: z.string(),
  check: HealthCheck,
})
export const RealServerConfig = z.object({
  address: z.string(),
  port: z.number().int(),
  weight: z.number().int(),
  state: RealServerState,
  forwarding: ForwardingMethod.default('dr'),
  /** Null but for the method tun. */
  tunnel: Tunnel.nullable().default(null),
  upperThreshold: z.number().int().default(0),
  lowerThreshold: z.number().int().default(0),
})

/** One endpoint whose connections get another source address on their way to the real server (FullNAT on IPVS). */
export const NatEntry = z.object({
  family: IpFamily,
  protocol: Protocol,
  vip: z.string(),
  port: z.number().int(),
  address: z.string(),
  realPort: z.number().int(),
  /** Empty: the address of the interface that leads there. */
  localAddresses: z.array(z.string()),
})

/**
 * A setting of the host by name: a sysctl (`net.ipv4.ip_forward`), or one that only netlink knows
 * (`ipvs.timeout.tcp`, seconds).
 */
export const HostSetting = z.object({ name: z.string(), value: z.string() })

/** One running role of the sync daemon. */
export const SyncDaemonConfig = SyncDaemon.omit({ roles: true }).extend({ role: SyncRole })

const step = <K extends string, S extends z.ZodRawShape>(kind: K, shape: S) =>
  z.object({ kind: z.literal(kind), ...shape })

/** One reversible action on the director. Each carries before and after, so its inverse is known before it runs. */
export const Step = z.discriminatedUnion('kind', [
  step('module.load', { module: z.string() }),
  step('module.unload', { module: z.string() }),
  /**
   * Whether the setting was and is ours to put back: a setting that becomes ours had `before` from its owner, one that
   * is ours no longer gets it back.
   */
  step('setting.set', {
    name: z.string(),
    before: z.string(),
    after: z.string(),
    wasOurs: z.boolean(),
    isOurs: z.boolean(),
  }),
  step('nat.set', { before: z.array(NatEntry), after: z.array(NatEntry) }),
  step('sync.start', { daemon: SyncDaemonConfig }),
  step('sync.stop', { daemon: SyncDaemonConfig }),
  step('dataplane.attach', { interface: z.string() }),
  step('dataplane.detach', { interface: z.string() }),
  /** Takes over a service that somebody else set up, as it is: nothing changes in the kernel. */
  step('service.adopt', { service: ServiceKey, config: ServiceConfig, realServers: z.array(RealServerConfig) }),
  /** Leaves a service that was taken over to whoever set it up. */
  step('service.release', { service: ServiceKey, config: ServiceConfig, realServers: z.array(RealServerConfig) }),
  step('service.add', { service: ServiceKey, after: ServiceConfig }),
  step('service.change', { service: ServiceKey, before: ServiceConfig, after: ServiceConfig }),
  step('service.remove', { service: ServiceKey, before: ServiceConfig }),
  step('realServer.add', { service: ServiceKey, dataplane: DataplaneName.default('ebpf'), after: RealServerConfig }),
  step('realServer.change', {
    service: ServiceKey,
    dataplane: DataplaneName.default('ebpf'),
    before: RealServerConfig,
    after: RealServerConfig,
  }),
  step('realServer.remove', {
    service: ServiceKey,
    dataplane: DataplaneName.default('ebpf'),
    before: RealServerConfig,
  }),
  /** Waits until these have no flow any more, or the time is over. */
  step('drain.wait', {
    seconds: z.number().int(),
    realServers: z.array(z.object({ service: ServiceKey, dataplane: DataplaneName, realServer: z.string() })),
  }),
  step('vip.raise', { address: z.string(), interface: z.string(), announce: Announce }),
  step('vip.lower', { address: z.string(), interface: z.string(), announce: Announce }),
])

/** Order in which steps run; within one phase, the order of the plan. */
export const phases = ['prepare', 'add', 'raise', 'drain', 'lower', 'remove', 'release'] as const
export const Phase = z.enum(phases)

/** A command that does the same on the named host; run as typed it leaves the same state. */
export const Command = z.object({
  /** `director`, or the address of a real server. */
  host: z.string(),
  /** Whose command it is: our own, or what one would type without us (ipvsadm, ip, sysctl, nft). */
  kind: z.enum(['signalbox', 'ipvsadm']).default('signalbox'),
  /** Text to paste into a POSIX shell; already quoted. */
  text: z.string(),
})

export const PlannedStep = z.object({
  phase: Phase,
  step: Step,
})

export const Plan = z.object({
  /** Revision that the plan starts from. */
  baseRevision: z.number().int(),
  steps: z.array(PlannedStep),
  /** What the change does to traffic; counts, worded by whoever shows them. */
  risk: z.object({
    realServersLeavingRing: z.number().int(),
    servicesRemoved: z.number().int(),
    /** Established flows on what is removed, counted in the flow cache; null where it could not be counted. */
    flowsCut: z.number().int().nullable(),
    /** Share of the ring's slots that change owner, by service key, 0 to 1. */
    slotsMoved: z.record(z.string(), z.number()),
  }),
  /** Equivalent commands for the director. */
  commands: z.array(Command),
  /** Things worth knowing before applying; they do not stop it. */
  warnings: z.array(Issue),
})

export type ServiceConfig = z.infer<typeof ServiceConfig>
export type RealServerConfig = z.infer<typeof RealServerConfig>
export type NatEntry = z.infer<typeof NatEntry>
export type HostSetting = z.infer<typeof HostSetting>
export type SyncDaemonConfig = z.infer<typeof SyncDaemonConfig>
export type Step = z.infer<typeof Step>
export type StepKind = Step['kind']
export type Phase = z.infer<typeof Phase>
export type PlannedStep = z.infer<typeof PlannedStep>
export type Command = z.infer<typeof Command>
export type Plan = z.infer<typeof Plan>
