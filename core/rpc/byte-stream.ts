import { AppError, toWireError } from '../contract/errors.ts'
import { encodeFrame, FrameDecoder } from './framing.ts'
import type { Response } from './message.ts'
import { type Wire, WireState } from './wire.ts'

/** What a byte stream must have to carry frames; Node's sockets and ssh2's channels have it. */
export interface ByteStream {
  /** False: wait for `drain`. */
  write(bytes: Uint8Array): boolean
  /** Closes after what was written. */
  end(): unknown
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  on(event: 'close' | 'end' | 'drain', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy(): unknown
}

/** Bytes that may wait for a peer that does not read; more ends the connection, since nothing else frees the memory. */
const maxQueuedBytes = 64 * 1024 * 1024

/** Bytes that are read and dropped after a bad frame, so that the far end gets to read why before the reset. */
const maxDroppedBytes = 8 * 1024 * 1024

/**
 * A wire over a byte stream. Respects `write() === false`: frames wait until `drain`. A frame that cannot be read closes
 * the stream and tells both sides why; there is no way to find the next one.
 */
export function byteStreamWire(stream: ByteStream): Wire {
  const state = new WireState()
  const decoder = new FrameDecoder()
  const queue: Uint8Array[] = []
  let queuedBytes = 0
  let isBlocked = false
  let isBroken = false
  let droppedBytes = 0
  const end = (reason: string) => {
    if (!state.close(reason)) return
    queue.length = 0
    stream.destroy()
  }
  /** The frames that wait are lost; the far end's calls fail with this error instead. */
  const breakOff = (error: AppError) => {
    isBroken = true
    const last: Response = { t: 'fatal', e: toWireError(error) }
    stream.write(encodeFrame(last))
    stream.end()
    state.close(error.message)
    queue.length = 0
  }
  stream.on('data', (chunk) => {
    if (isBroken) {
      droppedBytes += chunk.length
      if (droppedBytes > maxDroppedBytes) stream.destroy()
    }
    if (state.isClosed) return
    let messages: unknown[]
    try {
      messages = decoder.push(chunk)
    } catch (error) {
      breakOff(error instanceof AppError ? error : new AppError('BAD_INPUT', 'The stream could not be read.'))
      return
    }
    for (const message of messages) state.receive(message)
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
  stream.on('error', (error) => {
    end(error.message)
    stream.destroy()
  })
  stream.on('end', () => {
    end('The other side ended the connection.')
    stream.destroy()
  })
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
    close(reason = 'closed') {
      if (!state.close(reason)) return
      // What was sent goes out; destroy() would cut it off.
      for (const frame of queue.splice(0)) stream.write(frame)
      stream.end()
    },
  }
}
