import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../core/contract/errors.ts'
import { tryLock } from './kernel/syscall.ts'

const lockFile = 'lock'

/** Process that claimed the directory last, whether it still runs or not; null where none ever did. */
export function lastClaimant(stateDir: string): number | null {
  try {
    const pid = Number(readFileSync(join(stateDir, lockFile), 'utf8'))
    return Number.isInteger(pid) && pid > 1 ? pid : null
  } catch {
    return null
  }
}

/**
 * Makes sure that one agent alone writes a state directory; the kernel lets go of the lock when the process ends, however
 * it ends. Returns the function that gives it back. Throws AppError REFUSED where another agent has it.
 */
export function claim(stateDir: string): () => void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const fd = openSync(join(stateDir, lockFile), 'a', 0o600)
  if (tryLock(fd)) {
    ftruncateSync(fd)
    writeSync(fd, `${process.pid}\n`)
    return () => closeSync(fd)
  }
  closeSync(fd)
  throw new AppError('REFUSED', `Another agent works with ${stateDir}.`)
}
