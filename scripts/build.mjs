// `npm run build`: everything into dist/.
import { fileURLToPath } from 'node:url'
import { bootstrap, runsUnderNode24 } from './bootstrap.mjs'
import { runEntry } from './setup/log.mjs'

const args = process.argv.slice(2)

await runEntry(async () => {
  if (!runsUnderNode24()) {
    return bootstrap({
      script: fileURLToPath(import.meta.url),
      args,
      purpose: 'build',
      isAgreed: args.includes('--yes'),
    })
  }
  const { build } = await import('./build/build.mjs')
  await build()
  return undefined
})
