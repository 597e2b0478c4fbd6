// CPU time of processes: what a way costs, whoever else wants the CPUs meanwhile.
import { readFileSync } from 'node:fs'

/** USER_HZ: the unit of /proc/PID/stat on every architecture of Linux that Node runs on. */
const ticksPerSecond = 100

/** utime, stime, cutime, cstime: fields 14 to 17 of proc(5), behind the name in brackets. */
function ticks(pid: number | 'self'): { readonly own: number; readonly ended: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number)
  return { own: user + system, ended: endedUser + endedSystem }
}

function ticksOfTree(pid: number): number {
  const { own, ended } = ticks(pid)
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
  return own + ended + children.reduce((sum, child) => sum + ticksOfTree(child), 0)
}

/** Of these processes with all that they have started, and of everything that this process has started and seen end. */
export const cpuSeconds = (pids: readonly number[]): number =>
  (ticks('self').ended + pids.reduce((sum, pid) => sum + ticksOfTree(pid), 0)) / ticksPerSecond
