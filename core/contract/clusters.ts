import { z } from 'zod'
import { ClusterSpec } from '../model/cluster-spec.ts'
import { Plan } from '../model/plan.ts'
import { ApplyResult, plainMessage, UtcMs } from '../model/revision.ts'
import { ServiceKey } from '../model/service.ts'
import { DirectorId } from '../model/ssh.ts'
import { ConfirmWithinSec } from './agent.ts'
import { method, stream } from './define.ts'
import { WireError } from './errors.ts'

/** More directors than one VIP can sensibly have. */
const maxDirectors = 16
const Directors = z.array(DirectorId).min(1).max(maxDirectors)

const change = {
  /** In the order in which they are applied: the standby ones first, so that a mistake shows where no traffic is. */
  directorIds: Directors,
  spec: ClusterSpec,
  adopt: z.array(ServiceKey).max(1000).default([]),
  drainSec: z.int().min(0).max(90).default(10),
}

/** What one director has to say to a document: its plan, or why not. */
export const ClusterCheck = z.object({
  directorId: DirectorId,
  plan: Plan.nullable(),
  error: WireError.nullable(),
})

/** Where one director stands in an apply. */
export const memberPhases = [
  'waiting',
  'checking',
  'checked',
  /** Its check failed: nothing was applied anywhere. */
  'refused',
  'applying',
  'applied',
  /** It was being applied here when it failed; `error` says why. */
  'failed',
  'takingBack',
  'takenBack',
  /** It has the new document still, or nobody knows; `error` says why. */
  'notTakenBack',
] as const
export const ClusterMember = z.object({
  directorId: DirectorId,
  phase: z.enum(memberPhases),
  /** Steps of its plan; null until it is checked. */
  steps: z.number().int().nullable(),
  result: ApplyResult.nullable(),
  /** Why it stopped here, or why it could not be taken back. Its message names the director. */
  error: WireError.nullable(),
})

/** One apply to several directors. It lives in the console core and ends by itself, whoever watches it. */
export const ClusterJob = z.object({
  id: z.string(),
  state: z.enum(['checking', 'applying', 'takingBack', 'refused', 'applied', 'takenBack', 'notTakenBack']),
  message: plainMessage,
  confirmWithinSec: z.int().nullable(),
  /** By the workstation's clock. */
  startedAtMs: UtcMs,
  /** In the order in which they are applied. */
  members: z.array(ClusterMember),
})

/** A cluster's directors as one: checked on all, applied one after the other, taken back on all at the first failure. */
export const clusterMethods = {
  'clusters.plan': method({ input: z.strictObject(change), output: z.array(ClusterCheck), timeoutMs: 60_000 }),
  /**
   * The stream ends when all are applied or all are as they were. To stop reading it neither stops nor confirms
   * anything: `clusters.watch` shows it again.
   */
  'clusters.apply': stream({
    input: z.strictObject({
      ...change,
      /** Revision of each director that the operator saw. */
      baseRevisions: z.record(DirectorId, z.int().nonnegative()),
      confirmWithinSec: ConfirmWithinSec.nullable(),
      message: plainMessage.default(''),
    }),
    item: ClusterJob,
    access: 'change',
  }),
  /** Every apply that runs, and the last one of each cluster that ended; pushed whole on each change. */
  'clusters.watch': stream({ input: z.strictObject({}), item: z.array(ClusterJob) }),
  /**
   * Confirms, or takes back, what awaits it on each of these directors. Confirms none where one of them cannot be
   * reached or awaits nothing: half a confirmation is two documents in one cluster.
   */
  'clusters.settle': method({
    input: z.strictObject({ directorIds: Directors, decision: z.enum(['confirm', 'revert']) }),
    output: z.array(
      z.object({
        directorId: DirectorId,
        outcome: z.enum(['confirmed', 'reverted', 'untouched']),
        error: WireError.nullable(),
      }),
    ),
    timeoutMs: 180_000,
    access: 'change',
  }),
  /**
   * Makes one director carry the VIPs: first the others lower theirs, then it raises them. One that cannot be reached
   * stops it before anything is done, unless the operator says that it is dead: then a VIP may have two owners for as
   * long as it is not. Where a step fails, who was active before is made active again.
   */
  'clusters.failover': method({
    input: z.strictObject({
      directorIds: Directors,
      to: DirectorId,
      evenWithout: z.array(DirectorId).max(maxDirectors),
    }),
    output: z.array(
      z.object({
        directorId: DirectorId,
        /** As it was last told; null where nobody knows. */
        role: z.enum(['active', 'standby']).nullable(),
        error: WireError.nullable(),
      }),
    ),
    timeoutMs: 180_000,
    access: 'change',
  }),
} as const

export type ClusterCheck = z.infer<typeof ClusterCheck>
export type ClusterMember = z.infer<typeof ClusterMember>
export type ClusterJob = z.infer<typeof ClusterJob>

/** True where nothing of it runs any more. */
export const isJobOver = ({ state }: ClusterJob): boolean =>
  state !== 'checking' && state !== 'applying' && state !== 'takingBack'
