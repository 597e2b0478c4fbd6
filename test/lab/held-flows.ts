/**
 * Long flows: `held-flows.mjs ADDRESS PORT COUNT INTERVAL_MS` opens COUNT connections, sends one request on each every
 * INTERVAL_MS and never reconnects. Prints `open` when each has had its first answer or has failed, then answers each
 * line on standard input with one line of JSON (`HeldFlow[]`) and ends at end of file.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

export interface HeldFlow {
  /** 0 until the connection is there. */
  readonly sourcePort: number
  /** Names of the servers that answered on this connection: more than one is a fault of the director. */
  readonly servers: readonly string[]
  readonly answers: number
  /** Epoch milliseconds of the last answer; 0 before the first. */
  readonly lastAnswerAtMs: number
  /** Why the connection ended (errno name, or `CLOSED`); null while it holds. */
  readonly brokenBy: string | null
}

const [address = '', portText, countText, intervalText] = process.argv.slice(2)
const [port, count, intervalMs] = [Number(portText), Number(countText), Number(intervalText)]

const holdFlow = (decided: () => void): (() => HeldFlow) => {
  const servers = new Set<string>()
  let sourcePort = 0
  let answers = 0
  let lastAnswerAtMs = 0
  let brokenBy: string | null = null
  let received = ''
  const socket = connect({ host: address, port, noDelay: true })
  const send = (): void => {
    if (brokenBy === null) socket.write(`GET / HTTP/1.1\r\nHost: ${address}\r\n\r\n`)
  }
  const end = (reason: string): void => {
    brokenBy ??= reason
    decided()
  }
  socket.setEncoding('latin1')
  socket.once('connect', () => {
    sourcePort = socket.localPort ?? 0
    send()
  })
  socket.on('data', (chunk: string) => {
    received += chunk
    // One answer at a time is outstanding: it is complete with the line feed that ends its JSON line.
    const body = received.split('\r\n\r\n')[1]
    if (body === undefined || !body.endsWith('\n')) return
    received = ''
    servers.add((JSON.parse(body) as { server: string }).server)
    answers++
    lastAnswerAtMs = Date.now()
    decided()
    setTimeout(send, intervalMs)
  })
  socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  socket.once('close', () => end('CLOSED'))
  return () => ({ sourcePort, servers: [...servers], answers, lastAnswerAtMs, brokenBy })
}

const flows: (() => HeldFlow)[] = []
await Promise.all(Array.from({ length: count }, () => new Promise<void>((decided) => flows.push(holdFlow(decided)))))
console.log('open')
createInterface({ input: process.stdin })
  .on('line', () => console.log(JSON.stringify(flows.map((flow) => flow()))))
  .on('close', () => process.exit(0))
