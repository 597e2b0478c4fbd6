import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const Ready = z.object({
  event: z.literal('ready'),
  url: z.string(),
  token: z.string(),
  director: z.object({ host: z.string(), port: z.number(), user: z.string(), keyFile: z.string() }),
  vip: z.string(),
  realServers: z.array(z.string()),
  /** Whose gateway is the director; the guest demo has such. */
  realServersBehind: z.array(z.string()),
})
export type Ready = z.infer<typeof Ready>

/** The demo as a user starts it, in a process of its own. */
export interface DemoProcess extends Ready {
  /** A new link, as a second start of the demo gives. */
  newLink(): Promise<string>
  stop(): Promise<void>
}

const program = fileURLToPath(new URL('../../lab/demo.ts', import.meta.url))
/** A guest is built first where that was not done yet. */
const startTimeoutMs = (args: readonly string[]): number => (args.includes('--guest') ? 170_000 : 60_000)

const run = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [program, '--json', '--no-open', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })

/** The first line of standard output; an error with what the process said where it ends before. */
function firstLine(child: ChildProcess, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const timer = setTimeout(
      () => reject(new Error(`The demo was not ready within ${limitMs / 1000} s: ${said}`)),
      limitMs,
    )
    if (child.stdout === null) throw new TypeError('The demo has no standard output.')
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer)
      resolve(line)
    })
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(`The demo ended with ${code ?? signal}: ${said}`))
    })
  })
}

export async function startDemo(args: readonly string[] = []): Promise<DemoProcess> {
  const child = run(['--headless', ...args])
  const ready = Ready.parse(JSON.parse(await firstLine(child, startTimeoutMs(args))))
  return {
    ...ready,
    async newLink() {
      const line = await firstLine(run(['--headless']), startTimeoutMs([]))
      return z.object({ event: z.literal('running'), url: z.string() }).parse(JSON.parse(line)).url
    },
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once('exit', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}
