import { useMemo } from 'react'
import type { DirectorState } from '../../core/contract/agent.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { useDirectorState } from '../store/selectors.ts'
import { type PendingChange, useChange } from './change-store.ts'
import { mergeSpec } from './merge.ts'

/** Another document than the one that was edited is in force by now; null is a director that has not said yet. */
export const isOutdated = (change: PendingChange, state: DirectorState | null): state is DirectorState =>
  state !== null && (state.revision !== change.baseRevision || state.digest !== change.baseDigest)

/** What a change starts from and leads to: on an outdated base with its edits put on the newest revision. */
export function useOnNewest(
  directorId: string,
  change: PendingChange | undefined,
): { readonly before: ClusterSpec; readonly after: ClusterSpec } | null {
  const state = useDirectorState(directorId)
  return useMemo(() => {
    if (change === undefined) return null
    // While it is applied the director's state changes under it: what was reviewed stays.
    if (change.isApplying || !isOutdated(change, state)) return { before: change.base, after: change.spec }
    return { before: state.spec, after: mergeSpec(change.base, change.spec, state.spec).spec }
  }, [change, state])
}

/** The document as the pending change will have it; null where nothing is pending. */
export function usePendingSpec(directorId: string): ClusterSpec | null {
  const change = useChange((s) => s.pending[directorId])
  return useOnNewest(directorId, change)?.after ?? null
}
