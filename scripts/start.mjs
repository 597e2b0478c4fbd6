// `npm start`: the console in Electron where its binary is installed; `npm start -- --browser`: the same console in the
// browser, served on loopback. Both use the operator's own profile.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { runEntry, SetupError } from './setup/log.mjs'
import { node24Env, runUnderNode24 } from './setup/node24.mjs'
import { inRoot } from './setup/paths.mjs'
import { run } from './setup/run.mjs'

const args = process.argv.slice(2)

await runEntry(async () => {
  const code = await bootstrap(fileURLToPath(import.meta.url), args, {
    purpose: 'build',
    isAgreed: args.includes('--yes'),
  })
  if (code !== undefined) return code
  const rest = args.filter((arg) => arg !== '--browser' && arg !== '--yes')
  const electron = electronBinary()
  if (!args.includes('--browser') && electron === undefined) {
    throw new SetupError(
      'The Electron binary is not installed (npm brings only its installer). Fetch it once with\n' +
        '  npx --no install-electron\n' +
        'or open the same console in the browser with\n' +
        '  npm start -- --browser',
      2,
    )
  }
  const { build } = await import('./build/build.mjs')
  await build()
  if (args.includes('--browser')) return runUnderNode24(inRoot('dist/main/headless.mjs'), rest, { cwd: process.cwd() })
  return run(/** @type {string} */ (electron), [inRoot('.'), ...rest], {
    env: node24Env(),
    stdio: 'inherit',
    diesWithUs: true,
  })
})

/**
 * Found without importing the package `electron`: importing it downloads the binary.
 * @returns {string | undefined}
 */
function electronBinary() {
  const dir = inRoot('node_modules/electron')
  const nameFile = path.join(dir, 'path.txt')
  const name = fs.existsSync(nameFile) ? fs.readFileSync(nameFile, 'utf8').trim() : 'electron'
  const folder = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? path.join(dir, 'dist')
  const file = path.join(folder, name)
  return fs.existsSync(file) ? file : undefined
}
