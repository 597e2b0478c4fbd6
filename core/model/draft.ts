import { z } from 'zod'
import { DirectorId, RealServerAccess } from './ssh.ts'

export const wizardSteps = ['what', 'mode', 'dataplane', 'addresses', 'hosts', 'review', 'prove'] as const

const Text = z.string().max(2000)

/** The new-service form as typed: text fields, since a half-typed address must survive a reload as it is. */
export const ServiceForm = z.strictObject({
  name: Text,
  port: Text,
  placement: z.enum(['sameNetwork', 'routed', 'otherSite']),
  needsClientAddress: z.boolean(),
  portsDiffer: z.boolean(),
  hasWindows: z.boolean(),
  forwarding: Text,
  dataplane: Text,
  scheduler: Text,
  announce: Text,
  interface: Text,
  vip: Text,
  allowOwnAddress: z.boolean(),
  check: z.strictObject({ type: z.enum(['tcp', 'none']), intervalMs: Text, timeoutMs: Text, rise: Text, fall: Text }),
  realServers: z
    .array(z.strictObject({ id: Text, address: Text, port: Text, weight: Text, name: Text, access: RealServerAccess }))
    .max(1000),
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
export type Draft = z.infer<typeof Draft>
