import type { WebSocket } from 'ws'
import { maxFrameBytes, tooLarge } from '../../core/rpc/framing.ts'
import { type Wire, WireState } from '../../core/rpc/wire.ts'

/** WebSocket close codes (RFC 6455 section 7.4.1). */
const unsupportedData = 1003
const invalidPayload = 1007

/**
 * An open WebSocket of the page as a wire: one text message is one JSON value. Messages over the limit end the
 * connection in `ws` itself (`maxPayload`, code 1009). There is no back pressure here: streams send on credit, which a
 * page that does not read does not give.
 */
export function webSocketWire(socket: WebSocket): Wire {
  const state = new WireState()
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) {
      socket.close(unsupportedData, 'expected JSON text')
      return
    }
    let message: unknown
    try {
      message = JSON.parse(data.toString('utf8'))
    } catch {
      socket.close(invalidPayload, 'expected JSON text')
      return
    }
    state.receive(message)
  })
  // `ws` closes by itself after an error; without a listener the error would end the program.
  let failure: Error | undefined
  socket.on('error', (error) => {
    failure = error
  })
  socket.on('close', (code) => state.close(failure?.message ?? `WebSocket code ${code}`))
  return {
    send(message) {
      if (state.isClosed) return
      const text = JSON.stringify(message)
      const bytes = Buffer.byteLength(text)
      if (bytes > maxFrameBytes) throw tooLarge(bytes)
      socket.send(text)
    },
    onMessage: (listener) => state.onMessage(listener),
    onClose: (listener) => state.onClose(listener),
    close(reason = 'closed') {
      if (state.close(reason)) socket.close(1000, reason.slice(0, 40))
    },
  }
}
