// `npm run check`: types, lint with the import boundaries, format, dead code and the unit lane, two at a time.
import { spawn } from 'node:child_process'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { runEntry } from './setup/log.mjs'
import { node24Env, node24Path } from './setup/node24.mjs'
import { inRoot, root } from './setup/paths.mjs'
import { exitCodeOf } from './setup/run.mjs'

const args = process.argv.slice(2)

/** The longest first, so that the others run beside it. */
const checks = [
  {
    name: 'types',
    script: 'node_modules/typescript/bin/tsc',
    args: ['-b', '--pretty', String(process.stdout.isTTY === true)],
  },
  { name: 'unit', script: 'scripts/test.mjs', args: ['--lane', 'unit'] },
  { name: 'lint', script: 'node_modules/oxlint/bin/oxlint', args: ['--deny-warnings'] },
  { name: 'dead code', script: 'node_modules/knip/bin/knip.js', args: [] },
  { name: 'format', script: 'node_modules/@biomejs/biome/bin/biome', args: ['format', '.'] },
]

await runEntry(async () => {
  const code = await bootstrap(fileURLToPath(import.meta.url), args)
  if (code !== undefined) return code
  const waiting = [...checks]
  /** @type {string[]} */
  const failed = []
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const startedAt = performance.now()
      const { code, output } = await capture(check.script, check.args)
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      if (code !== 0) {
        failed.push(check.name)
        console.log(`\n── ${check.name} ──\n${output.trimEnd()}`)
      }
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(checks.length, Math.max(2, os.availableParallelism())) }, worker))
  console.log(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
})

/**
 * Runs a tool to its end; a signal that ends us ends it too, since it is in our process group or gets it from here.
 * @param {string} script
 * @param {readonly string[]} scriptArgs
 * @returns {Promise<{ code: number, output: string }>}
 */
function capture(script, scriptArgs) {
  return new Promise((resolve, reject) => {
    const child = spawn(node24Path(), [inRoot(script), ...scriptArgs], {
      cwd: root,
      env: { ...node24Env(), ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    /** @param {NodeJS.Signals} signal */
    const pass = (signal) => {
      child.kill(signal)
    }
    process.on('SIGTERM', pass)
    process.on('SIGINT', pass)
    let output = ''
    /** @param {Buffer} chunk */
    const collect = (chunk) => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      process.off('SIGTERM', pass)
      process.off('SIGINT', pass)
      resolve({ code: exitCodeOf(code, signal), output })
    })
  })
}
