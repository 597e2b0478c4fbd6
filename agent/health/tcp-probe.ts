import { connect } from 'node:net'

export type ProbeResult =
  | { readonly isUp: true; readonly latencyMs: number }
  /** `error` is an errno by name, or `ETIMEDOUT` where nothing came in time. */
  | { readonly isUp: false; readonly error: string }

/** One check of a real server. */
export type Probe = (address: string, port: number, timeoutMs: number) => Promise<ProbeResult>

/** Up = the handshake completes in time. The connection is closed at once, without a byte of payload. */
export const probeTcp: Probe = (address, port, timeoutMs) =>
  new Promise((resolve) => {
    const startedAt = performance.now()
    const socket = connect({ host: address, port })
    const finish = (result: ProbeResult) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    // Not socket.setTimeout: that one counts idle time, this one the whole attempt.
    const timer = setTimeout(() => finish({ isUp: false, error: 'ETIMEDOUT' }), timeoutMs)
    socket.once('connect', () => finish({ isUp: true, latencyMs: performance.now() - startedAt }))
    socket.on('error', (error: NodeJS.ErrnoException) => finish({ isUp: false, error: error.code ?? error.message }))
  })
