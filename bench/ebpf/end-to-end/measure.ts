// Connections and requests per second from a client to a server, each way in turn.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuSeconds } from './cpu-time.ts'
import { Namespaces, wayAddresses } from './namespaces.ts'
import { firstCpu, startServer, type Way, ways } from './ways.ts'

const client = { connections: 32, seconds: 1 }
const warmUps = 1
const readyWithinMs = 10_000

/** How the client uses connections: one for each request, or the same ones all the time. */
export const loads = {
  connections: { title: 'connections/s', words: ['-H', 'Connection: close'] },
  requests: { title: 'requests/s', words: [] },
} as const
export type Load = keyof typeof loads
export const loadNames = Object.keys(loads) as Load[]

export interface Rates {
  readonly way: Way
  /** Per second, a number for each run. */
  readonly perSecond: Readonly<Record<Load, readonly number[]>>
  /** The same by second of CPU time: client, server and director together, so that others on the machine count less. */
  readonly perCpuSecond: Readonly<Record<Load, readonly number[]>>
}

export interface EndToEnd {
  readonly rates: readonly Rates[]
  readonly skipped: readonly string[]
}

const none = (): Record<Load, number[]> => ({ connections: [], requests: [] })

/** What wrk(1) says at the end. Any failed request makes the figure worthless. */
function answersOf(output: string, what: string): { readonly count: number; readonly rate: number } {
  const rate = Number(/^Requests\/sec: +([\d.]+)$/m.exec(output)?.[1])
  const count = Number(/^ +(\d+) requests in /m.exec(output)?.[1])
  const errors = /^ +(Socket errors: .*|Non-2xx .*)$/m.exec(output)?.[1]
  if (!(rate > 0 && count > 0) || errors !== undefined)
    throw new Error(`${what}: ${errors ?? `wrk said ${JSON.stringify(output)}`}`)
  return { count, rate }
}

export async function measureEndToEnd(runs: number, say: (line: string) => void): Promise<EndToEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))
  const namespaces = new Namespaces()
  try {
    await namespaces.add('client')
    await namespaces.add('server')
    startServer(namespaces, folder)
    const able = ways.filter((way) => way.obstacle() === undefined)
    const lanes = []
    for (const [n, way] of able.entries()) {
      await namespaces.addWay(n, way.key)
      const scene = { namespaces, director: way.key, at: wayAddresses(n), folder }
      const address = await way.setUp(scene)
      await answers(namespaces, address, way)
      lanes.push({ way, address, perSecond: none(), perCpuSecond: none() })
    }
    for (let run = -warmUps; run < runs; run++) {
      for (const load of loadNames) {
        // Nobody is always the first.
        for (let i = 0; i < lanes.length; i++) {
          const lane = lanes[(i + run + warmUps) % lanes.length]
          if (lane === undefined) continue
          const before = cpuSeconds(namespaces.programPids)
          const output = sendLoad(namespaces, lane.address, load)
          const spent = cpuSeconds(namespaces.programPids) - before
          const { count, rate } = answersOf(output, `${lane.way.title}, ${loads[load].title}`)
          if (run < 0) continue
          lane.perSecond[load].push(rate)
          lane.perCpuSecond[load].push(count / spent)
        }
      }
    }
    say(`end to end: ${able.length} ways, ${runs} runs of ${client.seconds} s for each and each load`)
    const skipped = ways.flatMap((way) => {
      const obstacle = way.obstacle()
      return obstacle === undefined ? [] : [`${way.title}: ${obstacle}.`]
    })
    return { rates: lanes, skipped }
  } finally {
    await namespaces.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function sendLoad(namespaces: Namespaces, address: string, load: Load): string {
  const size = ['-t', '1', '-c', String(client.connections), '-d', `${client.seconds}s`]
  return namespaces.run(
    'client',
    'taskset',
    '-c',
    String(firstCpu),
    'wrk',
    ...size,
    ...loads[load].words,
    `http://${address}/`,
  )
}

/** Daemons and neighbours need a moment. */
async function answers(namespaces: Namespaces, address: string, way: Way): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  for (;;) {
    try {
      answersOf(namespaces.run('client', 'wrk', '-t', '1', '-c', '1', '-d', '1s', `http://${address}/`), way.title)
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
