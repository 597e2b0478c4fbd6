// A client driven by lines of JSON: `client.ts ADDRESS PORT`. Requests on connections of their own, connections that are
// held, transfers. Answers each line with one line.
import { type Socket, connect } from 'node:net'
import { createInterface } from 'node:readline'

export type ClientRequest =
  | { readonly requests: number; readonly atOnce: number }
  | { readonly hold: true }
  | { readonly onHeld: true }
  | { readonly upload: number }
  | { readonly download: number }

const [address = '', port = ''] = process.argv.slice(2)
const timeoutMs = 5000

/** Reads lines, and bytes without lines, from one connection. */
class Connection {
  readonly socket: Socket
  #text = ''
  #bytes = 0
  #wake: () => void = () => undefined
  #failure: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#text += chunk.length > 4096 ? '' : chunk.toString('latin1')
      this.#bytes += chunk.length
      this.#wake()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message))
    socket.on('close', () => this.#fail('CLOSED'))
    socket.setTimeout(timeoutMs, () => this.#fail('TIMEOUT'))
  }

  #fail(code: string): void {
    this.#failure ??= code
    this.#wake()
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (this.#failure !== undefined) throw new Error(this.#failure)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  line(): Promise<string> {
    return this.#until(() => {
      const end = this.#text.indexOf('\n')
      if (end < 0) return undefined
      const line = this.#text.slice(0, end)
      this.#text = this.#text.slice(end + 1)
      return line
    })
  }

  bytes(wanted: number): Promise<number> {
    return this.#until(() => (this.#bytes >= wanted ? this.#bytes : undefined))
  }

  async who(): Promise<{ name: string; client: string }> {
    this.socket.write('who\n')
    return JSON.parse(await this.line()) as { name: string; client: string }
  }
}

function open(): Promise<Connection> {
  const socket = connect(Number(port), address)
  const connection = new Connection(socket)
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(connection))
    socket.once('error', reject)
    socket.once('timeout', () => reject(new Error('CONNECT_TIMEOUT')))
  })
}

async function request(): Promise<{ name: string; client: string; sourcePort: number }> {
  const connection = await open()
  try {
    const { localPort: sourcePort = 0 } = connection.socket
    return { ...(await connection.who()), sourcePort }
  } finally {
    connection.socket.end()
  }
}

async function requests(count: number, atOnce: number): Promise<unknown> {
  const perServer: Record<string, number> = {}
  const failures: Record<string, number> = {}
  let left = count
  let last: unknown = null
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      try {
        const answer = await request()
        perServer[answer.name] = (perServer[answer.name] ?? 0) + 1
        last = answer
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error)
        failures[code] = (failures[code] ?? 0) + 1
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { perServer, failures, last }
}

let held: Connection | undefined

async function answer(message: ClientRequest): Promise<unknown> {
  if ('requests' in message) return requests(message.requests, message.atOnce)
  if ('hold' in message) {
    held = await open()
    return { ...(await held.who()), sourcePort: held.socket.localPort }
  }
  if ('onHeld' in message) return held === undefined ? null : held.who()
  const connection = await open()
  try {
    if ('upload' in message) {
      connection.socket.write(`take ${message.upload}\n`)
      await connection.line()
      connection.socket.write(Buffer.alloc(message.upload, 'y'))
      return JSON.parse(await connection.line())
    }
    connection.socket.write(`give ${message.download}\n`)
    return { got: await connection.bytes(message.download) }
  } finally {
    connection.socket.destroy()
  }
}

process.stdout.write('{"ready":true}\n')
for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line) as ClientRequest).catch((error: unknown) => ({ failed: String(error) }))
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
