import { z } from 'zod'
import { ClusterSpec } from '../model/cluster-spec.ts'
import { Issue } from '../model/issue.ts'
import { Plan } from '../model/plan.ts'
import { ApplyResult, plainMessage } from '../model/revision.ts'
import { ServiceKey } from '../model/service.ts'
import { DirectorId } from '../model/ssh.ts'
import { method, stream } from './define.ts'
import { WireError } from './errors.ts'

/** More directors than one VIP can sensibly have. */
const maxDirectors = 16
const Directors = z.array(DirectorId).min(1).max(maxDirectors)

/** Where one director of a cluster stands in an apply. */
export const ClusterMember = z.object({
  directorId: DirectorId,
  phase: z.enum(['waiting', 'checking', 'checked', 'applying', 'applied', 'refused', 'failed', 'takingBack', 'takenBack']),
  plan: Plan.nullable(),
  result: ApplyResult.nullable(),
  /** Why it stopped here. */
  error: WireError.nullable(),
  issues: z.array(Issue),
})

/** A cluster's directors as one: checked on all, applied one after the other, taken back on all at the first failure. */
export const clusterMethods = {
  'clusters.plan': method({
    input: z.strictObject({
      directorIds: Directors,
      spec: ClusterSpec,
      adopt: z.array(ServiceKey).max(1000).default([]),
      drainSec: z.int().min(0).max(90).default(10),
    }),
    output: z.array(ClusterMember),
    timeoutMs: 60_000,
  }),
  /** Every item is the whole list; the stream ends when all are applied or all are as they were. */
  'clusters.apply': stream({
    input: z.strictObject({
      directorIds: Directors,
      spec: ClusterSpec,
      adopt: z.array(ServiceKey).max(1000).default([]),
      drainSec: z.int().min(0).max(90).default(10),
      /** Revision of each director that the operator saw. */
      baseRevisions: z.record(DirectorId, z.int().nonnegative()),
      confirmWithinSec: z.int().min(5).max(3600).nullable(),
      message: plainMessage.default(''),
    }),
    item: z.array(ClusterMember),
    access: 'change',
  }),
  /** Confirms, or takes back, what awaits it on each of these directors. */
  'clusters.settle': method({
    input: z.strictObject({ directorIds: Directors, decision: z.enum(['confirm', 'revert']) }),
    output: z.array(z.object({ directorId: DirectorId, error: WireError.nullable() })),
    timeoutMs: 180_000,
    access: 'change',
  }),
  /**
   * Makes one director carry the VIPs: first the others lower theirs, then it raises them. One that cannot be reached
   * stops it, unless the operator says that it is dead.
   */
  'clusters.failover': method({
    input: z.strictObject({ directorIds: Directors, to: DirectorId, evenWithout: z.array(DirectorId).max(maxDirectors) }),
    output: z.array(z.object({ directorId: DirectorId, role: z.enum(['active', 'standby']), error: WireError.nullable() })),
    timeoutMs: 180_000,
    access: 'change',
  }),
} as const

export type ClusterMember = z.infer<typeof ClusterMember>
