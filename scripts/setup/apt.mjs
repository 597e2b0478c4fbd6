// Installs Debian packages without starting their daemons: policy-rc.d says 101 ("action forbidden") meanwhile, and is
// put back as it was, also after a signal; what a killed run left behind is put back by the next one.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { isAlive } from './lock.mjs'
import { SetupError, say } from './log.mjs'
import { holdSignals, run, throwIfSignalled } from './run.mjs'

const policy = '/usr/sbin/policy-rc.d'
const saved = '/usr/sbin/policy-rc.d.before-signalbox'
const marker = '# Signalbox: no daemon is started while its packages are installed; owner '

/**
 * @param {readonly string[]} names
 */
export async function installDebianPackages(names) {
  // From here to the end a signal is noted and acted upon between the steps: policy-rc.d must be put back.
  const release = holdSignals()
  try {
    await installWithoutDaemons(names)
  } finally {
    release()
  }
}

/** @param {readonly string[]} names */
async function installWithoutDaemons(names) {
  restorePolicy()
  if (!hasCandidates(names)) await aptGet(['update'], true)
  forbidDaemons()
  try {
    let code = await aptGet(['install', '-y', '--no-install-recommends', ...names])
    if (code !== 0) {
      // Lists that are older than the mirror name versions it no longer has.
      say('Trying once more with fresh package lists …')
      await aptGet(['update'], true)
      code = await aptGet(['install', '-y', '--no-install-recommends', ...names])
    }
    if (code !== 0) throw new SetupError(`apt-get install ended with ${code}; its message above says why.`, 2)
  } finally {
    restorePolicy()
  }
}

/**
 * @param {readonly string[]} args
 * @param {boolean} [mustSucceed]
 */
async function aptGet(args, mustSucceed = false) {
  say(`apt-get ${args.join(' ')}`)
  const code = await run('apt-get', ['-q', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' },
  })
  throwIfSignalled()
  if (mustSucceed && code !== 0)
    throw new SetupError(`apt-get ${args[0]} ended with ${code}; its message above says why.`, 2)
  return code
}

/**
 * Whether the package lists know all names.
 * @param {readonly string[]} names
 */
function hasCandidates(names) {
  const { status, stdout } = spawnSync('apt-cache', ['policy', ...names], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  if (status !== 0) return false
  const candidates = stdout.match(/^ {2}Candidate: (?!\(none\)).+$/gm) ?? []
  return candidates.length === names.length
}

function forbidDaemons() {
  if (fs.existsSync(policy)) fs.renameSync(policy, saved)
  fs.writeFileSync(policy, `#!/bin/sh\n${marker}${process.pid}\nexit 101\n`, { mode: 0o755 })
}

/** Puts the machine's own policy back where ours stands; never touches a policy that is not ours or is still in use. */
export function restorePolicy() {
  const text = fs.existsSync(policy) ? fs.readFileSync(policy, 'utf8') : ''
  const owner = Number(text.split(marker)[1]?.split('\n')[0])
  if (owner > 0 && (owner === process.pid || !isAlive(owner))) fs.rmSync(policy)
  if (fs.existsSync(saved) && !fs.existsSync(policy)) fs.renameSync(saved, policy)
}
