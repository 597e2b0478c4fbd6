import { create } from 'zustand'
import type { DirectorState } from '../../core/contract/agent.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import type { ApplyResult } from '../../core/model/revision.ts'
import { type WireError, toWireError } from '../../core/contract/errors.ts'
import { useConsole } from '../store/console-store.ts'
import { applySpec, errorOfFailure } from './apply-spec.ts'
import { confirmSeconds, defaultConfirmWithin, defaultDrainSec, drainSeconds } from './confirm-time.ts'
import { mergeSpec } from './merge.ts'

/** Edits of one director's document that are not applied yet. Survives a change of view. */
export interface PendingChange {
  /** Revision that the operator saw when the first edit was made. */
  readonly baseRevision: number
  /** Of that revision's document: another director by the same name may count the same. */
  readonly baseDigest: string
  readonly base: ClusterSpec
  readonly spec: ClusterSpec
  /** Keys of services that somebody else set up and that the change takes over. */
  readonly adopt: readonly string[]
  /** Directors of the cluster that it leaves out, because they cannot be reached. */
  readonly without: readonly string[]
  readonly message: string
  /** Seconds as typed, see confirm-time.ts. */
  readonly confirmWithinSec: string
  /** Seconds as typed that removed real servers may drain. */
  readonly drainSec: string
  readonly isApplying: boolean
  readonly error: WireError | null
}

interface ChangeState {
  readonly pending: Readonly<Record<string, PendingChange>>
  /** Director whose review is open. */
  readonly reviewOf: string | null
}

export const useChange = create<ChangeState>(() => ({ pending: {}, reviewOf: null }))

function put(directorId: string, change: PendingChange | null): void {
  useChange.setState(({ pending, reviewOf }) => {
    const rest = Object.fromEntries(Object.entries(pending).filter(([id]) => id !== directorId))
    return {
      pending: change === null ? rest : { ...rest, [directorId]: change },
      reviewOf: change === null && reviewOf === directorId ? null : reviewOf,
    }
  })
}

const isSame = (a: ClusterSpec, b: ClusterSpec): boolean => JSON.stringify(a) === JSON.stringify(b)

/**
 * Edits the pending document of a director; the first edit starts from the newest revision. An edit that leads back to
 * the base ends the change.
 */
export function editSpec(directorId: string, edit: (spec: ClusterSpec) => ClusterSpec): void {
  const state = useConsole.getState().data[directorId]?.state
  const before = useChange.getState().pending[directorId]
  if (before?.isApplying === true) return
  const change = before ?? (state === null || state === undefined ? undefined : changeOf(state))
  if (change === undefined) return
  const spec = edit(change.spec)
  if (isSame(spec, change.base)) return put(directorId, null)
  put(directorId, { ...change, spec, isApplying: false, error: null })
}

/** A change that changes nothing yet. */
const changeOf = ({ revision, digest, spec }: DirectorState): PendingChange => ({
  baseRevision: revision,
  baseDigest: digest,
  base: spec,
  spec,
  adopt: [],
  without: [],
  message: '',
  confirmWithinSec: defaultConfirmWithin,
  drainSec: defaultDrainSec,
  isApplying: false,
  error: null,
})

/** Replaces the whole pending document: import, roll back. */
export function proposeSpec(directorId: string, spec: ClusterSpec, message = ''): void {
  editSpec(directorId, () => spec)
  updateChange(directorId, { message })
}

/** Proposes a document that takes over services of somebody else, beside what is pending. */
export function proposeAdoption(
  directorId: string,
  keys: readonly string[],
  edit: (spec: ClusterSpec) => ClusterSpec,
): void {
  editSpec(directorId, edit)
  const change = useChange.getState().pending[directorId]
  if (change === undefined) return
  put(directorId, { ...change, adopt: [...new Set([...change.adopt, ...keys])] })
}

/**
 * Proposes the newest document as it is: what the kernel has in another way comes back, and other directors of the
 * cluster get it. Not while edits are pending: they would be lost for it.
 */
export function proposeRestore(directorId: string, message: string): void {
  const state = useConsole.getState().data[directorId]?.state
  if (state === null || state === undefined) return
  const before = useChange.getState().pending[directorId]
  if (before !== undefined && (before.isApplying || !isSame(before.base, before.spec))) return
  put(directorId, { ...changeOf(state), message })
}

/** True where edits of this director's document wait for their review. */
export const useHasEdits = (directorId: string): boolean =>
  useChange(({ pending }) => {
    const change = pending[directorId]
    return change !== undefined && !isSame(change.base, change.spec)
  })

export function updateChange(
  directorId: string,
  fields: Partial<Pick<PendingChange, 'message' | 'confirmWithinSec' | 'drainSec' | 'without' | 'error'>>,
): void {
  const before = useChange.getState().pending[directorId]
  if (before !== undefined) put(directorId, { ...before, ...fields })
}

export function discardChange(directorId: string): void {
  put(directorId, null)
}

export function openReview(directorId: string): void {
  useChange.setState({ reviewOf: directorId })
}

export function closeReview(): void {
  useChange.setState({ reviewOf: null })
}

/** Moves the edits onto the newest revision; what both changed is returned, the operator's values are kept. */
export function rebaseChange(directorId: string): void {
  const before = useChange.getState().pending[directorId]
  const state = useConsole.getState().data[directorId]?.state
  if (before === undefined || state === null || state === undefined) return
  const { spec } = mergeSpec(before.base, before.spec, state.spec)
  if (isSame(spec, state.spec) && !isSame(before.base, before.spec)) return put(directorId, null)
  const { baseRevision, baseDigest, base } = changeOf(state)
  put(directorId, { ...before, baseRevision, baseDigest, base, spec, error: null })
}

/**
 * Applies the pending change. On success it is gone from here: what runs then lives in the agent. On any failure the
 * edits stay as they were, with the error beside them.
 */
export async function applyChange(directorId: string): Promise<ApplyResult | null> {
  const change = useChange.getState().pending[directorId]
  if (change === undefined || change.isApplying) return null
  const confirmWithinSec = confirmSeconds(change.confirmWithinSec)
  const drainSec = drainSeconds(change.drainSec)
  if (confirmWithinSec === undefined || drainSec === undefined) return null
  put(directorId, { ...change, isApplying: true, error: null })
  try {
    const result = await applySpec(directorId, {
      spec: change.spec,
      baseRevision: change.baseRevision,
      confirmWithinSec,
      drainSec,
      message: change.message,
      adopt: change.adopt,
      without: change.without,
    })
    if (result.failure === null) {
      put(directorId, null)
      return result
    }
    put(directorId, { ...change, isApplying: false, error: errorOfFailure(result.failure) })
    return result
  } catch (error) {
    put(directorId, { ...change, isApplying: false, error: toWireError(error) })
    return null
  }
}
