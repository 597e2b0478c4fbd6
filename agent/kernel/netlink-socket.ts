// Netlink sockets: requests with one caller at a time, and subscriptions to multicast groups. Source: netlink(7),
// include/uapi/linux/netlink.h, net/netlink/af_netlink.c.
import { MalformedError } from './bytes.ts'
import { KernelError, isErrno } from './errno.ts'
import { type NetlinkMessage, decodeMessages, encodeMessage, errorOf, messageFlag, messageType } from './netlink.ts'
import { AnswerLedger, type NetlinkAnswer, type NetlinkRequest, type PipelineRoom, cutIntoBatches } from './pipeline.ts'
import {
  closeFd,
  family,
  onReadable,
  openSocket,
  receive,
  sendTo,
  setSocketOption,
  socketOption,
  socketType,
} from './syscall.ts'

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

/**
 * A socket for requests. The kernel answers within the call that sends, so requests are plain functions: they send,
 * read the answers with their own sequence number and return. Answers of earlier, abandoned requests are skipped.
 */
export class NetlinkSocket {
  readonly #fd: number
  readonly #room = Buffer.alloc(largestDatagram)
  readonly #name: string
  #sequence = 0
  #pipeline: PipelineRoom | undefined

  constructor(protocol: number, name: string) {
    this.#name = name
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
    this.#exchange(type, flags | messageFlag.request | messageFlag.ack, payload, what)
  }

  /** One object. */
  get(type: number, payload: Buffer, what: string): NetlinkMessage[] {
    return this.#exchange(type, messageFlag.request | messageFlag.ack, payload, what)
  }

  /** All objects. A table that changes while it is read is read again, where the kernel notices that. */
  dump(type: number, payload: Buffer, what: string): NetlinkMessage[] {
    for (let attempt = 1; attempt <= dumpAttempts; attempt++) {
      const messages = this.#exchange(type, messageFlag.request | messageFlag.dump, payload, what)
      if (!messages.some((message) => (message.flags & messageFlag.dumpInterrupted) !== 0)) {
        return messages.filter((message) => message.type !== messageType.done)
      }
    }
    throw new KernelError(what, 'EINTR', { says: `it changed during each of ${dumpAttempts} attempts` })
  }

  /**
   * Many requests with few system calls: the kernel works through all messages of one datagram, in their order, and
   * answers each by its sequence number. One outcome for each request, in their order; a refused one stops none of the
   * others. Nothing is thrown: a request whose answer did not come says so in its outcome.
   */
  exchangeAll(requests: readonly NetlinkRequest[], answerBytes = 0): NetlinkAnswer[] {
    this.#pipeline ??= {
      sendBytes: widen(this.#fd, bufferOption.send, bufferOption.sendForce, this.#name),
      receiveBytes: widen(this.#fd, bufferOption.receive, bufferOption.receiveForce, this.#name),
    }
    return cutIntoBatches(requests, this.#pipeline, answerBytes).flatMap((batch) => this.#exchangeBatch(batch))
  }

  #exchangeBatch(batch: readonly NetlinkRequest[]): NetlinkAnswer[] {
    const ledger = new AnswerLedger(batch, (this.#sequence + 1) >>> 0)
    this.#sequence = (this.#sequence + batch.length) >>> 0
    const what = `${batch.length} requests at once`
    try {
      sendTo(this.#fd, ledger.datagram(), null, what)
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
        // ENOBUFS: an answer was dropped. The others still wait to be read.
        if (!isErrno(error, 'ENOBUFS')) throw error
      }
    }
    return ledger.close('ENOBUFS', 'its answer was lost, so it may have been done')
  }

  #exchange(type: number, flags: number, payload: Buffer, what: string): NetlinkMessage[] {
    const sequence = (this.#sequence = (this.#sequence + 1) >>> 0)
    sendTo(this.#fd, encodeMessage({ type, flags, sequence, payload }), null, what)
    const answers: NetlinkMessage[] = []
    for (;;) {
      const datagram = receive(this.#fd, this.#room, what)
      if (datagram === null) throw new KernelError(what, 'ETIMEDOUT', { says: `${this.#name} did not answer` })
      for (const message of decodeMessages(Buffer.from(datagram))) {
        if (message.sequence !== sequence) continue
        if (message.type === messageType.error) {
          const error = errorOf(message, what)
          if (error !== null) throw error
          return answers
        }
        answers.push(message)
        if (message.type !== messageType.done) continue
        // The end of a dump carries a number as an acknowledgement does, where it ended too early.
        const error = message.payload.length < 4 ? null : errorOf(message, what)
        if (error !== null) throw error
        return answers
      }
    }
  }

  close(): void {
    closeFd(this.#fd)
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
