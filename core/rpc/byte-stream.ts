import { AppError } from '../contract/errors.ts'
import { encodeFrame, FrameDecoder } from './framing.ts'
import { type Wire, WireState } from './wire.ts'

/** What a byte stream must have to carry frames; Node's sockets and ssh2's channels have it. */
export interface ByteStream {
  write(bytes: Uint8Array): boolean
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  on(event: 'close' | 'end' | 'drain', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy(): unknown
}

/** Bytes that may wait for a peer that does not read; more ends the connection, since nothing else frees the memory. */
const maxQueuedBytes = 64 * 1024 * 1024

/**
 * A wire over a byte stream. Respects `write() === false`: frames wait until `drain`. A frame that cannot be read closes
 * the stream with its reason; there is no way to find the next one.
 */
export function byteStreamWire(stream: ByteStream): Wire {
  const state = new WireState()
  const decoder = new FrameDecoder()
  const queue: Uint8Array[] = []
  let queuedBytes = 0
  let isBlocked = false
  const end = (reason: string) => {
    if (!state.close(reason)) return
    queue.length = 0
    stream.destroy()
  }
  stream.on('data', (chunk) => {
    if (state.isClosed) return
    try {
      for (const message of decoder.push(chunk)) state.receive(message)
    } catch (error) {
      end(error instanceof AppError ? error.message : 'The stream could not be read.')
    }
  })
  stream.on('drain', () => {
    isBlocked = false
    for (;;) {
      const frame: Uint8Array | undefined = isBlocked ? undefined : queue.shift()
      if (frame === undefined) break
      queuedBytes -= frame.length
      isBlocked = !stream.write(frame)
    }
  })
  stream.on('error', (error) => end(error.message))
  stream.on('end', () => end('The other side ended the connection.'))
  stream.on('close', () => end('The connection was closed.'))
  return {
    send(message) {
      if (state.isClosed) return
      const frame = encodeFrame(message)
      if (!isBlocked) {
        isBlocked = !stream.write(frame)
        return
      }
      queue.push(frame)
      queuedBytes += frame.length
      if (queuedBytes > maxQueuedBytes) end('The other side does not read.')
    },
    onMessage: (listener) => state.onMessage(listener),
    onClose: (listener) => state.onClose(listener),
    close: (reason = 'closed') => end(reason),
  }
}
