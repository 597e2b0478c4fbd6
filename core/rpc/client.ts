import { z } from 'zod'
import {
  type Contract,
  type InputOf,
  type ItemOf,
  type MethodName,
  type OutputOf,
  type StreamName,
  timeoutOf,
} from '../contract/define.ts'
import { AppError, fromWireError } from '../contract/errors.ts'
import { misfit, readStream } from './client-stream.ts'
import { type Request, Response } from './message.ts'
import type { Wire } from './wire.ts'

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Overrides the contract's own. */
  readonly timeoutMs?: number
}

/** The calling side of a contract: every method and stream by name, inputs and answers typed from the schemas. */
export interface Client<C extends Contract> {
  /** Rejects with an AppError: what the other side said, or TIMEOUT, CANCELLED, CLOSED, TOO_LARGE. */
  call<K extends MethodName<C>>(name: K, input: InputOf<C[K]>, options?: CallOptions): Promise<OutputOf<C[K]>>
  /**
   * Asks at the first `next()`. Ends by return(), by the signal, or by the other side; throws what the other side said,
   * or CLOSED.
   */
  stream<K extends StreamName<C>>(
    name: K,
    input: InputOf<C[K]>,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterableIterator<ItemOf<C[K]>>
  /** Calls and streams that are under way. */
  readonly liveCount: number
}

/** Where time comes from: core has no timers of its own. */
export interface Timers {
  /** Calls once after `delayMs`; the returned function calls it off. */
  after(delayMs: number, callback: () => void): () => void
}

/** The least that a message needs to be somebody's answer. */
const Answered = z.object({ id: z.int() })
const unreadable = new AppError('INTERNAL', 'The answer cannot be read: the other side speaks another version.')

export function createClient<C extends Contract>(wire: Wire, contract: C, timers: Timers): Client<C> {
  let nextId = 0
  const live = new Map<number, (response: Response | AppError) => void>()
  let closed: AppError | undefined

  const close = (error: AppError): void => {
    closed ??= error
    const receivers = [...live.values()]
    live.clear()
    for (const receive of receivers) receive(closed)
  }
  wire.onMessage((raw) => {
    const response = Response.safeParse(raw)
    if (!response.success) {
      // A newer side may answer with an error code that is not known here; waiting for the timeout would hide it.
      const id = Answered.safeParse(raw).data?.id
      if (id !== undefined) live.get(id)?.(unreadable)
      return
    }
    if (response.data.t !== 'fatal') live.get(response.data.id)?.(response.data)
    else {
      close(fromWireError(response.data.e))
      wire.close(response.data.e.message)
    }
  })
  wire.onClose((reason) => close(new AppError('CLOSED', `The connection ended: ${reason}`, { retryable: true })))

  /** Throws AppError CLOSED, or TOO_LARGE where the transport does not take it; nothing is under way then. */
  function open(name: string, input: unknown, receive: (response: Response | AppError) => void): number {
    if (closed !== undefined) throw closed
    const id = nextId++
    live.set(id, receive)
    try {
      wire.send({ t: 'req', id, m: name, i: input } satisfies Request)
    } catch (error) {
      live.delete(id)
      throw error
    }
    return id
  }

  async function call(name: string, input: unknown, { signal, timeoutMs }: CallOptions = {}): Promise<unknown> {
    const definition = Object.hasOwn(contract, name) ? contract[name] : undefined
    if (definition?.kind !== 'method') throw new AppError('NO_METHOD', `There is no method ${name}.`)
    const cancelled = () => new AppError('CANCELLED', 'The call was cancelled.')
    if (signal?.aborted === true) throw cancelled()
    const limitMs = timeoutMs ?? timeoutOf(definition)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const id = open(name, input, (response) => {
      if (response instanceof AppError) reject(response)
      else if (response.t === 'err') reject(fromWireError(response.e))
      else if (response.t === 'ok') resolve(response.v)
      else reject(misfit(name))
    })
    const giveUp = (error: AppError) => {
      if (live.delete(id)) wire.send({ t: 'cancel', id } satisfies Request)
      reject(error)
    }
    const stopTimer = timers.after(limitMs, () =>
      giveUp(new AppError('TIMEOUT', `${name} was not answered within ${limitMs / 1000} s.`, { retryable: true })),
    )
    const onAbort = () => giveUp(cancelled())
    signal?.addEventListener('abort', onAbort)
    try {
      const output = definition.output.safeParse(await promise)
      if (!output.success) throw misfit(name)
      return output.data
    } finally {
      live.delete(id)
      stopTimer()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  function stream(
    name: string,
    input: unknown,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncIterableIterator<unknown> {
    const definition = Object.hasOwn(contract, name) ? contract[name] : undefined
    if (definition?.kind !== 'stream') throw new AppError('NO_METHOD', `There is no stream ${name}.`)
    return readStream({
      name,
      definition,
      signal,
      open: (receive) => open(name, input, receive),
      send: (request) => wire.send(request),
      forget: (id) => live.delete(id),
    })
  }

  return {
    call: call as Client<C>['call'],
    stream: stream as Client<C>['stream'],
    get liveCount() {
      return live.size
    },
  }
}
