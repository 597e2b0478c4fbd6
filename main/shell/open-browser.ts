import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** Whether a browser of this machine would have somewhere to appear. */
export function hasDisplay(env: NodeJS.ProcessEnv = process.env): boolean {
  if (process.platform !== 'linux') return true
  return [env['DISPLAY'], env['WAYLAND_DISPLAY']].some((value) => value !== undefined && value !== '')
}

/**
 * Opens the link in the operator's browser. By way of a file that only its owner can read: the arguments of a process
 * can be read by every user of the machine, and the link is a key.
 *
 * @param onFailure told where no browser could be started
 */
export function openBrowser(url: string, dataDir: string, onFailure: (reason: string) => void): void {
  const file = path.join(dataDir, 'open.html')
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><title>Signalbox</title><meta http-equiv="refresh" content="0;url=${url}">\n`,
    { mode: 0o600 },
  )
  const [command, ...args] = opener(pathToFileURL(file).href)
  const child = spawn(command, args, { stdio: 'ignore', detached: true })
  child.on('error', (error) => onFailure(error.message))
  child.unref()
}

function opener(url: string): [string, ...string[]] {
  if (process.platform === 'darwin') return ['open', url]
  if (process.platform === 'win32') return ['explorer', url]
  return ['xdg-open', url]
}
