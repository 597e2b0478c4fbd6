// Netlink sockets: requests with one caller at a time, and subscriptions to multicast groups. Source: netlink(7),
// include/uapi/linux/netlink.h, net/netlink/af_netlink.c.
import { MalformedError } from './bytes.ts'
import { KernelError, isErrno } from './errno.ts'
import { type NetlinkMessage, decodeMessages, errorOf, messageFlag, messageType } from './netlink.ts'
import { NetlinkWriter } from './netlink-writer.ts'
import {
  AnswerLedger,
  type Batch,
  type NetlinkAnswers,
  type NetlinkRequest,
  type PipelineRoom,
  writeBatches,
  writeRequest,
} from './pipeline.ts'
import {
  closeFd,
  family,
  onReadable,
  openSocket,
  receive,
  receiveLength,
  sendTo,
  setSocketOption,
  socketOption,
  socketType,
} from './syscall.ts'

const messageHeaderSize = 16
const socketAddressSize = 12
const netlinkLevel = 270
/** Acknowledgements do not repeat the request (10), carry the kernel's words (11); requests are checked strictly (12). */
const netlinkOptions = { capAck: 10, extendedAck: 11, strictCheck: 12 } as const
const socketLevel = 1
const bufferOption = { send: 7, receive: 8, sendForce: 32, receiveForce: 33 } as const
/** Asked for when the first batch is sent; the kernel doubles it, and uses memory only for what waits. */
const wantedBuffer = 2 << 20
const largestDatagram = 1 << 18
const dumpAttempts = 8

function socketAddress(groups: number): Buffer {
  const address = Buffer.alloc(socketAddressSize)
  address.writeUInt16LE(family.netlink, 0)
  address.writeUInt32LE(groups >>> 0, 8)
  return address
}

/** Makes a buffer large; without CAP_NET_ADMIN up to net.core.*mem_max. Returns what the kernel granted. */
function widen(fd: number, plain: number, force: number, name: string): number {
  try {
    setSocketOption(fd, socketLevel, force, wantedBuffer, name)
  } catch (error) {
    if (!isErrno(error, 'EPERM')) throw error
    setSocketOption(fd, socketLevel, plain, wantedBuffer, name)
  }
  return socketOption(fd, socketLevel, plain, name)
}

/** Reads one message of a dump, from behind its netlink header; `words` change with the next message. */
export type ReadMessage<T> = (words: Uint32Array, start: number, end: number) => T

/**
 * A socket for requests. The kernel answers within the call that sends, so requests are plain functions: they send,
 * read the answers with their own sequence number and return. Answers of earlier, abandoned requests are skipped.
 */
export class NetlinkSocket {
  readonly #fd: number
  readonly #room: Buffer
  readonly #words: Uint32Array
  readonly #name: string
  readonly #writer = new NetlinkWriter()
  #sequence = 0
  #pipeline: PipelineRoom | undefined

