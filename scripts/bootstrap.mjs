// Brings a fresh clone to the point where a command can run: npm packages, Debian packages, Node 24. Runs on the
// system's Node 20 with built-ins only.
import readline from 'node:readline/promises'
import { installDebianPackages, restorePolicy } from './setup/apt.mjs'
import { decide, findProgram, missingNeeds } from './setup/debian-packages.mjs'
import { withLock } from './setup/lock.mjs'
import { SetupError, say } from './setup/log.mjs'
import { node24Env, runsUnderNode24, runUnderNode24 } from './setup/node24.mjs'
import { ensureNpmPackages } from './setup/npm-packages.mjs'
import { root } from './setup/paths.mjs'

/** Tells the process that the set-up starts that it is through, so that nothing is asked twice. */
const doneVariable = 'SIGNALBOX_SET_UP'

/**
 * @typedef {object} SetUpOptions
 * @property {import('./setup/debian-packages.mjs').Purpose} [purpose] decides which Debian packages are needed; none without
 * @property {boolean} [isAgreed] the packages may be installed without a question
 * @property {boolean} [goesOnWithout] missing packages are reported, and the program runs all the same
 */

/**
 * Sets up, then runs the calling script under Node 24.
 * @param {string} script absolute path of the calling script
 * @param {readonly string[]} args its arguments
 * @param {SetUpOptions} [options]
 * @returns {Promise<number | undefined>} the exit code of the script under Node 24, or undefined when this process is
 *   the one to go on in
 */
export async function bootstrap(script, args, options = {}) {
  const isDone = process.env[doneVariable] === root
  delete process.env[doneVariable]
  if (isDone) return undefined
  await setUp(options)
  if (runsUnderNode24()) {
    // What it starts must find the same Node.
    process.env['PATH'] = node24Env()['PATH']
    return undefined
  }
  return runUnderNode24(script, args, { env: { [doneVariable]: root } })
}

/** @param {SetUpOptions} [options] */
export async function setUp({ purpose, isAgreed = false, goesOnWithout = false } = {}) {
  await withLock('setup', async () => {
    await ensureNpmPackages()
    if (purpose !== undefined) await ensureDebianPackages(purpose, isAgreed, goesOnWithout)
  })
}

/**
 * @param {import('./setup/debian-packages.mjs').Purpose} purpose
 * @param {boolean} isAgreed
 * @param {boolean} goesOnWithout
 */
async function ensureDebianPackages(purpose, isAgreed, goesOnWithout) {
  const isRoot = process.getuid?.() === 0
  if (isRoot) restorePolicy()
  const missing = missingNeeds(purpose)
  if (missing.length === 0) return
  say('Missing on this machine:')
  for (const need of missing) say(`  ${need.name.padEnd(16)} needed to ${need.why}`)
  const decision = decide(missing, {
    isDebian: findProgram('apt-get') !== undefined,
    isRoot,
    hasTerminal: process.stdin.isTTY === true,
    isAgreed: isAgreed || process.env['CI'] === 'true',
  })
  const names = missing.map((need) => need.name)
  if (decision.act === 'install' || (decision.act === 'ask' && (await agrees(names)))) {
    await installDebianPackages(names)
    const still = missingNeeds(purpose).map((need) => need.name)
    if (still.length === 0) return
    if (!goesOnWithout) throw new SetupError(`Installed, but still not found: ${still.join(' ')}.`, 2)
  }
  const because = decision.act === 'refuse' ? decision.because : 'The packages were not installed.'
  if (!goesOnWithout) throw new SetupError(because, 2)
  say(because)
}

/** @param {readonly string[]} names */
async function agrees(names) {
  const prompt = readline.createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await prompt.question(`Install ${names.join(' ')} with apt-get (no daemon is started)? [Y/n] `)
    return /^(y|yes)?$/i.test(answer.trim())
  } finally {
    prompt.close()
  }
}
