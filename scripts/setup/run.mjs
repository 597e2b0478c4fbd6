// Child processes that do not outlive us and are not cut in the middle: a signal that we receive is passed on, and we
// end only after the child has.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'

const forwarded = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
/** How long a group may take to clean up before it is killed. */
const graceMs = 15_000
/** Signals in the order of arrival, since the first one decides how we end. @type {NodeJS.Signals | undefined} */
let received

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {import('node:child_process').StdioOptions} [stdio] default: no stdin, all output to our stderr
 * @property {boolean} [ownGroup] a process group of its own; signals go to the group, also those of the terminal
 * @property {boolean} [diesWithUs] the kernel sends it SIGTERM when we are killed (Linux with util-linux only)
 */

/**
 * How a child ended: the shell's convention of 128 + number for a signal.
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
export function exitCodeOf(code, signal) {
  return signal === null ? (code ?? 1) : 128 + (os.constants.signals[signal] ?? 0)
}

/** Throws where a signal arrived while a child was running: the steps after it must not start. */
export function throwIfSignalled() {
  if (received !== undefined) throw new Signalled(received)
}

/**
 * Notes signals instead of ending by them, for work that has something to put back. Ends by `throwIfSignalled`.
 * @returns {() => void} stops holding
 */
export function holdSignals() {
  /** @param {NodeJS.Signals} signal */
  const note = (signal) => {
    received ??= signal
  }
  for (const signal of forwarded) process.on(signal, note)
  return () => {
    for (const signal of forwarded) process.off(signal, note)
  }
}

/** The signal that ended the work; entry scripts turn it into the exit code. */
export class Signalled extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`stopped by ${signal}`)
    this.signal = signal
    this.exitCode = exitCodeOf(null, signal)
  }
}

/**
 * Runs a program to its end and resolves to its exit code.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<number>}
 */
export async function run(command, args, options = {}) {
  const guarded = options.diesWithUs === true && setpriv() !== undefined
  const child = spawn(
    guarded ? /** @type {string} */ (setpriv()) : command,
    guarded ? ['--pdeathsig', 'TERM', '--', command, ...args] : [...args],
    {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.stdio ?? ['ignore', 2, 2],
      detached: options.ownGroup === true,
    },
  )
  /** @type {NodeJS.Timeout | undefined} */
  let lastWord
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    received ??= signal
    // The terminal sends SIGINT to its whole foreground group: forwarding it there would deliver it twice, and a
    // second Ctrl-C means "now" to many programs.
    if (signal === 'SIGINT' && process.stdin.isTTY && options.ownGroup !== true) return
    send(child.pid, signal, options.ownGroup === true)
    if (options.ownGroup === true) {
      lastWord ??= setTimeout(() => send(child.pid, 'SIGKILL', true), graceMs)
    }
  }
  for (const signal of forwarded) process.on(signal, pass)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)))
    })
  } finally {
    for (const signal of forwarded) process.off(signal, pass)
    clearTimeout(lastWord)
    // What the program itself left running in its group.
    if (options.ownGroup === true) send(child.pid, 'SIGKILL', true)
  }
}

/**
 * @param {number | undefined} pid
 * @param {NodeJS.Signals} signal
 * @param {boolean} toGroup
 */
function send(pid, signal, toGroup) {
  if (pid === undefined) return
  try {
    process.kill(toGroup ? -pid : pid, signal)
  } catch {
    // It is gone already; its end arrives as an event.
  }
}

/** @type {string | undefined | null} */
let setprivPath = null

/** setpriv of util-linux sets PR_SET_PDEATHSIG, which Node cannot. @returns {string | undefined} */
function setpriv() {
  if (setprivPath === null) {
    setprivPath =
      process.platform === 'linux' ? ['/usr/bin/setpriv', '/bin/setpriv'].find((p) => fs.existsSync(p)) : undefined
  }
  return setprivPath
}
