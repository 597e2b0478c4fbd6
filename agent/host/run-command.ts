import { spawn, spawnSync } from 'node:child_process'
import { AppError } from '../../core/contract/errors.ts'

/** Runs a program to its end, without a shell. Throws AppError REFUSED with its stderr where it fails. */
export function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  })
  if (error === undefined && status === 0) return stdout
  const why = error === undefined ? stderr.trim() || `it ended with ${status}` : error.message
  throw new AppError('REFUSED', `${[command, ...args].join(' ')} failed: ${why}`, { details: { stderr } })
}

/** Starts a program that outlives this one; its output goes to an open file. */
export function startDetached(command: string, args: readonly string[], logFd: number): number {
  const child = spawn(command, args, { detached: true, cwd: '/', stdio: ['ignore', logFd, logFd] })
  if (child.pid === undefined) throw new AppError('REFUSED', `${command} could not be started.`)
  child.unref()
  return child.pid
}
