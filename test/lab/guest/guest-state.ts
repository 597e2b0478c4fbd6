/** State directories of guests, and what remains of those whose owner has died. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { isRunning, type ProcessIdentity, processIdentity, signalProcess } from '../process-identity.ts'

const prefix = 'signalbox-guest-'

/** A directory without a record may belong to an owner that is just starting. */
const graceMs = 60_000

const Identity = z.object({ pid: z.number().int().positive(), startTime: z.string() })
const GuestRecord = z.object({ owner: Identity, machine: Identity.optional() })

/** Makes the directory of a new guest of this process. */
export const makeStateDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), prefix))
  writeGuestRecord(dir, undefined)
  return dir
}

/** Notes which process is the guest's machine. */
export const writeGuestRecord = (dir: string, machine: ProcessIdentity | undefined): void => {
  const owner = processIdentity(process.pid)
  if (owner === undefined) throw new Error('/proc is not mounted')
  writeFileSync(join(dir, 'guest.json'), JSON.stringify({ owner, machine }), { mode: 0o600 })
}

export const removeGuestDir = (dir: string): void => {
  if (!basename(dir).startsWith(prefix)) throw new Error(`${dir} is not the state directory of a guest`)
  rmSync(dir, { recursive: true, force: true })
}

const readRecord = (dir: string): z.infer<typeof GuestRecord> | undefined => {
  try {
    return GuestRecord.parse(JSON.parse(readFileSync(join(dir, 'guest.json'), 'utf8')))
  } catch {
    return undefined
  }
}

/** Removes machines and directories of guests whose owner is dead; returns one line for each. */
export const sweepGuests = (): string[] => {
  const removed: string[] = []
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const dir = join(tmpdir(), name)
    const record = readRecord(dir)
    if (record === undefined) {
      const changedAtMs = statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
      if (Date.now() - changedAtMs < graceMs) continue
    } else {
      if (isRunning(record.owner)) continue
      if (record.machine !== undefined && isRunning(record.machine)) {
        signalProcess(record.machine, 'SIGKILL')
        removed.push(`process ${record.machine.pid}`)
      }
    }
    removeGuestDir(dir)
    removed.push(`directory ${dir}`)
  }
  return removed
}
