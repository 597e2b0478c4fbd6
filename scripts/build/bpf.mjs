// agent/bpf/*.bpf.c → dist/agent/bpf/*.o
import fs from 'node:fs'
import path from 'node:path'
import { findProgram } from '../setup/debian-packages.mjs'
import { SetupError } from '../setup/log.mjs'
import { inRoot } from '../setup/paths.mjs'
import { filesOf, runStep } from './step.mjs'
import { capture } from './tool.mjs'

const sources = () => filesOf(['agent/bpf']).filter((file) => file.endsWith('.bpf.c'))
/** @param {string} source */
const objectOf = (source) => `dist/agent/bpf/${path.basename(source, '.c')}.o`

/** The compiled objects, relative to the checkout. */
export const bpfObjects = () => sources().map(objectOf)

/** Debian's multiarch folder of asm/ headers, which -target bpf does not search by itself. */
const archInclude = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`

/** Compiles what changed. @returns {Promise<boolean>} */
export async function buildBpf() {
  if (sources().length === 0) throw new SetupError('No agent/bpf/*.bpf.c was found: the checkout is not complete.')
  const clang = findProgram('clang')
  const strip = findProgram('llvm-strip')
  if (clang === undefined || strip === undefined || !fs.existsSync('/usr/include/bpf/bpf_helpers.h')) {
    throw new SetupError(
      'clang, llvm-strip and the headers of libbpf-dev are needed to compile the dataplane (Debian: clang llvm libbpf-dev).',
      2,
    )
  }
  return runStep({
    name: 'bpf',
    inputs: ['agent/bpf', 'scripts/build/bpf.mjs'],
    outputs: bpfObjects(),
    also: compilerVersion(clang),
    make: async () => {
      fs.rmSync(inRoot('dist/agent/bpf'), { recursive: true, force: true })
      fs.mkdirSync(inRoot('dist/agent/bpf'), { recursive: true })
      for (const source of sources()) {
        const object = inRoot(objectOf(source))
        await capture(clang, [
          '-O2',
          '-g',
          '-Wall',
          '-Werror',
          '-target',
          'bpf',
          '-mcpu=v3',
          '-I',
          archInclude,
          '-c',
          inRoot(source),
          '-o',
          object,
        ])
        // Debug lines go, BTF stays: the loader and the verifier's messages need it.
        await capture(strip, ['-g', object])
      }
    },
  })
}

/** @param {string} clang */
function compilerVersion(clang) {
  const file = fs.realpathSync(clang)
  const { size, mtimeMs } = fs.statSync(file)
  const headers = fs.statSync('/usr/include/bpf/bpf_helpers.h').mtimeMs
  return `${file} ${size} ${mtimeMs} ${headers}`
}
