// A build step runs when its inputs or its own code changed, or when an output is gone: the hash of all inputs is kept
// beside the build, in .cache/build/.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { say } from '../setup/log.mjs'
import { cacheDir, root } from '../setup/paths.mjs'

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {readonly string[]} inputs files and folders, relative to the checkout; a missing one counts as empty
 * @property {readonly string[]} outputs files, relative to the checkout
 * @property {string} [also] anything else that the result depends on (the compiler's version)
 * @property {() => Promise<void>} make
 */

/**
 * All files of the inputs, sorted, relative to `base`.
 * @param {readonly string[]} inputs
 * @param {string} [base]
 * @returns {string[]}
 */
export function filesOf(inputs, base = root) {
  /** @type {string[]} */
  const found = []
  /** @param {string} relative */
  const visit = (relative) => {
    const info = fs.statSync(path.join(base, relative), { throwIfNoEntry: false })
    if (info === undefined) return
    if (!info.isDirectory()) found.push(relative)
    else for (const entry of fs.readdirSync(path.join(base, relative))) visit(path.join(relative, entry))
  }
  for (const input of inputs) visit(input)
  return found.sort()
}

/**
 * Hash over names and contents. Files over 8 MB (the node binary) count by size and time of change, which keeps a build
 * with nothing to do fast.
 * @param {readonly string[]} inputs
 * @param {string} also
 * @param {string} [base]
 */
export function hashInputs(inputs, also, base = root) {
  const hash = createHash('sha256').update(also)
  for (const file of filesOf(inputs, base)) {
    const full = path.join(base, file)
    const { size, mtimeMs } = fs.statSync(full)
    hash.update(`\0${file}\0${size}\0`)
    hash.update(size > 8e6 ? String(mtimeMs) : fs.readFileSync(full))
  }
  return hash.digest('hex')
}

/**
 * Runs the step when needed.
 * @param {Step} step
 * @returns {Promise<boolean>} whether it ran
 */
export async function runStep({ name, inputs, outputs, also = '', make }) {
  const stampFile = path.join(cacheDir, 'build', `${name}.hash`)
  const hash = hashInputs(inputs, also)
  const isThere = outputs.every((output) => fs.existsSync(path.join(root, output)))
  if (isThere && fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === hash) return false
  const startedAt = performance.now()
  fs.rmSync(stampFile, { force: true })
  await make()
  fs.mkdirSync(path.dirname(stampFile), { recursive: true })
  fs.writeFileSync(stampFile, hash)
  say(`Built ${name} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  return true
}