  /** `roomBytes`: the longest datagram that is taken; the kernel makes those of a dump as long as it may. */
  constructor(protocol: number, name: string, roomBytes = largestDatagram) {
    this.#name = name
    const words = new Uint32Array(roomBytes >> 2)
    this.#words = words
    this.#room = Buffer.from(words.buffer)
    this.#fd = openSocket(family.netlink, socketType.raw, protocol, socketAddress(0), name)
    for (const option of Object.values(netlinkOptions)) {
      try {
        setSocketOption(this.#fd, netlinkLevel, option, 1, name)
      } catch (error) {
        // Older kernels answer without the text or check less; all are conveniences.
        if (!isErrno(error, 'ENOPROTOOPT')) throw error
      }
    }
  }

  /** Changes something; returns when the kernel has acknowledged it. `what` completes "The kernel refused …". */
  change(type: number, flags: number, payload: Buffer, what: string): void {
    this.request({ type, flags, what: () => what, write: (writer) => writer.raw(payload) })
  }

  /** One object. */
  get(type: number, payload: Buffer, what: string): NetlinkMessage[] {
    return this.request({ type, flags: 0, what: () => what, write: (writer) => writer.raw(payload) })
  }

  /** All objects. */
  dump(type: number, payload: Buffer, what: string): NetlinkMessage[] {
    return this.dumpEach(
      { type, flags: 0, what: () => what, write: (writer) => writer.raw(payload) },
      (words, start, end) => copyMessage(words, start - messageHeaderSize, end),
    )
  }

  /** One request with its acknowledgement; throws what the kernel refuses. */
  request(request: NetlinkRequest): NetlinkMessage[] {
    const sequence = this.#send(request, messageFlag.ack)
    const answers: NetlinkMessage[] = []
    let error: KernelError | null = null
    this.#receiveUntilEnd(
      sequence,
      () => request.what(),
      (type, at, end) => {
        const message = copyMessage(this.#words, at, end)
        if (type !== messageType.error) answers.push(message)
        else error = errorOf(message, request.what())
        return type === messageType.error
      },
    )
    if (error !== null) throw error as KernelError
    return answers
  }

  /**
   * All objects, each read in place. A table that changes while it is read is read again, where the kernel notices that.
   * What `read` throws is thrown when the dump has ended: a socket has one at a time.
   */
  dumpEach<T>(request: NetlinkRequest, read: ReadMessage<T>): T[] {
    for (let attempt = 1; attempt <= dumpAttempts; attempt++) {
      const found = this.#dumpOnce(request, read)
      if (found !== null) return found
    }
    throw new KernelError(request.what(), 'EINTR', { says: `it changed during each of ${dumpAttempts} attempts` })
  }

  /** Null where it was interrupted. */
  #dumpOnce<T>(request: NetlinkRequest, read: ReadMessage<T>): T[] | null {
    const sequence = this.#send(request, messageFlag.dump)
    const found: T[] = []
    const failures: unknown[] = []
    let isInterrupted = false
    this.#receiveUntilEnd(
      sequence,
      () => request.what(),
      (type, at, end) => {
        if ((wordAt(this.#words, at + 4) & (messageFlag.dumpInterrupted << 16)) !== 0) isInterrupted = true
        if (type === messageType.error || type === messageType.done) {
          // The end of a dump carries a number as an acknowledgement does, where it came too early.
          const size = end - at - messageHeaderSize
          const error = size < 4 ? null : errorOf(copyMessage(this.#words, at, end), request.what())
          if (error !== null) failures.push(error)
          return true
        }
        if (failures.length > 0) return false
        try {
          found.push(read(this.#words, at + messageHeaderSize, end))
        } catch (error) {
          failures.push(error)
        }
        return false
      },
    )
    if (failures.length > 0) throw failures[0]
    return isInterrupted ? null : found
  }

  /**
   * Many requests with few system calls: the kernel works through all messages of one datagram, in their order. One
   * outcome for each request, in their order; a refused one stops none of the others. What cannot be written throws, and
   * then nothing was sent; a request whose answer did not come says so in its outcome. `answerBytes`: what an answer
   * besides the acknowledgement may cost the receive buffer.
   */
  exchangeAll(requests: readonly NetlinkRequest[], answerBytes = 0): NetlinkAnswers {
    this.#pipeline ??= {
      sendBytes: widen(this.#fd, bufferOption.send, bufferOption.sendForce, this.#name),
      receiveBytes: widen(this.#fd, bufferOption.receive, bufferOption.receiveForce, this.#name),
    }
    const first = (this.#sequence + 1) >>> 0
    this.#sequence = (this.#sequence + requests.length) >>> 0
    const batches = writeBatches(new NetlinkWriter(), requests, first, this.#pipeline, answerBytes)
    const errors: (KernelError | null)[] = []
    const messages = new Map<number, readonly NetlinkMessage[]>()
    for (const batch of batches) {
      const answers = this.#exchangeBatch(batch)
      for (const [index, all] of answers.messages) messages.set(errors.length + index, all)
      for (const error of answers.errors) errors.push(error)
    }
    return { errors, messages }
  }

  #exchangeBatch(batch: Batch): NetlinkAnswers {
    const ledger = new AnswerLedger(batch)
    const what = `${batch.requests.length} requests at once`
    try {
      sendTo(this.#fd, batch.datagram, null, what)
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      return ledger.close(error.errno, 'it was not sent')
    }
    while (!ledger.isComplete) {
      try {
        const datagram = receive(this.#fd, this.#room, what)
        if (datagram === null) break
        for (const message of decodeMessages(Buffer.from(datagram))) ledger.take(message)
      } catch (error) {
        // An answer was dropped. The others still wait to be read.
        if (!isErrno(error, 'ENOBUFS')) throw error
        ledger.lose()
      }
    }
    return ledger.close('ENOBUFS', 'its answer was lost, so it may have been done')
  }

  /** Sends one request and returns its sequence number. */
  #send(request: NetlinkRequest, flags: number): number {
    const sequence = (this.#sequence = (this.#sequence + 1) >>> 0)
    const writer = this.#writer.reset()
    writeRequest(writer, request, flags | messageFlag.request, sequence)
    sendTo(this.#fd, writer.room, null, () => request.what(), writer.length)
    return sequence
  }

  /** Gives each message with the sequence number, in place, until `take` says that it was the last. */
  #receiveUntilEnd(
    sequence: number,
    what: () => string,
    take: (type: number, at: number, end: number) => boolean,
  ): void {
    for (;;) {
      const length = receiveLength(this.#fd, this.#room, what)
      if (length < 0) throw new KernelError(what(), 'ETIMEDOUT', { says: `${this.#name} did not answer` })
      for (let at = 0; at < length; ) {
        const size = at + messageHeaderSize > length ? 0 : wordAt(this.#words, at)
        if (size < messageHeaderSize || at + size > length) {
          throw new MalformedError('netlink datagram', `a message of ${size} bytes at ${at} of ${length}`)
        }
        const isOurs = wordAt(this.#words, at + 8) === sequence
        if (isOurs && take(wordAt(this.#words, at + 4) & 0xffff, at, at + size)) return
        at += (size + 3) & ~3
      }
    }
  }

  close(): void {
    closeFd(this.#fd)
  }
}

/** The word at an offset in bytes. */
const wordAt = (words: Uint32Array, at: number): number => words[at >> 2] ?? 0

/** A message on its own, from its header on. */
function copyMessage(words: Uint32Array, at: number, end: number): NetlinkMessage {
  const payload = Buffer.from(words.buffer, words.byteOffset + at + messageHeaderSize, end - at - messageHeaderSize)
  return {
    type: wordAt(words, at + 4) & 0xffff,
    flags: wordAt(words, at + 4) >>> 16,
    sequence: wordAt(words, at + 8),
    payload: Buffer.from(payload),
  }
}

/** What a subscription to multicast groups tells. */
export interface NetlinkListener {
  message(message: NetlinkMessage): void
  /** Messages were lost (ENOBUFS) or unreadable: whatever was derived from them must be read anew. */
  lost(): void
}

/** Listens to multicast groups from the event loop. Returns the function that ends it. */
export function subscribeNetlink(
  protocol: number,
  groups: number,
  name: string,
  listener: NetlinkListener,
): () => void {
  const fd = openSocket(family.netlink, socketType.raw, protocol, socketAddress(groups), name)
  const room = Buffer.alloc(largestDatagram)
  const stop = onReadable(fd, () => {
    for (let rounds = 0; rounds < 64; rounds++) {
      try {
        const datagram = receive(fd, room, name)
        if (datagram === null) return
        for (const message of decodeMessages(Buffer.from(datagram))) listener.message(message)
      } catch (error) {
        if (!isErrno(error, 'ENOBUFS', 'EMSGSIZE') && !(error instanceof MalformedError)) throw error
        listener.lost()
      }
    }
  })
  let isOpen = true
  return () => {
    if (!isOpen) return
    isOpen = false
    stop()
    closeFd(fd)
  }
}
