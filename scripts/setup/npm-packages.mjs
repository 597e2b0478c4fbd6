// node_modules as package-lock.json says: `npm ci` when the lockfile changed or the folder is missing.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { SetupError, say } from './log.mjs'
import { root } from './paths.mjs'
import { run, throwIfSignalled } from './run.mjs'

const stamp = 'node_modules/.signalbox-lock-hash'

/**
 * Hash of the lockfile that node_modules must have been made from.
 * @param {string} dir the checkout
 */
export function lockfileHash(dir) {
  return createHash('sha256')
    .update(fs.readFileSync(path.join(dir, 'package-lock.json')))
    .digest('hex')
}

/**
 * Why `npm ci` has to run, or undefined when node_modules is up to date.
 * @param {string} dir the checkout
 * @returns {string | undefined}
 */
export function reasonToInstall(dir) {
  if (!fs.existsSync(path.join(dir, 'node_modules/.package-lock.json'))) return 'node_modules is missing'
  let found
  try {
    found = fs.readFileSync(path.join(dir, stamp), 'utf8').trim()
  } catch {
    return 'node_modules was not made by this set-up'
  }
  return found === lockfileHash(dir) ? undefined : 'package-lock.json changed'
}

/** Installs the npm packages when needed. No install scripts run: every package that has one ships its binary ready. */
export async function ensureNpmPackages() {
  const reason = reasonToInstall(root)
  if (reason === undefined) return
  say(`Installing npm packages (${reason}) …`)
  const hash = lockfileHash(root)
  // npm_config_loglevel of an outer `npm -s` would hide the error that the reader needs.
  const code = await run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
    cwd: root,
    env: { ...process.env, npm_config_loglevel: 'error' },
  })
  throwIfSignalled()
  if (code !== 0) throw new SetupError(`npm ci ended with ${code}; its message above says why. Nothing was started.`)
  fs.writeFileSync(path.join(root, stamp), `${hash}\n`)
}
