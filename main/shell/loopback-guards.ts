import type { IncomingMessage } from 'node:http'

/**
 * Names of this machine with any port: `ssh -L 8080:127.0.0.1:4711` makes the browser say `localhost:8080`. Everything
 * else is a name that somebody else's DNS points here (rebinding).
 */
const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?$/

export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && loopbackHost.test(host)
}

/** Only a page of this very server may change something or open the socket; a request without an Origin may not. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && isLoopbackHost(host) && origin === `http://${host}`
}

/** Values of the cookie with that name, as sent; there can be several of one name. */
export function cookieValues(header: string | undefined, name: string): string[] {
  return (header ?? '').split(';').flatMap((part) => {
    const equals = part.indexOf('=')
    return equals > 0 && part.slice(0, equals).trim() === name ? [part.slice(equals + 1).trim()] : []
  })
}

/** What is wrong with a request before anybody looks at its path; null: nothing. */
export function refuseRequest(request: Pick<IncomingMessage, 'method' | 'headers'>): 'host' | 'origin' | null {
  const { host, origin } = request.headers
  if (!isLoopbackHost(host)) return 'host'
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  if (!isReading && !isOwnOrigin(origin, host)) return 'origin'
  // A browser sends an Origin with a plain GET only for scripts and fetches; one that is not ours asks for no good.
  if (origin !== undefined && !isOwnOrigin(origin, host)) return 'origin'
  return null
}

/** The same for a request to open a WebSocket, which always needs our own Origin. */
export function refuseUpgrade(request: Pick<IncomingMessage, 'headers'>): 'host' | 'origin' | null {
  const { host, origin } = request.headers
  if (!isLoopbackHost(host)) return 'host'
  return isOwnOrigin(origin, host) ? null : 'origin'
}
