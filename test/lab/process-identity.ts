import { readFileSync } from 'node:fs'

/** A process told apart from a later one with the same pid: pid and start time (clock ticks since boot). */
export interface ProcessIdentity {
  readonly pid: number
  /** Field 22 of `/proc/<pid>/stat`, proc(5). */
  readonly startTime: string
}

/** Identity of the running process `pid`, or undefined when there is none (a zombie counts as none). */
export const processIdentity = (pid: number): ProcessIdentity | undefined => {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The command name stands in parentheses and may itself hold spaces and parentheses: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined
  return { pid, startTime }
}

/** True while exactly this process runs; false for a later process that got the same pid. */
export const isRunning = (identity: ProcessIdentity): boolean =>
  processIdentity(identity.pid)?.startTime === identity.startTime

/** Sends a signal to exactly this process; a process that is gone is no error. */
export const signalProcess = (identity: ProcessIdentity, signal: NodeJS.Signals): void => {
  if (!isRunning(identity)) return
  try {
    process.kill(identity.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Pids of the direct children of `pid`; none when it is gone. */
export const childPids = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
