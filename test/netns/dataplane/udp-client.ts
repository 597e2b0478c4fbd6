// A client of UDP driven by lines of JSON: `udp-client.ts ADDRESS PORT`. Sends datagrams from sockets of their own and
// answers each line with one line: what came back, and how many times nothing did.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'

export interface UdpRequest {
  readonly sockets: number
  readonly datagrams: number
  readonly bytes: number
}
export interface UdpAnswers {
  readonly perServer: Readonly<Record<string, number>>
  readonly clients: readonly string[]
  readonly sizes: readonly number[]
  /** Sockets whose datagrams did not all go to one server. */
  readonly split: number
  readonly lost: number
}

const [address = '', port = ''] = process.argv.slice(2)
const waitMs = 2000

/** Sends one datagram after the other from one socket; gives the answers. */
async function exchange(
  datagrams: number,
  bytes: number,
): Promise<({ name: string; client: string; bytes: number } | null)[]> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('error', () => undefined)
  await new Promise<void>((done) => socket.connect(Number(port), address, done))
  const answers = []
  for (let i = 0; i < datagrams; i++) {
    const answer = new Promise<string | null>((done) => {
      const timer = setTimeout(() => done(null), waitMs)
      socket.once('message', (message) => {
        clearTimeout(timer)
        done(message.toString())
      })
    })
    socket.send(Buffer.alloc(bytes, 'u'))
    const text = await answer
    answers.push(text === null ? null : (JSON.parse(text) as { name: string; client: string; bytes: number }))
  }
  socket.close()
  return answers
}

async function run({ sockets, datagrams, bytes }: UdpRequest): Promise<UdpAnswers> {
  const perServer: Record<string, number> = {}
  const clients = new Set<string>()
  const sizes = new Set<number>()
  let [split, lost] = [0, 0]
  for (let i = 0; i < sockets; i++) {
    const answers = await exchange(datagrams, bytes)
    const names = new Set<string>()
    for (const answer of answers) {
      if (answer === null) {
        lost++
        continue
      }
      names.add(answer.name)
      clients.add(answer.client)
      sizes.add(answer.bytes)
      perServer[answer.name] = (perServer[answer.name] ?? 0) + 1
    }
    if (names.size > 1) split++
  }
  return { perServer, clients: [...clients], sizes: [...sizes], split, lost }
}

process.stdout.write('{"ready":true}\n')
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(line) as UdpRequest))}\n`)
}
