// `npm run build`: everything into dist/.
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { runEntry } from './setup/log.mjs'

const args = process.argv.slice(2)

await runEntry(async () => {
  const code = await bootstrap(fileURLToPath(import.meta.url), args, {
    purpose: 'build',
    isAgreed: args.includes('--yes'),
  })
  if (code !== undefined) return code
  const { build } = await import('./build/build.mjs')
  await build()
  return undefined
})
