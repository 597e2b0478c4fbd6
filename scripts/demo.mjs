// `npm run demo`: sets up, builds, and starts the lab with a console. All arguments go to the demo program.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { runEntry, SetupError } from './setup/log.mjs'
import { becomeProgram } from './setup/node24.mjs'
import { inRoot } from './setup/paths.mjs'

const args = process.argv.slice(2)

await runEntry(async () => {
  const code = await bootstrap(fileURLToPath(import.meta.url), args, {
    purpose: args.includes('--guest') ? 'guest' : 'demo',
    isAgreed: args.includes('--yes'),
  })
  if (code !== undefined) return code
  const { build } = await import('./build/build.mjs')
  await build()
  const program = inRoot('test/lab/demo.ts')
  if (!fs.existsSync(program)) throw new SetupError(`${program} is missing; the demo cannot start.`)
  return becomeProgram(program, args)
})
