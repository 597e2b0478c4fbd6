import { accessSync, constants, existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../core/contract/errors.ts'
import { defaultPlaces } from '../places.ts'

/** Paths on a director; all absolute. */
export const paths = {
  unit: '/etc/systemd/system/signalbox.service',
  link: '/usr/local/bin/signalbox',
  stateDir: defaultPlaces.stateDir,
  socketDir: defaultPlaces.socketDir,
  record: join(defaultPlaces.stateDir, 'setup.json'),
  log: join(defaultPlaces.stateDir, 'agent.log'),
  supervisorPid: join(defaultPlaces.socketDir, 'supervisor.pid'),
} as const

/** `signalbox` may change, `signalbox-view` may read. */
export const groups = ['signalbox', 'signalbox-view'] as const

export const serviceName = 'signalbox.service'

/** As sd_booted(3) decides it. */
export const hasSystemd = (): boolean => existsSync('/run/systemd/system')

export function requireRoot(what: string): void {
  if (process.getuid?.() === 0) return
  throw new AppError('FORBIDDEN', `${what} needs root.`, { hint: 'Run it with sudo.' })
}

/** True where the path is a symlink, whatever it leads to. */
export const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true

export const linkTarget = (path: string): string | null => (isLink(path) ? readlinkSync(path) : null)

/** Full path of a program of the system, or null: root's PATH may lack the sbin folders. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']
  for (const folder of folders.filter((one) => one.startsWith('/'))) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not there.
    }
  }
  return null
}

/** Words of a running process's command line; empty where there is no such process. */
export function commandLineOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch {
    return []
  }
}
