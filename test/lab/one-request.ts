import { request } from 'node:http'

export interface RequestTarget {
  readonly address: string
  readonly port: number
  readonly path: string
  readonly connectTimeoutMs: number
  readonly responseTimeoutMs: number
}

/** An answered request: who answered, and what that server saw of the client. */
export interface Answer {
  /** Epoch milliseconds of the start. */
  readonly atMs: number
  readonly durationMs: number
  readonly server: string
  readonly clientAddress: string
  /** Port that the client sent from. */
  readonly sourcePort: number
}

/** A failed request. `code` is the errno name, `CONNECT_TIMEOUT`, `RESPONSE_TIMEOUT` or `HTTP_<status>`. */
export interface Failure {
  readonly atMs: number
  readonly durationMs: number
  readonly code: string
}

export type Outcome = { readonly answer: Answer } | { readonly failure: Failure }

/** One request on a connection of its own (`Connection: close`). */
export const requestOnce = (target: RequestTarget): Promise<Outcome> =>
  new Promise((resolve) => {
    const atMs = Date.now()
    let connected = false
    const fail = (code: string): void => {
      clearTimeout(connectTimer)
      clearTimeout(responseTimer)
      outgoing.destroy()
      resolve({ failure: { atMs, durationMs: Date.now() - atMs, code } })
    }
    const outgoing = request({
      host: target.address,
      port: target.port,
      path: target.path,
      agent: false,
      headers: { connection: 'close' },
    })
    const connectTimer = setTimeout(() => connected || fail('CONNECT_TIMEOUT'), target.connectTimeoutMs)
    const responseTimer = setTimeout(() => fail('RESPONSE_TIMEOUT'), target.connectTimeoutMs + target.responseTimeoutMs)
    let sourcePort = 0
    outgoing.on('socket', (socket) =>
      socket.once('connect', () => {
        connected = true
        sourcePort = socket.localPort ?? 0
      }),
    )
    outgoing.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
    outgoing.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
      response.on('end', () => {
        if (response.statusCode !== 200) return fail(`HTTP_${response.statusCode}`)
        clearTimeout(connectTimer)
        clearTimeout(responseTimer)
        const seen = JSON.parse(body) as { server: string; client: string }
        const durationMs = Date.now() - atMs
        resolve({ answer: { atMs, durationMs, server: seen.server, clientAddress: seen.client, sourcePort } })
      })
    })
    outgoing.end()
  })
