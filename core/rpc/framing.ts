import { AppError } from '../contract/errors.ts'

/** Greatest frame in bytes, header not counted. Checked before anything is allocated for it. */
export const maxFrameBytes = 8 * 1024 * 1024
const headerBytes = 4

const encoder = new TextEncoder()

/** One message as a frame: length in 4 bytes, big-endian, then JSON in UTF-8. Throws TOO_LARGE. */
export function encodeFrame(message: unknown): Uint8Array {
  const body = encoder.encode(JSON.stringify(message))
  if (body.length > maxFrameBytes) throw tooLarge(body.length)
  const frame = new Uint8Array(headerBytes + body.length)
  new DataView(frame.buffer).setUint32(0, body.length)
  frame.set(body, headerBytes)
  return frame
}

const tooLarge = (bytes: number) =>
  new AppError('TOO_LARGE', `A frame of ${bytes} bytes was found where at most ${maxFrameBytes} are expected.`)

/**
 * Cuts a byte stream into messages, however it arrives. Throws TOO_LARGE for an announced length over the limit and
 * BAD_INPUT for a body that is no JSON; the stream is of no use after either.
 */
export class FrameDecoder {
  readonly #header = new Uint8Array(headerBytes)
  #headerFill = 0
  #body: Uint8Array | undefined
  #bodyFill = 0

  /** Messages that the chunk completed, in order. */
  push(chunk: Uint8Array): unknown[] {
    const messages: unknown[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#body === undefined) {
        const part = chunk.subarray(at, at + headerBytes - this.#headerFill)
        this.#header.set(part, this.#headerFill)
        this.#headerFill += part.length
        at += part.length
        if (this.#headerFill < headerBytes) break
        const length = new DataView(this.#header.buffer).getUint32(0)
        if (length > maxFrameBytes) throw tooLarge(length)
        this.#body = new Uint8Array(length)
        this.#bodyFill = 0
      }
      const part = chunk.subarray(at, at + this.#body.length - this.#bodyFill)
      this.#body.set(part, this.#bodyFill)
      this.#bodyFill += part.length
      at += part.length
      if (this.#bodyFill === this.#body.length) {
        messages.push(parse(this.#body))
        this.#body = undefined
        this.#headerFill = 0
      }
    }
    return messages
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new AppError('BAD_INPUT', `A frame of ${body.length} bytes is not JSON in UTF-8.`, { cause })
  }
}
