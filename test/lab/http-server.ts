/**
 * HTTP server of a lab real server: `http-server.mjs NAME PORT`. Names itself and the client address that it sees.
 *   GET /               {"server","client","clientPort","local","localPort"} as JSON
 *   GET /slow?ms=N      the same after N ms
 *   GET /big?bytes=N    N bytes, streamed; the name in the header X-Server
 * Prints `listening PORT` when it is ready. Keeps idle connections open for ever, so that long flows are the client's
 * decision alone.
 */
import { createServer, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

const [name, portText] = process.argv.slice(2)
const port = Number(portText)
if (name === undefined || !Number.isInteger(port)) {
  console.error('usage: http-server.mjs NAME PORT')
  process.exit(2)
}

const refuse = (response: ServerResponse, status: number, message: string): void => {
  response.writeHead(status, { 'content-type': 'text/plain', 'x-server': name })
  response.end(`${message}\n`)
}

/** The query value `key` as a whole number from 0 to `max`, or undefined after a refusal was sent. */
const numberFrom = (query: URLSearchParams, key: string, max: number, response: ServerResponse): number | undefined => {
  const found = query.get(key)
  const value = Number(found)
  if (found !== null && found !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value
  refuse(response, 400, `${key}: found "${found ?? ''}", expected a whole number from 0 to ${max}`)
  return undefined
}

function* zeros(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(65_536)
  for (let left = bytes; left > 0; left -= chunk.length) yield left < chunk.length ? chunk.subarray(0, left) : chunk
}

const server = createServer((request, response) => {
  const { socket } = request
  const url = new URL(request.url ?? '/', 'http://lab')
  const answer = (): void => {
    const body = `${JSON.stringify({
      server: name,
      client: socket.remoteAddress,
      clientPort: socket.remotePort,
      local: socket.localAddress,
      localPort: socket.localPort,
    })}\n`
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-server': name,
    })
    response.end(body)
  }
  if (url.pathname === '/') return answer()
  if (url.pathname === '/slow') {
    const ms = numberFrom(url.searchParams, 'ms', 600_000, response)
    if (ms !== undefined) setTimeout(answer, ms)
    return
  }
  if (url.pathname === '/big') {
    const bytes = numberFrom(url.searchParams, 'bytes', 10_000_000_000, response)
    if (bytes === undefined) return
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes,
      'x-server': name,
    })
    Readable.from(zeros(bytes), { objectMode: false })
      .on('error', () => response.destroy())
      .pipe(response)
    return
  }
  refuse(response, 404, `no such page: ${url.pathname}`)
})
server.keepAliveTimeout = 0
server.requestTimeout = 0
server.listen(port, '0.0.0.0', 1024, () => console.log(`listening ${port}`))
