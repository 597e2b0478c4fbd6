import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { build } from 'esbuild'
import type { Guest } from '../../lab/guest/guest.ts'

const checkout = resolve(import.meta.dirname, '../../..')
const folder = '/opt/under-test'
/** What bundled CommonJS packages take from Node, and a module does not have. */
const commonJsBanner = [
  "import { createRequire } from 'node:module'",
  'const require = createRequire(import.meta.url)',
  'const [__filename, __dirname] = [import.meta.filename, import.meta.dirname]',
].join('\n')

/** Bundles a program of this folder and puts it into the guest, with the koffi that the agent is packed with. */
export async function installProgram(guest: Guest, entry: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: checkout,
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['koffi'],
    banner: { js: commonJsBanner },
    write: false,
  })
  const program = `${folder}/${basename(entry, '.ts')}.mjs`
  await guest.write(program, outputFiles[0]?.text ?? '')
  const agent = readFileSync(resolve(checkout, 'dist/agent-linux-x64-nonode.tar.gz'))
  await guest.run(`tar -xzf - -C ${folder} --wildcards '*node_modules*'`, { stdin: agent })
  return program
}
