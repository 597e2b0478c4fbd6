import os from 'node:os'
import type { Readable } from 'node:stream'
import type { Console } from '../console/ports.ts'
import { type BrowserArguments, newLinkCommand } from './browser-command.ts'
import { askInstance, claimDataDir, type InstanceAnswer } from './instance-socket.ts'
import { type Headless, type LaunchLink, startHeadless } from './loopback-server.ts'
import { hasDisplay, openBrowser } from './open-browser.ts'

/** What the browser shell takes from its program. */
export interface BrowserShellParts {
  readonly version: string
  readonly rendererDir: string
  /** The words that start this program, for the command that prints a new link. */
  readonly program: readonly string[]
  /** One line of the log. */
  readonly log: (line: string) => void
  createConsole(): Console | Promise<Console>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** One line for the terminal, or for the script that reads JSON. */
  readonly print: (line: string) => void
}

/** `stop` is null where there is nothing to stop: another console runs, or only a link was wanted. */
export interface BrowserShell {
  readonly exitCode: number
  readonly stop: (() => Promise<void>) | null
}

/** Runs what the command line asked for; resolves when the console can be opened. */
export async function runBrowserShell(args: BrowserArguments, parts: BrowserShellParts): Promise<BrowserShell> {
  const { dataDir, json } = args
  const say = (text: string, event: Record<string, unknown>) => parts.print(json ? JSON.stringify(event) : text)

  if (args.printLink) {
    const running = await askInstance(dataDir, 'link')
    if (running?.url != null) return done(0, say(running.url, { event: 'link', url: running.url }))
    const reason =
      running === null ? `No console runs with the data directory ${dataDir}.` : desktopRuns(running, dataDir)
    return done(1, say(reason, { event: 'failed', reason }))
  }

  const started = Promise.withResolvers<Headless>()
  // Nobody may be waiting for it when the start fails.
  started.promise.catch(() => {})
  const claim = await claimDataDir(dataDir, async (request) => ({
    shell: 'browser',
    pid: process.pid,
    url: request === 'link' ? (await started.promise).newLink().url : null,
  }))
  if (claim.kind === 'running') {
    const { url, pid } = claim.answer
    if (url === null) {
      const reason = desktopRuns(claim.answer, dataDir)
      return done(1, say(reason, { event: 'failed', reason }))
    }
    const text = `Signalbox runs already with this data directory (process ${pid}). Open it: ${url}`
    return done(0, say(text, { event: 'running', url, pid, dataDir }))
  }

  const command = newLinkCommand(dataDir, parts.program)
  let core: Console | undefined
  try {
    core = await parts.createConsole()
    const headless = await startHeadless({
      console: core,
      rendererDir: parts.rendererDir,
      port: args.port,
      newLinkCommand: command,
      log: parts.log,
    })
    started.resolve(headless)
    const link = headless.newLink()
    say(welcome(parts, args, headless, link, command), {
      event: 'ready',
      url: link.url,
      token: link.token,
      port: headless.port,
      pid: process.pid,
      dataDir,
    })
    const isAsking = parts.stdin.isTTY === true && !json
    const onLine = () => parts.print(headless.newLink().url)
    if (isAsking) parts.stdin.on('data', onLine)
    if (args.open && !json && hasDisplay()) {
      openBrowser(headless.newLink().url, dataDir, (reason) => parts.print(`No browser was opened: ${reason}`))
    }
    return {
      exitCode: 0,
      async stop() {
        if (isAsking) parts.stdin.off('data', onLine).pause()
        await headless.close()
        await core?.close()
        await claim.socket.close()
      },
    }
  } catch (error) {
    started.reject(error)
    await core?.close()
    await claim.socket.close()
    throw error
  }
}

const done = (exitCode: number, _said: void): BrowserShell => ({ exitCode, stop: null })

const desktopRuns = ({ pid }: InstanceAnswer, dataDir: string) =>
  `The desktop console uses the data directory ${dataDir} (process ${pid}). Close it, or give another --data-dir.`

/** How the console is reached from another machine: its port, brought there by SSH. */
export function forwardCommand(port: number): string {
  return `ssh -L ${port}:127.0.0.1:${port} ${os.userInfo().username}@${os.hostname()}`
}

function welcome(
  { version }: BrowserShellParts,
  { dataDir }: BrowserArguments,
  { port }: Headless,
  { url }: LaunchLink,
  command: string,
): string {
  return [
    `Signalbox ${version} listens on 127.0.0.1, port ${port}. Its data are in ${dataDir}.`,
    `Open it (the link works once): ${url}`,
    ...(hasDisplay() ? [] : [`From another machine, first: ${forwardCommand(port)}`]),
    `Another link: press Enter here, or run ${command}`,
    'Stop it with Ctrl-C.',
  ].join('\n')
}
