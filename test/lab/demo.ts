/**
 * The demo: a lab with a director, three real servers and a client that keeps trying the VIP, and a console to operate
 * it with.
 *
 *   npm run demo -- [--headless] [--no-open] [--json] [--port N] [--real-servers N]
 *   npm run demo -- --guest            a director with a real IPVS, in a guest
 *   npm run demo -- --smoke            the main path without a browser; exit 0 only if all of it holds
 */
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { askInstance } from '../../main/shell/instance-socket.ts'
import { hasDisplay, openBrowser } from '../../main/shell/open-browser.ts'
import { wholeNumber } from './demo/arguments.ts'
import { openConsole } from './demo/open-console.ts'
import { sayReady, sayReadyJson } from './demo/say.ts'
import { smoke, smokeHolds } from './demo/smoke.ts'
import { type DemoLab, namespaceDemo } from './demo/demo-lab.ts'
import { siteOf } from './demo/site.ts'
import { startLab } from './lab.ts'

interface DemoOptions {
  readonly headless?: boolean
  readonly open: boolean
  readonly json?: boolean
  readonly yes?: boolean
  readonly smoke?: boolean
  readonly guest?: boolean
  readonly port: number
  readonly realServers: number
}

/** One demo for each user and machine: a second one offers the first. */
const demoDir = join(tmpdir(), `signalbox-demo-${userInfo().uid}`)

const program = new Command('npm run demo --')
  .option('--headless', 'serve the console on loopback, also where a desktop could be used')
  .option('--no-open', 'do not open a browser')
  .option('--json', 'print one line of JSON when all is up, and nothing else on standard output')
  .option('--smoke', 'go the main path without a browser and print what was measured')
  .option('--guest', 'a director with a real IPVS: a kernel in a guest instead of the namespace lab')
  .option('--yes', 'agree to the installation of missing packages')
  .option('--port <number>', 'port of the console on loopback; 0 = any', wholeNumber(0, 65535), 0)
  .option('--real-servers <number>', 'real servers of the lab', wholeNumber(1, 50), 3)
  .helpOption('-h, --help')
const options = program.parse().opts<DemoOptions>()
const note = (line: string): void => void process.stderr.write(`${line}\n`)

async function runSmoke(): Promise<number> {
  const lab = await startLab({ realServers: 3 })
  try {
    const opened = await openConsole({
      site: siteOf(lab),
      dataDir: join(lab.stateDir, 'console'),
      welcome: null,
      log: () => {},
    })
    try {
      const result = await smoke(lab, opened.client, note)
      console.log(JSON.stringify(result))
      return smokeHolds(result) ? 0 : 1
    } finally {
      await opened.console.close()
    }
  } finally {
    await lab.stop()
  }
}

async function startDemoLab(): Promise<DemoLab> {
  if (options.guest !== true) return namespaceDemo(await startLab({ realServers: options.realServers }))
  const { guestDemo } = await import('./demo/guest-demo.ts')
  return guestDemo()
}

async function runDemo(): Promise<number> {
  const running = await askInstance(demoDir, 'link')
  if (running !== null) {
    note(`A demo is running already (process ${running.pid}). A new link to it:`)
    console.log(options.json === true ? JSON.stringify({ event: 'running', ...running }) : `  ${running.url}`)
    return 0
  }
  note(options.guest === true ? 'Starting the guest …' : 'Starting the lab …')
  const lab = await startDemoLab()
  const { serveDemo } = await import('./demo/serve-demo.ts')
  const served = await serveDemo({ lab, dataDir: demoDir, port: options.port, note })
  if (options.json === true) sayReadyJson(lab, served.link)
  else sayReady(lab, served.link, demoDir)
  if (options.open && options.json !== true && hasDisplay()) {
    openBrowser(served.newLink(), demoDir, (reason) => note(`No browser was opened: ${reason}`))
  }
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  note('Stopping …')
  await served.close()
  await lab.stop()
  return 0
}

try {
  process.exitCode = await (options.smoke === true ? runSmoke() : runDemo())
} catch (error) {
  note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.exitCode = 1
}
