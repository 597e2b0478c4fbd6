// `npm run bench -- NAME [--json]`: sets up, builds, and measures side by side. Numbers are ratios of one run.
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { runEntry, SetupError } from './setup/log.mjs'
import { becomeProgram } from './setup/node24.mjs'
import { inRoot } from './setup/paths.mjs'

const args = process.argv.slice(2)

/** @type {Readonly<Record<string, { program: string, purpose: import('./setup/debian-packages.mjs').Purpose }>>} */
const benches = {
  ipvs: { program: 'bench/ipvs/run.ts', purpose: 'guest' },
  flows: { program: 'bench/flows/run.ts', purpose: 'build' },
  ebpf: { program: 'bench/ebpf/run.ts', purpose: 'bench' },
}

await runEntry(async () => {
  const name = args.find((word) => !word.startsWith('--')) ?? ''
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
  if (bench === undefined) {
    throw new SetupError(`Found ${JSON.stringify(name)}, expected one of: ${Object.keys(benches).join(', ')}.`, 2)
  }
  const isAgreed = args.includes('--yes') || !process.stdin.isTTY
  const code = await bootstrap(fileURLToPath(import.meta.url), args, { purpose: bench.purpose, isAgreed })
  if (code !== undefined) return code
  const { build } = await import('./build/build.mjs')
  await build(['bpf', 'agent'])
  return becomeProgram(
    inRoot(bench.program),
    args.filter((word) => word !== name && word !== '--yes'),
  )
})
