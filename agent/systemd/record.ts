import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { paths } from './host.ts'

const SetupRecord = z.object({
  /** Groups that were not there before. */
  groups: z.array(z.string()).default([]),
  /** Files and links that were not there before. */
  files: z.array(z.string()).default([]),
})
/** What `setup` put onto this host, and `teardown` may therefore take away. */
export type SetupRecord = z.infer<typeof SetupRecord>

export function readRecord(): SetupRecord {
  try {
    return SetupRecord.parse(JSON.parse(readFileSync(paths.record, 'utf8')))
  } catch {
    return { groups: [], files: [] }
  }
}

/** Before the thing itself is made, so that nothing of ours is ever forgotten. */
export function note(record: SetupRecord): void {
  mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 })
  writeFileSync(paths.record, `${JSON.stringify(record)}\n`, { mode: 0o600 })
}
