import { z } from 'zod'
import { DirectorId } from './ssh.ts'

export const wizardSteps = ['what', 'mode', 'dataplane', 'addresses', 'hosts', 'review', 'prove'] as const

const Text = z.string().max(2000)
const Flag = z.boolean()

const TunnelForm = z.strictObject({ type: Text, port: Text, checksum: Text })

/**
 * A real server as typed; empty fields stand for what the service says. Not strict: stored drafts may still hold how the
 * host is reached, which is no matter of one service.
 */
const RealServerForm = z.object({
  id: Text,
  address: Text,
  port: Text,
  weight: Text,
  name: Text,
  forwarding: Text.default(''),
  upperThreshold: Text.default(''),
  lowerThreshold: Text.default(''),
  /** Of one that is reached by tunnel; without a type it is the service's. */
  tunnel: TunnelForm.default({ type: '', port: '', checksum: 'nocsum' }),
})

const PersistenceForm = z.strictObject({
  isOn: Flag,
  timeoutSec: Text,
  /** Empty: each address by itself. */
  prefixLength: Text,
  isSip: Flag,
})

/**
 * The new-service form as typed: text fields, since a half-typed address must survive a reload as it is. Fields with a
 * default came later than the first stored drafts, which must still open.
 */
export const ServiceForm = z.strictObject({
  name: Text,
  /** What tells the service's packets: its VIP, protocol and port, or a mark of netfilter. */
  matchBy: z.enum(['address', 'fwmark']).default('address'),
  protocol: z.enum(['tcp', 'udp', 'sctp']).default('tcp'),
  port: Text,
  fwmark: Text.default(''),
  /** Of a service by mark; else the VIP tells. */
  family: z.enum(['ipv4', 'ipv6']).default('ipv4'),
  placement: z.enum(['sameNetwork', 'routed', 'otherSite']),
  needsClientAddress: Flag,
  portsDiffer: Flag,
  hasWindows: Flag,
  forwarding: Text,
  dataplane: Text,
  scheduler: Text,
  schedulerFlags: z
    .array(z.enum(['fallback', 'port']))
    .max(2)
    .default([]),
  persistence: PersistenceForm.default({ isOn: false, timeoutSec: '300', prefixLength: '', isSip: false }),
  onePacket: Flag.default(false),
  tunnel: TunnelForm.default({ type: 'ipip', port: '6080', checksum: 'nocsum' }),
  localAddresses: z.array(Text).max(64).default([]),
  announce: Text,
  interface: Text,
  vip: Text,
  allowOwnAddress: Flag,
  check: z.strictObject({ type: z.enum(['tcp', 'none']), intervalMs: Text, timeoutMs: Text, rise: Text, fall: Text }),
  realServers: z.array(RealServerForm).max(1000),
  drainSec: Text.default('10'),
  confirmWithinSec: Text,
  message: Text,
})

/** A service in the making; kept by the console core, so it survives a reload and a restart. */
export const Draft = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]{1,64}$/),
  directorId: DirectorId,
  step: z.enum(wizardSteps),
  form: ServiceForm,
  /** Rows that the operator chose to go on without, as `rule@host`. */
  accepted: z.array(z.string().max(128)).max(5000),
  /** Revision that this draft was applied as; the wizard comes back to its countdown. */
  appliedRevision: z.int().nullable(),
  updatedAtMs: z.number(),
})

export type WizardStep = (typeof wizardSteps)[number]
export type ServiceForm = z.infer<typeof ServiceForm>
export type RealServerForm = z.infer<typeof RealServerForm>
export type Draft = z.infer<typeof Draft>
