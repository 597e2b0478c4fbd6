import { z } from 'zod'
import { ClusterSpec } from './cluster-spec.ts'
import { Step } from './plan.ts'
import { plainText } from './service.ts'

/** Milliseconds since 1970 in UTC by the named host's clock. */
export const UtcMs = z.number()

/** Who asked for a change, as far as they say: the SSH user, the workstation, the program. */
export const Author = z.object({
  user: plainText(64),
  /** `console` or `cli`. */
  via: z.enum(['console', 'cli']),
  /** Workstation's name or address. */
  from: plainText(255),
})

/** What a change is for, in the operator's words. */
export const plainMessage = plainText(500)

export const RevisionOutcome = z.enum(['applying', 'unconfirmed', 'confirmed', 'reverted', 'failed'])
/** Why a revision was taken back. */
export const RevertReason = z.enum(['operator', 'deadline', 'step-failed', 'agent-restarted'])

/** One accepted document, without the document itself. */
export const RevisionSummary = z.object({
  revision: z.number().int().nonnegative(),
  /** Digest of the document: 16 hex digits. */
  digest: z.string(),
  author: Author,
  message: plainMessage,
  atMs: UtcMs,
  outcome: RevisionOutcome,
  revertReason: RevertReason.nullable(),
  /** Keys of the services that the change touched. */
  touched: z.array(z.string()),
})
export const Revision = RevisionSummary.extend({ spec: ClusterSpec })

/** An apply as it runs or waits for its confirmation. Lives in the agent: no console needs to be there. */
export const ApplyProgress = z.object({
  revision: z.number().int(),
  author: Author,
  message: plainMessage,
  phase: z.enum(['applying', 'awaiting-confirmation', 'reverting']),
  stepsDone: z.number().int(),
  steps: z.array(Step),
  startedAtMs: UtcMs,
  /** By the agent's monotonic clock; null while steps run or where no confirmation was asked for. */
  remainingMs: z.number().nullable(),
  /** The director's wall clock at which it reverts by itself. */
  revertsAtMs: UtcMs.nullable(),
})

/** What refused or broke an apply, at which step, and what was done about it. */
export const ApplyFailure = z.object({
  revision: z.number().int(),
  stepIndex: z.number().int(),
  step: Step.nullable(),
  /** Errno by name where the kernel said no, e.g. `EEXIST`. */
  errno: z.string().nullable(),
  message: z.string(),
  rolledBack: z.boolean(),
})

export const ApplyResult = z.object({
  revision: z.number().int(),
  outcome: RevisionOutcome,
  failure: ApplyFailure.nullable(),
  /** Steps that a fresh plan still wants after applying; not empty = drift, never success. */
  drift: z.array(Step),
})

export type Author = z.infer<typeof Author>
export type RevisionSummary = z.infer<typeof RevisionSummary>
export type RevisionOutcome = z.infer<typeof RevisionOutcome>
export type RevertReason = z.infer<typeof RevertReason>
export type Revision = z.infer<typeof Revision>
export type ApplyProgress = z.infer<typeof ApplyProgress>
export type ApplyFailure = z.infer<typeof ApplyFailure>
export type ApplyResult = z.infer<typeof ApplyResult>
