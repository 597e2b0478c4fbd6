/** Requests between the hosts of a guest, by the programs of tools/. */
import { createInterface, type Interface } from 'node:readline'
import { type Guest, onHost } from './guest.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** What a server said of a request. */
export interface Answer {
  /** Name of the real server. */
  readonly server: string
  /** The client's address and port as the server saw them. */
  readonly client: string
  readonly clientPort: number
  /** Its own, which were asked. */
  readonly own: string
  readonly ownPort: number
}

export interface Answers {
  readonly answers: readonly Answer[]
  /** The step and the reason, like `connect ECONNREFUSED` or `answer timeout`. */
  readonly failures: readonly string[]
  /** Answers of each real server. */
  readonly perServer: Readonly<Record<string, number>>
}

export interface RequestOptions {
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
  /** Default `client`. */
  readonly from?: string
  /** Default 1: one after the other, each on a flow of its own. */
  readonly count?: number
  readonly source?: string
  readonly sourcePort?: number
  /** All requests on one socket: one UDP flow. */
  readonly sameSocket?: boolean
  /** For each step of a request. Default 3000. */
  readonly timeoutMs?: number
}

/** Reads what lab-client prints. */
export const parseAnswers = (lines: readonly string[]): Answers => {
  const answers: Answer[] = []
  const failures: string[] = []
  const perServer: Record<string, number> = {}
  for (const line of lines) {
    const [, server, client, clientPort, own, ownPort] = /^(\S+) (\S+) (\d+) (\S+) (\d+)$/.exec(line) ?? []
    const [, failure] = /^failed (.+)$/.exec(line) ?? []
    if (failure !== undefined) {
      failures.push(failure)
    } else if (server !== undefined && client !== undefined && own !== undefined) {
      answers.push({ server, client, clientPort: Number(clientPort), own, ownPort: Number(ownPort) })
      perServer[server] = (perServer[server] ?? 0) + 1
    } else {
      throw new Error(`lab-client printed "${line}", expected an answer or a failure`)
    }
  }
  return { answers, failures, perServer }
}

const clientWords = (options: RequestOptions, isHeld: boolean): string[] => [
  'lab-client',
  options.protocol,
  options.address,
  String(options.port),
  `count=${options.count ?? 1}`,
  `timeout=${options.timeoutMs ?? 3000}`,
  ...(options.source === undefined ? [] : [`source=${options.source}`]),
  ...(options.sourcePort === undefined ? [] : [`sport=${options.sourcePort}`]),
  ...(options.sameSocket === true ? ['same-socket'] : []),
  ...(isHeld ? ['hold'] : []),
]

/** Sends requests and waits for all answers. */
export const request = async (guest: Guest, options: RequestOptions): Promise<Answers> => {
  // Each failure takes its time; only what hangs altogether is to be cut short.
  const timeoutMs = 60_000 + 2 * (options.count ?? 1) * (options.timeoutMs ?? 3000)
  const host = options.from ?? 'client'
  const { code, stdout, stderr } = await guest.exec(clientWords(options, false), { host, timeoutMs })
  if (code !== 0) throw new Error(`lab-client ended with ${code}: ${stderr.trim()}`)
  return parseAnswers(stdout.split('\n').filter((line) => line !== ''))
}

/** Flows that stay open. */
export class HeldFlows {
  readonly #child: ReturnType<Guest['spawn']>
  readonly #lines: Interface
  /** The answers to the first request of each flow. */
  opened: Answers = { answers: [], failures: [], perServer: {} }

  private constructor(child: ReturnType<Guest['spawn']>) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })
  }

  static async open(guest: Guest, options: RequestOptions): Promise<HeldFlows> {
    const flows = new HeldFlows(guest.spawn(clientWords(options, true), { host: options.from ?? 'client' }))
    flows.opened = await flows.#until('held')
    return flows
  }

  /** Sends one more request on each flow. */
  ask(): Promise<Answers> {
    const asked = this.#until('asked')
    this.#child.stdin.write('\n')
    return asked
  }

  /** Closes all flows. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin.end()
    await ended
  }

  #until(marker: string): Promise<Answers> {
    return new Promise((resolve, reject) => {
      const seen: string[] = []
      const onLine = (line: string): void => {
        if (line !== marker) return void seen.push(line)
        stop()
        resolve(parseAnswers(seen))
      }
      const onEnd = (): void => {
        stop()
        reject(new Error(`lab-client ended before "${marker}": ${seen.join('; ')}`))
      }
      const stop = (): void => {
        this.#lines.off('line', onLine)
        this.#lines.off('close', onEnd)
      }
      this.#lines.on('line', onLine)
      this.#lines.on('close', onEnd)
    })
  }
}

/** Starts a server on each of the hosts, which answers with the host's name on these ports in all protocols. */
export const startServers = async (
  guest: Guest,
  hosts: readonly string[],
  ports: readonly number[] = [80],
): Promise<void> => {
  const lines = hosts.map((name) => onHost(name, ['lab-server', name, ...ports.map(String)]).join(' '))
  await guest.run(lines.join('\n'))
}

/** Ends the server of a host: its ports are closed and its connections reset. */
export const stopServer = async (guest: Guest, host: string): Promise<void> => {
  await guest.run(
    `kill -9 $(ip netns pids ${host} | xargs -r -n 1 sh -c 'grep -qx lab-server /proc/$0/comm && echo $0')`,
  )
}
