import { type ClusterJob, isJobOver } from '../../core/contract/clusters.ts'
import { AppError, fromWireError, type WireError } from '../../core/contract/errors.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import type { ApplyFailure, ApplyResult } from '../../core/model/revision.ts'
import { client } from '../connection/client.ts'
import { clusterIds } from '../store/cluster.ts'
import { useConsole } from '../store/console-store.ts'

/** What an apply is asked for with; shared by the review, the wizard and the import. */
export interface ApplyOptions {
  readonly spec: ClusterSpec
  readonly baseRevision: number
  readonly confirmWithinSec: number | null
  /** Left out: the agent's own word. */
  readonly drainSec?: number
  readonly message: string
  readonly adopt?: readonly string[]
  /** Directors of the cluster that do not get it. */
  readonly without?: readonly string[]
}

/**
 * Sends one document to the director, and to all others of its cluster. Answers when its steps are done or rolled back;
 * throws what refused it.
 */
export function applySpec(directorId: string, options: ApplyOptions): Promise<ApplyResult> {
  const ids = clusterIds(directorId, options.without)
  return ids.length > 1 ? applyToCluster(directorId, ids, options) : applyToOne(directorId, options)
}

/** A failed apply as an error to show. */
export const errorOfFailure = ({ message, errno }: ApplyFailure): WireError => ({
  code: 'KERNEL',
  message,
  details: errno === null ? {} : { errno },
})

function applyToOne(directorId: string, options: ApplyOptions): Promise<ApplyResult> {
  const profile = useConsole.getState().directors?.find((entry) => entry.profile.id === directorId)?.profile
  return client.call('director.cluster.apply', {
    directorId,
    input: {
      spec: options.spec,
      baseRevision: options.baseRevision,
      confirmWithinSec: options.confirmWithinSec,
      drainSec: options.drainSec,
      message: options.message,
      adopt: [...(options.adopt ?? [])],
      author: { user: profile?.target.user ?? '', via: 'console', from: window.location.hostname },
    },
  })
}

/**
 * Applies one document to all directors of a cluster, in this order. What `directorId` answered is the answer where all
 * have it; else the error of the director that stopped it. The apply goes on in the console should the page go away.
 */
async function applyToCluster(
  directorId: string,
  directorIds: readonly string[],
  { spec, baseRevision, confirmWithinSec, drainSec, message, adopt = [] }: ApplyOptions,
): Promise<ApplyResult> {
  const { data } = useConsole.getState()
  const known = Object.fromEntries(directorIds.map((id) => [id, data[id]?.state?.revision ?? 0]))
  const jobs = client.stream('clusters.apply', {
    directorIds: [...directorIds],
    spec,
    adopt: [...adopt],
    baseRevisions: { ...known, [directorId]: baseRevision },
    confirmWithinSec,
    drainSec,
    message,
  })
  let last: ClusterJob | undefined
  for await (const job of jobs) last = job
  if (last === undefined || !isJobOver(last)) {
    throw new AppError('CLOSED', 'The connection to the console was lost; the apply goes on there.', {
      retryable: true,
    })
  }
  const own = last.members.find((member) => member.directorId === directorId)
  if (last.state === 'applied' && own?.result !== null && own?.result !== undefined) return own.result
  throw whyNot(last)
}

/** Who stopped it: a director that failed comes before those that could not be taken back afterwards. */
function whyNot({ members }: ClusterJob): AppError {
  const stopped =
    members.find(({ phase, error }) => error !== null && (phase === 'refused' || phase === 'failed')) ??
    members.find(({ error }) => error !== null)
  if (stopped === undefined || stopped.error === null) {
    return new AppError('INTERNAL', 'The apply ended without saying why.')
  }
  return fromWireError(stopped.error)
}
