import { createInterface, type Interface } from 'node:readline'
import type { HeldFlow } from './held-flows.ts'
import type { HostProcess } from './host-process.ts'
import type { LabHost } from './lab-host.ts'
import type { BurstOptions, BurstResult } from './request-burst.ts'
import { hostFilesDir } from './ssh-server.ts'
import type { SteadyCounters } from './steady-client.ts'

export type { HeldFlow } from './held-flows.ts'
export type { Answer, Failure } from './one-request.ts'
export type { BurstResult } from './request-burst.ts'
export type { SteadyCounters } from './steady-client.ts'

/** What to send; only `address` is needed. Port 80, path /, one attempt after the other, timeouts of 1 s. */
export type RequestOptions = Partial<BurstOptions> & { readonly address: string }

/** Command line of a compiled script in a host. */
export const scriptCommand = (script: string, ...args: readonly (string | number)[]): string[] => [
  `${hostFilesDir}/node`,
  `${hostFilesDir}/${script}.mjs`,
  ...args.map(String),
]

/** Sends many requests from a host in one process, each on a connection of its own. */
export const requestsFrom = async (host: LabHost, options: RequestOptions): Promise<BurstResult> => {
  const all: BurstOptions = {
    port: 80,
    path: '/',
    count: 100,
    concurrency: 1,
    ratePerSec: 0,
    connectTimeoutMs: 1000,
    responseTimeoutMs: 5000,
    ...options,
  }
  const paceMs = all.ratePerSec > 0 ? (all.count / all.ratePerSec) * 1000 : 0
  const worstMs = (all.count / all.concurrency) * (all.connectTimeoutMs + all.responseTimeoutMs)
  const { stdout } = await host.exec(scriptCommand('request-burst'), {
    stdin: JSON.stringify(all),
    timeoutMs: 30_000 + paceMs + worstMs,
    mustSucceed: true,
  })
  return JSON.parse(stdout) as BurstResult
}

/** A script in a host that answers each line with one line of JSON. */
class AskedProcess {
  readonly #process: HostProcess
  readonly #lines: Interface

  constructor(process: HostProcess) {
    this.#process = process
    this.#lines = createInterface({ input: process.child.stdout })
    process.child.stderr.resume()
  }

  /** The next line of the script; rejects when it has ended. */
  nextLine(): Promise<string> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`${this.#process.argv.join(' ')} has ended`))
      this.#lines.once('close', ended)
      this.#lines.once('line', (line) => {
        this.#lines.off('close', ended)
        resolve(line)
      })
    })
  }

  async ask(): Promise<unknown> {
    if (!this.#process.running) throw new Error(`${this.#process.argv.join(' ')} has ended`)
    const line = this.nextLine()
    this.#process.child.stdin.write('\n')
    return JSON.parse(await line)
  }

  async stop(): Promise<void> {
    await this.#process.kill('SIGKILL')
  }
}

/** The client that keeps trying the VIP. */
export class SteadyClient {
  readonly #asked: AskedProcess

  constructor(process: HostProcess) {
    this.#asked = new AskedProcess(process)
  }

  async counters(): Promise<SteadyCounters> {
    return (await this.#asked.ask()) as SteadyCounters
  }

  stop(): Promise<void> {
    return this.#asked.stop()
  }
}

/** Connections that stay open and send a request each now and then. */
export class HeldFlows {
  readonly #asked: AskedProcess

  private constructor(process: HostProcess) {
    this.#asked = new AskedProcess(process)
  }

  /** Resolves when each flow has had its first answer or has failed. */
  static async open(host: LabHost, options: HeldFlowsOptions): Promise<HeldFlows> {
    const { address, port = 80, count, intervalMs = 200 } = options
    const flows = new HeldFlows(host.spawn(scriptCommand('held-flows', address, port, count, intervalMs)))
    await flows.#asked.nextLine()
    return flows
  }

  async state(): Promise<readonly HeldFlow[]> {
    return (await this.#asked.ask()) as HeldFlow[]
  }

  close(): Promise<void> {
    return this.#asked.stop()
  }
}

export interface HeldFlowsOptions {
  readonly address: string
  readonly port?: number
  readonly count: number
  /** Pause between an answer and the next request on the same connection. Default 200. */
  readonly intervalMs?: number
}
