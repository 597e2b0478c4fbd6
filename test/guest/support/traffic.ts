// Requests of the lab's client, and what came back.
import { once } from 'node:events'
import type { Guest } from '../../lab/guest/guest.ts'

export interface Answer {
  /** Name of the real server that answered. */
  readonly by: string
  /** Address of the client as that real server saw it. */
  readonly client: string
  readonly clientPort: number
}

export interface Request {
  readonly protocol: string
  readonly vip: string
  readonly port: number
  /** Requests on a flow each, one after the other. */
  readonly count: number
  /** More words for the lab's client, e.g. `sport=4000`. */
  readonly more?: readonly string[]
}

export interface Outcome {
  readonly answers: readonly Answer[]
  /** Such as `connect timeout`. */
  readonly failures: readonly string[]
}

/** How often each name answered, by name. */
export const shares = ({ answers }: Outcome): Record<string, number> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(answers, ({ by }) => by))
      .map(([name, all]) => [name, all?.length ?? 0] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )

/** Names in the order of their answers. */
export const names = ({ answers }: Outcome): string[] => answers.map(({ by }) => by)

const separator = '--'

function outcomeOf(text: string): Outcome {
  const lines = text.split('\n').filter((line) => line !== '')
  return {
    answers: lines.flatMap((line) => {
      const match = /^(?!failed )(\w+) ([0-9a-f.:]+) (\d+) /.exec(line)
      return match === null ? [] : [{ by: match[1] ?? '', client: match[2] ?? '', clientPort: Number(match[3]) }]
    }),
    failures: lines.filter((line) => line.startsWith('failed ')).map((line) => line.slice('failed '.length)),
  }
}

/** Connections that stay open until `end`. */
export interface Held extends Outcome {
  end(): Promise<void>
}

/** Opens connections, one after the other, asks once on each, and keeps them. */
export async function hold(guest: Guest, { protocol, vip, port, count, more = [] }: Request): Promise<Held> {
  const argv = ['lab-client', protocol, vip, String(port), `count=${count}`, ...more, 'hold']
  const child = guest.spawn(argv, { host: 'client' })
  const ended = once(child, 'close')
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  while (!printed.includes('held\n')) {
    const next = await Promise.race([once(child.stdout, 'data'), ended.then(() => 'ended' as const)])
    if (next === 'ended' && !printed.includes('held\n')) throw new Error(`lab-client ended early: ${errors}${printed}`)
  }
  return {
    ...outcomeOf(printed),
    end: async () => {
      child.stdin.end()
      await ended
    },
  }
}

/** Sends all requests from a host, one after the other, with one command; outcomes in the same order. */
export async function request(guest: Guest, requests: readonly Request[], from = 'client'): Promise<Outcome[]> {
  const lines = requests.map(({ protocol, vip, port, count, more = [] }) => {
    const words = ['lab-client', protocol, vip, String(port), `count=${count}`, ...more]
    return `${words.join(' ')}; echo ${separator}`
  })
  const text = await guest.run(lines.join('\n'), { host: from, timeoutMs: 600_000 })
  const parts = text.split(`${separator}\n`)
  return requests.map((_, i) => outcomeOf(parts[i] ?? ''))
}
