import type { Contract, InputOf, ItemOf, MethodName, OutputOf, StreamName } from '../contract/define.ts'
import { AppError, fromWireError } from '../contract/errors.ts'
import { initialCredit, Response } from './message.ts'
import type { Wire } from './wire.ts'

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Overrides the contract's own. */
  readonly timeoutMs?: number
}

/** The calling side of a contract: every method and stream by name, inputs and answers typed from the schemas. */
export interface Client<C extends Contract> {
  /** Rejects with an AppError: what the other side said, or TIMEOUT, CANCELLED, CLOSED. */
  call<K extends MethodName<C>>(name: K, input: InputOf<C[K]>, options?: CallOptions): Promise<OutputOf<C[K]>>
  /** Ends by return(), by the signal, or by the other side; throws what the other side said, or CLOSED. */
  stream<K extends StreamName<C>>(
    name: K,
    input: InputOf<C[K]>,
    options?: { signal?: AbortSignal },
  ): AsyncGenerator<ItemOf<C[K]>>
  /** Calls and streams that are under way. */
  readonly liveCount: number
}

const defaultTimeoutMs = 30_000

/** Where time comes from: core has no timers of its own. */
export interface Timers {
  /** Calls once after `delayMs`; the returned function calls it off. */
  after(delayMs: number, callback: () => void): () => void
}

export function createClient<C extends Contract>(wire: Wire, contract: C, timers: Timers): Client<C> {
  let nextId = 0
  const live = new Map<number, (response: Response | AppError) => void>()
  const closed = (reason: string) => new AppError('CLOSED', `The connection ended: ${reason}`, { retryable: true })
  let closeReason: string | undefined

  wire.onMessage((raw) => {
    const parsed = Response.safeParse(raw)
    if (parsed.success) live.get(parsed.data.id)?.(parsed.data)
  })
  wire.onClose((reason) => {
    closeReason = reason
    const receivers = [...live.values()]
    live.clear()
    for (const receive of receivers) receive(closed(reason))
  })

  function call(name: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    const definition = contract[name]
    if (definition?.kind !== 'method') return Promise.reject(new AppError('NO_METHOD', `There is no method ${name}.`))
    if (closeReason !== undefined) return Promise.reject(closed(closeReason))
    const { signal } = options
    if (isAborted(signal)) return Promise.reject(new AppError('CANCELLED', 'The call was cancelled.'))
    const id = nextId++
    const timeoutMs = options.timeoutMs ?? definition.timeoutMs ?? defaultTimeoutMs
    return new Promise((resolve, reject) => {
      const settle = (error: AppError) => {
        done()
        wire.send({ t: 'cancel', id })
        reject(error)
      }
      const stopTimer = timers.after(timeoutMs, () =>
        settle(new AppError('TIMEOUT', `${name} was not answered within ${timeoutMs / 1000} s.`, { retryable: true })),
      )
      const onAbort = () => settle(new AppError('CANCELLED', 'The call was cancelled.'))
      const done = () => {
        live.delete(id)
        stopTimer()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort)
      live.set(id, (response) => {
        done()
        if (response instanceof AppError) reject(response)
        else if (response.t === 'err') reject(fromWireError(response.e))
        else if (response.t === 'ok') {
          const output = definition.output.safeParse(response.v)
          if (output.success) resolve(output.data)
          else reject(misfit(name))
        } else reject(misfit(name))
      })
      wire.send({ t: 'req', id, m: name, i: input })
    })
  }

  async function* stream(
    name: string,
    input: unknown,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<unknown> {
    const definition = contract[name]
    if (definition?.kind !== 'stream') throw new AppError('NO_METHOD', `There is no stream ${name}.`)
    if (closeReason !== undefined) throw closed(closeReason)
    const { signal } = options
    if (isAborted(signal)) return
    const id = nextId++
    const queue: (Response | AppError)[] = []
    let wake: () => void = () => {}
    const onAbort = () => wake()
    signal?.addEventListener('abort', onAbort)
    live.set(id, (response) => {
      queue.push(response)
      wake()
    })
    wire.send({ t: 'req', id, m: name, i: input })
    let isOver = false
    let taken = 0
    try {
      for (;;) {
        while (queue.length === 0 && !isAborted(signal)) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        if (isAborted(signal)) return
        const response = queue.shift() as Response | AppError
        if (response instanceof AppError || response.t !== 'item') {
          isOver = true
          if (response instanceof AppError) throw response
          if (response.t === 'err') throw fromWireError(response.e)
          return
        }
        const item = definition.item.safeParse(response.v)
        if (!item.success) throw misfit(name)
        yield item.data
        if (++taken % (initialCredit / 2) === 0) wire.send({ t: 'credit', id, n: initialCredit / 2 })
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      live.delete(id)
      if (!isOver && closeReason === undefined) wire.send({ t: 'cancel', id })
    }
  }

  return {
    call: call as Client<C>['call'],
    stream: stream as Client<C>['stream'],
    get liveCount() {
      return live.size
    },
  }
}

const misfit = (name: string) =>
  new AppError('INTERNAL', `The answer to ${name} does not fit the contract: the other side speaks another version.`)

/** A function, since the compiler would take a first look at `aborted` for the last. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true
