// One set-up or build at a time in a checkout: `npm test` and `npm run demo` may be started side by side.
import fs from 'node:fs'
import path from 'node:path'
import { say } from './log.mjs'
import { cacheDir } from './paths.mjs'
import { throwIfSignalled } from './run.mjs'

/**
 * Whether a process with that id exists (also one of another user).
 * @param {number} pid
 */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * Runs `work` while holding the lock; the lock of a dead process is taken over.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @param {string} [dir]
 * @returns {Promise<T>}
 */
export async function withLock(name, work, dir = cacheDir) {
  fs.mkdirSync(dir, { recursive: true })
  const file = path.join(dir, `${name}.lock`)
  let told = false
  while (!tryLock(file)) {
    if (!told) say(`Waiting for another run in this checkout (${file}).`)
    told = true
    await new Promise((resolve) => setTimeout(resolve, 200))
    throwIfSignalled()
  }
  try {
    return await work()
  } finally {
    fs.rmSync(file, { force: true })
  }
}

/** @param {string} file */
function tryLock(file) {
  try {
    // Linked into place with its content: a reader never sees an empty lock.
    const draft = `${file}.${process.pid}`
    fs.writeFileSync(draft, String(process.pid))
    try {
      fs.linkSync(draft, file)
      return true
    } finally {
      fs.rmSync(draft, { force: true })
    }
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
  }
  takeFromDead(file)
  return false
}

/** @param {string} file */
function takeFromDead(file) {
  try {
    if (isAlive(Number(fs.readFileSync(file, 'utf8')))) return
    // Moved aside before it is removed: somebody else may have taken it over since it was read.
    const aside = `${file}.${process.pid}.dead`
    fs.renameSync(file, aside)
    if (isAlive(Number(fs.readFileSync(aside, 'utf8')))) fs.linkSync(aside, file)
    fs.rmSync(aside, { force: true })
  } catch {
    // Released in the meantime; the next try takes it.
  }
}
