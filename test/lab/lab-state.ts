import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { isRunning } from './process-identity.ts'

/** Prefix of the state directories in the temporary directory; the number of the lab follows. */
export const statePrefix = 'signalbox-lab-'
/** Prefix of the one link that a lab has on the machine; the number of the lab follows. */
export const linkPrefix = 'sblab'

const Identity = z.object({ pid: z.number().int().positive(), startTime: z.string() })

/** `lab.json`: whose lab it is and what to remove or to enter. */
export const LabRecord = z.object({
  /** 0 to 511; chooses the subnets, the link and the state directory. */
  number: z.number().int().min(0).max(511),
  owner: Identity,
  link: z.string(),
  /** Roots of the process trees. */
  processes: z.array(Identity),
  /** Process 1 of each host as the machine sees it: what `nsenter --target` takes. */
  hosts: z.record(z.string(), z.number().int().positive()),
  /** What `cli.ts list` prints; absent until the lab is up. */
  summary: z.record(z.string(), z.unknown()).optional(),
})
export type LabRecord = z.infer<typeof LabRecord>

export const stateDirOf = (number: number): string => join(tmpdir(), `${statePrefix}${number}`)

/** Takes the number of a lab for this process: false when another lab has it. The directory is the reservation. */
export const reserveStateDir = (dir: string): boolean => {
  try {
    mkdirSync(dir, { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Replaces `lab.json` in one step, so that a reader never sees half of it. */
export const writeRecord = (dir: string, record: LabRecord): void => {
  const next = join(dir, 'lab.json.next')
  writeFileSync(next, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  renameSync(next, join(dir, 'lab.json'))
}

export interface FoundState {
  readonly dir: string
  /** Undefined when `lab.json` is missing or damaged: its owner died, or has not written it yet. */
  readonly record: LabRecord | undefined
}

/** All state directories of labs below the temporary directory. */
export const findStates = (): FoundState[] =>
  readdirSync(tmpdir())
    .filter((name) => name.startsWith(statePrefix))
    .map((name) => {
      const dir = join(tmpdir(), name)
      try {
        return { dir, record: LabRecord.parse(JSON.parse(readFileSync(join(dir, 'lab.json'), 'utf8'))) }
      } catch {
        return { dir, record: undefined }
      }
    })

export const isOwned = (record: LabRecord): boolean => isRunning(record.owner)

/** Removes a state directory; refuses a path that is none. */
export const removeStateDir = (dir: string): void => {
  if (!basename(dir).startsWith(statePrefix)) throw new Error(`${dir} is not the state directory of a lab`)
  rmSync(dir, { recursive: true, force: true })
}
