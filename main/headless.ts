// The browser shell: the console core, its page on loopback, and a link in the terminal.
import { mkdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createConsole } from './console/console.ts'
import { createSshPort } from './console/ssh/port.ts'
import { parseBrowserArguments } from './shell/browser-command.ts'
import { runBrowserShell } from './shell/browser-shell.ts'
import { confStore } from './shell/conf-store.ts'
import { findInstallation } from './shell/installation.ts'
import { openLogFile } from './shell/log-file.ts'
import { sessionSecrets } from './shell/session-secrets.ts'
import { systemClock } from './shell/system-clock.ts'

const installation = findInstallation(import.meta.dirname)
const args = parseBrowserArguments(process.argv.slice(2), installation.version)
const { dataDir } = args

const fail = (error: unknown): never => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

mkdirSync(dataDir, { recursive: true, mode: 0o700 })
const log = openLogFile(path.join(dataDir, 'console.log'))
process.on('uncaughtException', (error) => {
  log(`the console ended: ${error.stack ?? error.message}`)
  fail(error)
})

// Before the start: whoever reads that the console is ready may send a signal at once.
const started = Promise.withResolvers<() => Promise<void>>()
let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Whoever asks twice does not wait for anybody.
    if (isStopping) process.exit(130)
    isStopping = true
    started.promise.then((stop) => stop()).then(() => process.exit(0), fail)
  })
}

const shell = await runBrowserShell(args, {
  version: installation.version,
  rendererDir: installation.rendererDir,
  program: [process.execPath, process.argv[1] ?? 'headless'],
  log,
  createConsole: () =>
    createConsole(
      {
        store: confStore(dataDir),
        secrets: sessionSecrets('The browser shell has no keyring: secrets are forgotten when it stops.'),
        clock: systemClock,
        ssh: createSshPort({ home: os.homedir(), dataDir }),
      },
      {
        version: installation.version,
        workstation: os.hostname(),
        agentPackages: installation.agentPackages,
        welcome: null,
        log,
      },
    ),
  stdin: process.stdin,
  print: (line) => console.log(line),
}).catch(fail)

if (shell.stop === null) process.exit(shell.exitCode)
started.resolve(shell.stop)
