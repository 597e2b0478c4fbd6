// Many netlink requests in one datagram, and their answers back in order: the part that needs no socket.
// Source: netlink_rcv_skb and netlink_ack of net/netlink/af_netlink.c.
import { MalformedError } from './bytes.ts'
import { KernelError } from './errno.ts'
import { type NetlinkMessage, errorOf, messageFlag, messageType } from './netlink.ts'
import type { NetlinkWriter } from './netlink-writer.ts'

export interface NetlinkRequest {
  readonly type: number
  /** Besides NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags: number
  /** Completes "The kernel refused …"; asked for only then. */
  what(): string
  /** Writes what follows the netlink header. */
  write(writer: NetlinkWriter): void
}

export interface NetlinkAnswers {
  /** One for each request, in their order; null where the kernel did it. */
  readonly errors: readonly (KernelError | null)[]
  /** What was answered besides, by the place of the request. */
  readonly messages: ReadonlyMap<number, readonly NetlinkMessage[]>
}

/** What the kernel granted for a socket's buffers. */
export interface PipelineRoom {
  readonly sendBytes: number
  readonly receiveBytes: number
}

/** Consecutive requests that go out together. */
export interface Batch {
  readonly requests: readonly NetlinkRequest[]
  /** Sequence number of the first; the others count up from it, beyond 2^32 - 1 from 0 again. */
  readonly first: number
  readonly datagram: Buffer
}

/**
 * What one waiting acknowledgement costs the receive buffer, with its bookkeeping (sk_buff 256, data 512 to 1,024 with
 * the kernel's words, skb_shared_info 320) and room to spare.
 */
const acknowledgementBytes = 2048
/** A datagram beyond this is no faster. */
const largestBatchBytes = 1 << 17

/**
 * Writes all requests, and cuts them into batches whose datagram fits the send buffer and whose answers, were all of them
 * refused and waiting at once, fit the receive buffer. A request that is too large by itself stands alone: the kernel
 * refuses it by name. What cannot be written throws before anything is sent.
 *
 * The last request of a batch asks for its acknowledgement. The kernel takes the messages of one datagram in their order
 * and answers each refusal whether it was asked to or not, so this one tells that all before it were answered or done.
 */
export function writeBatches(
  writer: NetlinkWriter,
  requests: readonly NetlinkRequest[],
  first: number,
  room: PipelineRoom,
  answerBytes: number,
): Batch[] {
  const mostBytes = Math.min(largestBatchBytes, room.sendBytes >> 1)
  const mostRequests = Math.max(1, Math.floor(room.receiveBytes / (acknowledgementBytes + answerBytes)))
  writer.reset()
  const starts: number[] = []
  const cuts = [0]
  for (const [index, request] of requests.entries()) {
    starts.push(writer.length)
    writeRequest(writer, request, messageFlag.request, (first + index) >>> 0)
    const cut = cuts.at(-1) ?? 0
    if (index === cut) continue
    if (index - cut === mostRequests || writer.length - (starts[cut] ?? 0) > mostBytes) cuts.push(index)
  }
  const bytes = writer.copy()
  return cuts.flatMap((from, index): Batch[] => {
    const to = cuts[index + 1] ?? requests.length
    if (from === to) return []
    const flags = requests[to - 1]?.flags ?? 0
    bytes.writeUInt16LE(flags | messageFlag.request | messageFlag.ack, (starts[to - 1] ?? 0) + 6)
    return [
      {
        requests: requests.slice(from, to),
        first: (first + from) >>> 0,
        datagram: bytes.subarray(starts[from], starts[to] ?? bytes.length),
      },
    ]
  })
}

/** One request; where a value does not fit, the error says in which. */
export function writeRequest(writer: NetlinkWriter, request: NetlinkRequest, flags: number, sequence: number): void {
  try {
    const at = writer.beginMessage(request.type, request.flags | flags, sequence)
    request.write(writer)
    writer.endMessage(at)
  } catch (error) {
    throw error instanceof MalformedError ? new MalformedError(request.what(), error.message) : error
  }
}

/** One batch: which request has which sequence number, and what was answered to it. */
export class AnswerLedger {
  readonly #batch: Batch
  /** By place in the batch: what was refused. */
  readonly #errors = new Map<number, KernelError>()
  readonly #messages = new Map<number, NetlinkMessage[]>()
  #isComplete = false
  #isLossy = false

  constructor(batch: Batch) {
    this.#batch = batch
  }

  /** Notes an answer. What belongs to none of the requests, or comes after the end, is left alone. */
  take(message: NetlinkMessage): void {
    const index = (message.sequence - this.#batch.first) >>> 0
    const request = this.#batch.requests[index]
    if (request === undefined || this.#isComplete) return
    if (message.type !== messageType.error) {
      const messages = this.#messages.get(index)
      if (messages === undefined) this.#messages.set(index, [message])
      else messages.push(message)
      return
    }
    const error = errorOf(message, request.what())
    if (error !== null && !this.#errors.has(index)) this.#errors.set(index, error)
    this.#isComplete = index === this.#batch.requests.length - 1
  }

  /** Answers were dropped (ENOBUFS): from here on silence is no success. */
  lose(): void {
    this.#isLossy = true
  }

  /** The last request was answered, and with it all. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /**
   * The outcomes in the order of the requests. Where the end did not come, or answers were dropped, a request without an
   * answer of its own gets `errno` and `says`: it is never taken for done.
   */
  close(errno: string, says: string): NetlinkAnswers {
    const isKnown = this.#isComplete && !this.#isLossy
    const errors = this.#batch.requests.map((request, index) => {
      const isDone = isKnown || this.#messages.has(index)
      return this.#errors.get(index) ?? (isDone ? null : new KernelError(request.what(), errno, { says }))
    })
    return { errors, messages: this.#messages }
  }
}
