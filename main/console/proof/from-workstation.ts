import net from 'node:net'
import { formatEndpoint } from '../../../core/model/address.ts'
import type { Attempt, ServiceKind } from './attempt.ts'
import { requestTimeoutMs } from './attempt.ts'

/**
 * Sends one request from this machine on a connection of its own. A service that does not answer HTTP is proved by its
 * TCP handshake. `kind` is what is known of the service; the result says what this request showed.
 */
export function requestFromHere(
  vip: string,
  port: number,
  kind: ServiceKind,
  signal: AbortSignal,
): Promise<{ attempt: Attempt; kind: ServiceKind }> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const socket = net.connect({ host: vip, port })
    let isConnected = false
    let head = ''
    let clientAddress: string | null = null
    let clientPort: number | null = null

    const end = (outcome: { isOk: boolean; httpStatus?: number; error?: string; kind: ServiceKind }) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve({
        kind: outcome.kind,
        attempt: {
          isOk: outcome.isOk,
          durationMs: outcome.isOk ? performance.now() - startedAt : null,
          httpStatus: outcome.httpStatus ?? null,
          error: outcome.error ?? null,
          clientAddress,
          clientPort,
        },
      })
    }
    const onTimeout = () => {
      // Connected and silent is fine for a service that lets the client speak first, and not for HTTP.
      if (isConnected && kind === 'unknown') end({ isOk: true, kind: 'tcp' })
      else end({ isOk: false, error: 'ETIMEDOUT', kind })
    }
    let timer = setTimeout(onTimeout, requestTimeoutMs)
    const onAbort = () => end({ isOk: false, error: 'ECANCELED', kind })
    signal.addEventListener('abort', onAbort)

    socket.on('connect', () => {
      isConnected = true
      clientAddress = socket.localAddress ?? null
      clientPort = socket.localPort ?? null
      if (kind === 'tcp') return end({ isOk: true, kind })
      clearTimeout(timer)
      timer = setTimeout(onTimeout, requestTimeoutMs)
      socket.write(
        `GET / HTTP/1.1\r\nHost: ${formatEndpoint(vip, port)}\r\nUser-Agent: signalbox-proof\r\nConnection: close\r\n\r\n`,
      )
    })
    socket.on('data', (data) => {
      head += data.toString('latin1')
      const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(head)?.[1]
      if (status !== undefined) return end({ isOk: true, httpStatus: Number(status), kind: 'http' })
      // Enough to see that it is no status line.
      if (head.length >= 12 || !'HTTP/1.'.startsWith(head.slice(0, 7))) end(notHttp())
    })
    socket.on('end', () => end(notHttp()))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isConnected && kind === 'unknown' && error.code !== 'ECONNRESET') end({ isOk: true, kind: 'tcp' })
      else end({ isOk: false, error: error.code ?? error.message, kind })
    })
    const notHttp = () =>
      kind === 'http' ? { isOk: false, error: 'EPROTO', kind } : { isOk: true, kind: 'tcp' as const }
  })
}
