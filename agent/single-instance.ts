import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../core/contract/errors.ts'
import { tryLock } from './kernel/syscall.ts'

/**
 * Makes sure that one agent alone writes a state directory; the kernel lets go of the lock when the process ends, however
 * it ends. Returns the function that gives it back. Throws AppError REFUSED where another agent has it.
 */
export function claim(stateDir: string): () => void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const fd = openSync(join(stateDir, 'lock'), 'a', 0o600)
  if (tryLock(fd)) return () => closeSync(fd)
  closeSync(fd)
  throw new AppError('REFUSED', `Another agent works with ${stateDir}.`)
}
