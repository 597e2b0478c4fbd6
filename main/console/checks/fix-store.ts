import { z } from 'zod'
import { AppliedFix, type Fix } from '../../../core/diagnosis/finding.ts'
import type { ClockPort, StorePort } from '../ports.ts'

const Document = z.object({ version: z.literal(1), fixes: z.array(AppliedFix) })

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
  let fixes: AppliedFix[] | null = null
  let queue: Promise<unknown> = Promise.resolve()

  /** One at a time: each change starts from the last one's result. */
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work)
    queue = result.catch(() => {})
    return result
  }
  const load = async (): Promise<AppliedFix[]> => {
    fixes ??= await read()
    return fixes
  }
  const read = async (): Promise<AppliedFix[]> => {
    const setAside = async (reason: string): Promise<AppliedFix[]> => {
      log(`The list of applied fixes cannot be read (${reason}); it was put aside as ${await store.setAside('fixes')}.`)
      return []
    }
    let document: unknown
    try {
      document = await store.read('fixes')
    } catch (error) {
      return setAside(error instanceof Error ? error.message : String(error))
    }
    if (document === undefined) return []
    const parsed = Document.safeParse(document)
    return parsed.success ? parsed.data.fixes : setAside('it does not have the expected form')
  }
  const change = (edit: (fixes: readonly AppliedFix[]) => AppliedFix[]): Promise<void> =>
    exclusively(async () => {
      const changed = edit(await load())
      await store.write('fixes', { version: 1, fixes: changed })
      fixes = changed
    })

  return {
    list: (directorId) => exclusively(async () => (await load()).filter((fix) => fix.directorId === directorId)),
    add: async (directorId, service, fix) => {
      const appliedAtMs = clock.nowMs()
      let added: AppliedFix | null = null
      await change((before) => {
        const stem = `${fix.id}#${appliedAtMs}`
        const twins = before.filter(({ id }) => id === stem || id.startsWith(`${stem}.`)).length
        added = { id: twins === 0 ? stem : `${stem}.${twins}`, directorId, fix, service, appliedAtMs, undoneAtMs: null }
        return [...before, added]
      })
      return added as unknown as AppliedFix
    },
    drop: (id) => change((before) => before.filter((fix) => fix.id !== id)),
    markUndone: (id) =>
      change((before) => before.map((fix) => (fix.id === id ? { ...fix, undoneAtMs: clock.nowMs() } : fix))),
  }
}
