import { AppError } from '../contract/errors.ts'

/** Greatest frame in bytes, header not counted. Checked before anything is allocated for it. */
export const maxFrameBytes = 8 * 1024 * 1024
const headerBytes = 4
const firstBodyBytes = 64 * 1024

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

/** What every transport says of a message over the limit. */
export const tooLarge = (bytes: number) =>
  new AppError('TOO_LARGE', `A frame of ${bytes} bytes was found where at most ${maxFrameBytes} are expected.`)

/**
 * Cuts a byte stream into messages, however it arrives. Throws TOO_LARGE for an announced length over the limit and
 * BAD_INPUT for a body that is no JSON; the stream is of no use after either.
 */
export class FrameDecoder {
  readonly #header = new Uint8Array(headerBytes)
  #headerFill = 0
  #length: number | undefined
  /** Grows with what arrives: a far end that only announces eight megabytes does not get them. */
  #body = new Uint8Array(0)
  #bodyFill = 0

  /** Messages that the chunk completed, in order. */
  push(chunk: Uint8Array): unknown[] {
    const messages: unknown[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#length === undefined) {
        const part = chunk.subarray(at, at + headerBytes - this.#headerFill)
        this.#header.set(part, this.#headerFill)
        this.#headerFill += part.length
        at += part.length
        if (this.#headerFill < headerBytes) break
        const length = new DataView(this.#header.buffer).getUint32(0)
        if (length > maxFrameBytes) throw tooLarge(length)
        if (length === 0) throw new AppError('BAD_INPUT', 'A frame of 0 bytes was found where JSON is expected.')
        this.#length = length
      }
      const part = chunk.subarray(at, at + this.#length - this.#bodyFill)
      this.#append(part, this.#length)
      at += part.length
      if (this.#bodyFill === this.#length) {
        messages.push(parse(this.#body.subarray(0, this.#length)))
        this.#length = undefined
        this.#headerFill = 0
        this.#body = new Uint8Array(0)
        this.#bodyFill = 0
      }
    }
    return messages
  }

  #append(part: Uint8Array, length: number): void {
    const wanted = this.#bodyFill + part.length
    if (wanted > this.#body.length) {
      const grown = new Uint8Array(Math.min(length, Math.max(firstBodyBytes, this.#body.length * 2, wanted)))
      grown.set(this.#body.subarray(0, this.#bodyFill))
      this.#body = grown
    }
    this.#body.set(part, this.#bodyFill)
    this.#bodyFill = wanted
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new AppError('BAD_INPUT', `A frame of ${body.length} bytes is not JSON in UTF-8.`, { cause })
  }
}
