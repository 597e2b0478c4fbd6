import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { consoleContract } from '../../core/contract/console.ts'
import { maxFrameBytes } from '../../core/rpc/framing.ts'
import { redactText } from '../../core/rpc/redact.ts'
import { serve } from '../../core/rpc/server.ts'
import type { Console } from '../console/ports.ts'
import { createLaunchLinks } from './launch-links.ts'
import { refuseRequest, refuseUpgrade } from './loopback-guards.ts'
import { type Notice, type NoticeResponse, noticePage, onwardPage } from './notice-page.ts'
import { loadPageFiles } from './page-files.ts'
import { webSocketWire } from './web-socket-wire.ts'

export interface HeadlessOptions {
  /** The core that every tab is a peer of; it is not closed with the server. */
  readonly console: Pick<Console, 'handlers'>
  /** The built page. */
  readonly rendererDir: string
  /** Left out or 0: any free port. */
  readonly port?: number
  /** What prints a new link, for the page that a used one gets; typed as it is. */
  readonly newLinkCommand: string
  /** One line, redacted; left out: nothing is logged. */
  readonly log?: (line: string) => void
}

/** A link that opens the console in one browser, once. */
export interface LaunchLink {
  readonly url: string
  readonly token: string
}

export interface Headless {
  readonly port: number
  readonly instanceId: string
  /** Tabs that are connected. */
  readonly peers: number
  newLink(): LaunchLink
  /** Ends every connection; resolves when the port is free. */
  close(): Promise<void>
}

const maxConnections = 256

/** Serves the page and the console's contract on loopback, for one machine's own browsers. */
export async function startHeadless(options: HeadlessOptions): Promise<Headless> {
  const { newLinkCommand } = options
  const log = (line: string): void => options.log?.(redactText(line))
  const links = createLaunchLinks()
  const files = await loadPageFiles(options.rendererDir)
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false })
  let isClosing = false

  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const language = request.headers['accept-language']
    const notice = (kind: Notice) => answer(noticePage(kind, language, newLinkCommand))
    const answer = ({ status, headers, body }: NoticeResponse, more: Record<string, string> = {}) => {
      response.writeHead(status, { ...headers, ...more })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    if (isClosing) return notice('unavailable')
    const wrong = refuseRequest(request)
    if (wrong !== null) {
      log(`refused ${request.method} with ${describe(request)}`)
      return notice(wrong === 'host' ? 'wrongHost' : 'wrongOrigin')
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return notice('wrongMethod')
    // Taken as sent: nothing is decoded or tidied, since the names of the page's files need neither.
    const [pathname = '', query = ''] = (request.url ?? '').split('?', 2)
    if (pathname === '/launch') {
      // HEAD looks; only GET uses the token up (link checkers and previews send HEAD).
      if (request.method === 'HEAD') return notice('wrongMethod')
      if (!links.redeem(new URLSearchParams(query).get('token') ?? '')) return notice('usedLink')
      response.writeHead(303, {
        location: '/',
        'set-cookie': links.setCookie(),
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      })
      response.end()
      return
    }
    if (!links.hasSession(request.headers.cookie)) {
      const isFromElsewhere = request.headers['sec-fetch-site'] === 'cross-site'
      if (isFromElsewhere && pathname === '/') return answer(onwardPage(language))
      return notice('noSession')
    }
    const file = files.respond(pathname)
    if (file === null) return notice('notFound')
    response.writeHead(200, { ...file.headers, 'content-length': String(file.body.length) })
    response.end(request.method === 'HEAD' ? undefined : file.body)
  }

  const onUpgrade = (request: http.IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    const refuse = (status: string): void => {
      log(`refused a WebSocket (${status}) with ${describe(request)}`)
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy())
    }
    if (isClosing) return refuse('503 Service Unavailable')
    const wrong = refuseUpgrade(request)
    if (wrong !== null) return refuse(wrong === 'host' ? '421 Misdirected Request' : '403 Forbidden')
    if (!links.hasSession(request.headers.cookie)) return refuse('401 Unauthorized')
    if (request.url !== '/rpc') return refuse('404 Not Found')
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      serve(webSocketWire(webSocket), consoleContract, options.console.handlers, {
        peer: 'page',
        access: 'change',
        onDefect: (method, error) => log(`${method} failed: ${error instanceof Error ? error.stack : String(error)}`),
      })
    })
  }

  const listen = async (host: string, port: number): Promise<http.Server> => {
    const server = http.createServer(onRequest)
    server.maxConnections = maxConnections
    server.on('upgrade', onUpgrade)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, ipv6Only: true }, resolve)
    })
    return server
  }

  const v4 = await listen('127.0.0.1', options.port ?? 0)
  const { port } = v4.address() as AddressInfo
  // `localhost` may mean ::1 to a browser. Without IPv6, or where that port is taken, 127.0.0.1 serves alone.
  const v6 = await listen('::1', port).catch((error: Error) => {
    log(`not listening on [::1]:${port}: ${error.message}`)
    return null
  })
  const servers = v6 === null ? [v4] : [v4, v6]

  return {
    port,
    instanceId: links.instanceId,
    get peers() {
      return sockets.clients.size
    },
    newLink() {
      const token = links.newToken()
      return { token, url: `http://127.0.0.1:${port}/launch?token=${token}` }
    },
    async close() {
      isClosing = true
      for (const socket of sockets.clients) socket.close(1001, 'the console is closing')
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
      for (const server of servers) server.closeIdleConnections()
      const cutOff = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
        for (const server of servers) server.closeAllConnections()
      }, 1000)
      await Promise.all(closed)
      clearTimeout(cutOff)
    },
  }
}

/** What of a refused request helps whoever reads the log; never its path, which may carry a token. */
function describe({ headers }: http.IncomingMessage): string {
  return JSON.stringify({ host: headers.host, origin: headers.origin, site: headers['sec-fetch-site'] })
}
