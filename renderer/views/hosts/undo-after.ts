import { create } from 'zustand'

/** Fixes that are to be taken back once the removal of their service has been applied and kept. */
export interface UndoAfter {
  readonly directorId: string
  readonly service: string
  readonly ids: readonly string[]
}

export const useUndoAfter = create<{ readonly wanted: readonly UndoAfter[] }>(() => ({ wanted: [] }))

export const undoAfter = {
  /** Replaces what was wanted for this service; an empty list wants nothing. */
  set(directorId: string, service: string, ids: readonly string[]): void {
    useUndoAfter.setState(({ wanted }) => {
      const others = wanted.filter((one) => one.directorId !== directorId || one.service !== service)
      return { wanted: ids.length === 0 ? others : [...others, { directorId, service, ids }] }
    })
  },
}
