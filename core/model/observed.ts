import { z } from 'zod'
import {
  Announce,
  DataplaneName,
  ForwardingMethod,
  HealthCheck,
  Protocol,
  RealServerState,
  Scheduler,
} from './service.ts'

/** A real server as the dataplane has it now. */
export const ObservedRealServer = z.object({
  address: z.string(),
  port: z.number().int(),
  weight: z.number().int(),
  state: RealServerState,
  /** What health checking last told the dataplane; a real server without a check is up. */
  isUp: z.boolean(),
})

/** A virtual service as the dataplane has it now. */
export const ObservedService = z.object({
  vip: z.string(),
  port: z.number().int(),
  protocol: Protocol,
  dataplane: DataplaneName,
  forwarding: ForwardingMethod,
  scheduler: Scheduler,
  announce: Announce,
  /** Ingress interface that the service was programmed for. */
  interface: z.string(),
  check: HealthCheck,
  realServers: z.array(ObservedRealServer),
  /** First 16 hex digits of SHA-256 over the ring's slots by server key; equal on all directors that agree. */
  ringDigest: z.string(),
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

export const DataplaneHook = z.enum(['tcx', 'xdp-native', 'xdp-generic'])

/** An interface that the dataplane is attached to. */
export const ObservedAttachment = z.object({
  interface: z.string(),
  hook: DataplaneHook,
  /** Why this hook and not another, one English sentence. */
  reason: z.string(),
  /** Names of other programs found on the same interface. */
  foreignPrograms: z.array(z.string()),
})

export const ObservedState = z.object({
  services: z.array(ObservedService),
  vips: z.array(ObservedVip),
  attachments: z.array(ObservedAttachment),
})

export type ObservedRealServer = z.infer<typeof ObservedRealServer>
export type ObservedService = z.infer<typeof ObservedService>
export type ObservedVip = z.infer<typeof ObservedVip>
export type DataplaneHook = z.infer<typeof DataplaneHook>
export type ObservedAttachment = z.infer<typeof ObservedAttachment>
export type ObservedState = z.infer<typeof ObservedState>
