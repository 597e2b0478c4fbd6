import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where the agent keeps and offers things, unless it is told otherwise. */
export const defaultPlaces = { stateDir: '/var/lib/signalbox', socketDir: '/run/signalbox' } as const
export const changeSocket = 'agent.sock'
export const viewSocket = 'view.sock'

/** Folder of the running program: that of the bundle where it is installed, `agent/` in a checkout. */
const programDir = import.meta.dirname

/** The installed package says it in its manifest, a checkout in package.json. */
export function agentVersion(): string {
  for (const file of [join(programDir, 'manifest.json'), join(programDir, '../package.json')]) {
    if (!existsSync(file)) continue
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }
    if (typeof version === 'string') return version
  }
  return '0.0.0'
}

/**
 * The command that starts this program again, in a form that survives an upgrade: through the link `current` beside the
 * version's folder where there is one.
 */
export function ownCommand(): string[] {
  const wrapper = join(programDir, 'signalbox')
  if (!existsSync(wrapper)) return [process.execPath, process.argv[1] ?? join(programDir, 'main.ts')]
  const current = join(dirname(realpathSync(programDir)), 'current')
  const isCurrent = existsSync(current) && realpathSync(current) === realpathSync(programDir)
  return [isCurrent ? join(current, 'signalbox') : wrapper]
}
