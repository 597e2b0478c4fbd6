import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../core/contract/errors.ts'
import { commandLineOf, hasSystemd, paths, serviceName } from './host.ts'
import { lastClaimant } from '../single-instance.ts'
import { run, startDetached } from '../host/run-command.ts'
import { supervisorName, supervisorScript } from './supervisor.ts'

const maxLogBytes = 1024 * 1024

/** Starts the unit anew, and at every boot from now on. */
export function startUnit(): void {
  run('systemctl', ['daemon-reload'])
  run('systemctl', ['enable', serviceName])
  run('systemctl', ['restart', serviceName])
}

export function stopUnit(): void {
  run('systemctl', ['disable', '--now', serviceName])
}

/** Starts the supervisor, which starts the agent, in the background and out of this session. */
export function startSupervisor(command: readonly string[]): void {
  mkdirSync(paths.socketDir, { recursive: true, mode: 0o755 })
  if ((statSync(paths.log, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(paths.log, `${paths.log}.1`)
  const log = openSync(paths.log, 'a', 0o600)
  try {
    const pid = startDetached('/bin/sh', ['-c', supervisorScript(command), supervisorName], log)
    writeFileSync(paths.supervisorPid, `${pid}\n`, { mode: 0o644 })
  } finally {
    closeSync(log)
  }
}

/** Pid of the supervisor that runs, or null. A number alone proves nothing: it may belong to somebody else by now. */
export function supervisorPid(): number | null {
  let pid: number
  try {
    pid = Number(readFileSync(paths.supervisorPid, 'utf8'))
  } catch {
    return null
  }
  return Number.isInteger(pid) && pid > 1 && commandLineOf(pid).at(-1) === supervisorName ? pid : null
}

/** Ends the supervisor and the agent under it. False where none ran. */
export async function stopSupervisor(): Promise<boolean> {
  const pid = supervisorPid()
  if (pid !== null) {
    process.kill(pid, 'SIGTERM')
    await until(() => supervisorPid() === null, 20_000, 'The agent did not end within 20 s.')
  }
  rmSync(paths.supervisorPid, { force: true })
  return pid !== null
}

/** Ends whichever way of running there is, so that an upgrade may change from one to the other. */
export async function stopService(): Promise<void> {
  if (hasSystemd() && statSync(paths.unit, { throwIfNoEntry: false }) !== undefined) stopUnit()
  await stopSupervisor()
  await stopOrphan()
}

/** An agent whose supervisor is gone, or that somebody started by hand: two would not get along. */
async function stopOrphan(): Promise<void> {
  const pid = lastClaimant(paths.stateDir)
  const isAgent = () => pid !== null && pid !== process.pid && commandLineOf(pid).includes('agent')
  if (pid === null || !isAgent()) return
  process.kill(pid, 'SIGTERM')
  await until(() => !isAgent(), 20_000, `The agent (process ${pid}) did not end within 20 s.`)
}

/** Looks at a condition until it holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  otherwise: string,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new AppError('TIMEOUT', otherwise)
    await sleep(50)
  }
}
