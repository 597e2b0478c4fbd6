import { z } from 'zod'
import { Issue } from './issue.ts'
import {
  Announce,
  DataplaneName,
  ForwardingMethod,
  HealthCheck,
  Protocol,
  RealServerState,
  Scheduler,
  ServiceKey,
} from './service.ts'

/** The part of a virtual service that is programmed; name and notes live in the document alone. */
export const ServiceConfig = z.object({
  vip: z.string(),
  port: z.number().int(),
  protocol: Protocol,
  dataplane: DataplaneName,
  forwarding: ForwardingMethod,
  scheduler: Scheduler,
  announce: Announce,
  interface: z.string(),
  check: HealthCheck,
})
export const RealServerConfig = z.object({
  address: z.string(),
  port: z.number().int(),
  weight: z.number().int(),
  state: RealServerState,
})

const step = <K extends string, S extends z.ZodRawShape>(kind: K, shape: S) =>
  z.object({ kind: z.literal(kind), ...shape })

/** One reversible action on the director. Each carries before and after, so its inverse is known before it runs. */
export const Step = z.discriminatedUnion('kind', [
  step('dataplane.attach', { interface: z.string() }),
  step('dataplane.detach', { interface: z.string() }),
  step('service.add', { service: ServiceKey, after: ServiceConfig }),
  step('service.change', { service: ServiceKey, before: ServiceConfig, after: ServiceConfig }),
  step('service.remove', { service: ServiceKey, before: ServiceConfig }),
  step('realServer.add', { service: ServiceKey, after: RealServerConfig }),
  step('realServer.change', { service: ServiceKey, before: RealServerConfig, after: RealServerConfig }),
  step('realServer.remove', { service: ServiceKey, before: RealServerConfig }),
  step('vip.raise', { address: z.string(), interface: z.string(), announce: Announce }),
  step('vip.lower', { address: z.string(), interface: z.string(), announce: Announce }),
])

/** Order in which steps run; within one phase, the order of the plan. */
export const phases = ['prepare', 'add', 'raise', 'lower', 'remove', 'release'] as const
export const Phase = z.enum(phases)

/** A command that does the same on the named host; run as typed it leaves the same state. */
export const Command = z.object({
  /** `director`, or the address of a real server. */
  host: z.string(),
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
export type Step = z.infer<typeof Step>
export type StepKind = Step['kind']
export type Phase = z.infer<typeof Phase>
export type PlannedStep = z.infer<typeof PlannedStep>
export type Command = z.infer<typeof Command>
export type Plan = z.infer<typeof Plan>
