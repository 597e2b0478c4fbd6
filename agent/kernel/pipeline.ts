// Many netlink requests in one datagram, and their answers back in order: the part that needs no socket.
// Source: netlink_rcv_skb and netlink_ack of net/netlink/af_netlink.c.
import { KernelError } from './errno.ts'
import { type NetlinkMessage, encodeMessage, errorOf, messageFlag, messageType } from './netlink.ts'

export interface NetlinkRequest {
  readonly type: number
  /** Besides NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags: number
  readonly payload: Buffer
  /** Completes "The kernel refused …". */
  readonly what: string
}

export interface NetlinkAnswer {
  /** Null where the kernel did it. */
  readonly error: KernelError | null
  readonly messages: readonly NetlinkMessage[]
}

/** What the kernel granted for a socket's buffers. */
export interface PipelineRoom {
  readonly sendBytes: number
  readonly receiveBytes: number
}

const headerSize = 16
/**
 * What one waiting acknowledgement costs the receive buffer, with its bookkeeping (sk_buff 256, data 512 to 1,024 with
 * the kernel's words, skb_shared_info 320) and room to spare.
 */
const acknowledgementBytes = 2048
/** A datagram beyond this is no faster. */
const largestBatchBytes = 1 << 17

/**
 * Cuts requests, in their order, into batches whose datagram fits the send buffer and whose answers, all waiting at once,
 * fit the receive buffer. A request that is too large by itself stands alone: the kernel refuses it by name.
 */
export function cutIntoBatches(
  requests: readonly NetlinkRequest[],
  room: PipelineRoom,
  answerBytes: number,
): NetlinkRequest[][] {
  const mostBytes = Math.min(largestBatchBytes, room.sendBytes >> 1)
  const mostRequests = Math.max(1, Math.floor(room.receiveBytes / (acknowledgementBytes + answerBytes)))
  const batches: NetlinkRequest[][] = []
  let batch: NetlinkRequest[] = []
  let bytes = 0
  for (const request of requests) {
    const size = headerSize + request.payload.length + 3
    if (batch.length > 0 && (batch.length === mostRequests || bytes + size > mostBytes)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(request)
    bytes += size
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

interface Entry {
  readonly request: NetlinkRequest
  readonly messages: NetlinkMessage[]
  /** Undefined until the acknowledgement has come. */
  error: KernelError | null | undefined
}

/**
 * One batch: which request has which sequence number, and what was answered to it. Every request asks for its
 * acknowledgement, so that silence is never taken for success.
 */
export class AnswerLedger {
  readonly #first: number
  readonly #entries: readonly Entry[]
  #open: number

  /** Sequence numbers count up from `first`, beyond 2^32 - 1 from 0 again. */
  constructor(requests: readonly NetlinkRequest[], first: number) {
    this.#first = first
    this.#entries = requests.map((request) => ({ request, messages: [], error: undefined }))
    this.#open = requests.length
  }

  /** All requests, as they are sent. */
  datagram(): Buffer {
    return Buffer.concat(
      this.#entries.map(({ request }, index) =>
        encodeMessage({
          type: request.type,
          flags: request.flags | messageFlag.request | messageFlag.ack,
          sequence: (this.#first + index) >>> 0,
          payload: request.payload,
        }),
      ),
    )
  }

  /** Notes an answer. What belongs to none of the requests, or to one that is acknowledged already, is left alone. */
  take(message: NetlinkMessage): void {
    const entry = this.#entries[(message.sequence - this.#first) >>> 0]
    if (entry === undefined || entry.error !== undefined) return
    if (message.type !== messageType.error) {
      entry.messages.push(message)
      return
    }
    entry.error = errorOf(message, entry.request.what)
    this.#open -= 1
  }

  get isComplete(): boolean {
    return this.#open === 0
  }

  /** The outcomes in the order of the requests; `errno` and `says` for those without an acknowledgement. */
  close(errno: string, says: string): NetlinkAnswer[] {
    return this.#entries.map(({ request, messages, error }) => ({
      error: error === undefined ? new KernelError(request.what, errno, { says }) : error,
      messages,
    }))
  }
}
