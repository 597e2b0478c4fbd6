// The system's Node runs the set-up only; everything else runs under the Node 24 that package-lock.json pins.
import fs from 'node:fs'
import path from 'node:path'
import { SetupError } from './log.mjs'
import { node24, root } from './paths.mjs'
import { run } from './run.mjs'

const isWanted = () => Number(process.versions.node.split('.')[0]) >= 24

/**
 * Whether this process can do the work itself. `npm run` finds the Node of node_modules first, so the set-up may run
 * under it already; not after `npm ci` replaced the binary, though.
 */
export function runsUnderNode24() {
  if (!isWanted()) return false
  if (!fs.existsSync(node24)) return true
  const running = process.platform === 'linux' ? fs.readlinkSync('/proc/self/exe') : process.execPath
  return running === fs.realpathSync(node24)
}

/**
 * Node 24's path: the checkout's, else the running one where it is new enough (on other platforms than x64 Linux).
 * @returns {string}
 */
export function node24Path() {
  if (fs.existsSync(node24)) return node24
  if (isWanted()) return process.execPath
  throw new SetupError(
    `Node 24 or later is needed and Node ${process.versions.node} is running. On x64 Linux the set-up brings its own; on ${process.platform}-${process.arch} install it and run the command again.`,
    2,
  )
}

/** @returns {NodeJS.ProcessEnv} an environment in which `node` is Node 24, for the tools that say `env node` */
export function node24Env() {
  const dir = path.dirname(node24Path())
  const others = (process.env['PATH'] ?? '').split(path.delimiter).filter((part) => part !== dir)
  return { ...process.env, PATH: [dir, ...others].join(path.delimiter) }
}

/**
 * Runs a script of the checkout under Node 24 in place of this process: same standard streams, signals passed on,
 * its exit code is the result. It gets SIGTERM when this process is killed outright.
 * @param {string} script absolute path
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export function runUnderNode24(script, args, options = {}) {
  return run(node24Path(), [script, ...args], {
    cwd: options.cwd ?? root,
    env: { ...node24Env(), ...options.env },
    stdio: 'inherit',
    diesWithUs: true,
  })
}

/**
 * The last thing that a process under Node 24 does: it becomes the program, with the same pid, streams and signals.
 * @param {string} script absolute path
 * @param {readonly string[]} args
 * @returns {never}
 */
export function becomeProgram(script, args) {
  // The warning that execve is experimental would be the first line of every demo.
  process.removeAllListeners('warning')
  process.execve?.(process.execPath, [process.execPath, script, ...args], node24Env())
  throw new SetupError(`Node ${process.versions.node} cannot replace itself by ${script}.`)
}
