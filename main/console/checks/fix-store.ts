import { z } from 'zod'
import { AppliedFix, type Fix } from '../../../core/diagnosis/finding.ts'
import { storedDocument } from '../documents.ts'
import type { ClockPort, StorePort } from '../ports.ts'

/**
 * Fixes that were carried out, with what takes them back, in the order in which they were made. A record is written
 * before its first command runs: a console that dies in between still knows how to undo.
 */
export interface FixStore {
  /** Oldest first. */
  list(directorId: string): Promise<AppliedFix[]>
  add(directorId: string, service: string, fix: Fix): Promise<AppliedFix>
  /** Takes a record away: its fix failed, and what it had done was undone. */
  drop(id: string): Promise<void>
  markUndone(id: string): Promise<void>
}

export function createFixStore(store: StorePort, clock: ClockPort, log: (line: string) => void): FixStore {
  const document = storedDocument(store, 'fixes', z.array(AppliedFix), [], log)
  return {
    list: async (directorId) => (await document.read()).filter((fix) => fix.directorId === directorId),
    add: async (directorId, service, fix) => {
      const appliedAtMs = clock.nowMs()
      const stem = `${directorId}/${fix.id}#${appliedAtMs}`
      const after = await document.update((before) => {
        const twins = before.filter(({ id }) => id === stem || id.startsWith(`${stem}.`)).length
        const id = twins === 0 ? stem : `${stem}.${twins}`
        return [...before, { id, directorId, fix, service, appliedAtMs, undoneAtMs: null }]
      })
      return after.at(-1) as AppliedFix
    },
    drop: async (id) => {
      await document.update((before) => before.filter((fix) => fix.id !== id))
    },
    markUndone: async (id) => {
      const undoneAtMs = clock.nowMs()
      await document.update((before) => before.map((fix) => (fix.id === id ? { ...fix, undoneAtMs } : fix)))
    },
  }
}
