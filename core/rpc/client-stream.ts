import type { StreamDef } from '../contract/define.ts'
import { AppError, fromWireError } from '../contract/errors.ts'
import { initialCredit, type Request, type Response } from './message.ts'

/** What a stream needs of its client. */
export interface StreamLink {
  readonly name: string
  readonly definition: StreamDef
  readonly signal: AbortSignal | undefined
  /** Asks the far end, and says under which id; throws AppError CLOSED or TOO_LARGE. */
  open(receive: (response: Response | AppError) => void): number
  send(request: Request): void
  /** The id is free again. */
  forget(id: number): void
}

interface Reader {
  resolve(result: IteratorResult<unknown>): void
  reject(error: AppError): void
}

const over: IteratorResult<unknown> = { done: true, value: undefined }

/**
 * The reading end of a stream; it asks the far end at the first `next()`. No generator, because the `return()` of one
 * waits for a pending `next()`: a view that goes away must be able to leave a quiet stream at once.
 */
export function readStream(link: StreamLink): AsyncIterableIterator<unknown> {
  const { definition, signal } = link
  const queue: unknown[] = []
  const readers: Reader[] = []
  let id: number | undefined
  let state: 'new' | 'open' | 'over' = 'new'
  let failure: AppError | undefined
  let taken = 0

  const finish = (error?: AppError): void => {
    if (state === 'over') return
    state = 'over'
    signal?.removeEventListener('abort', onAbort)
    if (id !== undefined) link.forget(id)
    const first = error === undefined ? undefined : readers.shift()
    if (first === undefined) failure = error
    else first.reject(error as AppError)
    for (const reader of readers.splice(0)) reader.resolve(over)
  }
  /** Ends it from this side. */
  function leave(error?: AppError): void {
    const wasOpen = state === 'open'
    queue.length = 0
    finish(error)
    if (wasOpen && id !== undefined) link.send({ t: 'cancel', id })
  }
  const onAbort = (): void => leave()

  const receive = (response: Response | AppError): void => {
    if (response instanceof AppError) leave(response)
    else if (response.t === 'err') finish(fromWireError(response.e))
    else if (response.t === 'end') finish()
    else if (response.t !== 'item' || queue.length >= initialCredit) leave(misfit(link.name))
    else {
      const reader = readers.shift()
      if (reader === undefined) queue.push(response.v)
      else give(response.v, reader)
    }
  }

  function give(value: unknown, reader: Reader): void {
    const item = definition.item.safeParse(value)
    if (!item.success) {
      const error = misfit(link.name)
      reader.reject(error)
      leave()
      return
    }
    if (++taken % (initialCredit / 2) === 0 && state === 'open' && id !== undefined) {
      link.send({ t: 'credit', id, n: initialCredit / 2 })
    }
    reader.resolve({ done: false, value: item.data })
  }

  function start(): void {
    if (signal?.aborted === true) {
      state = 'over'
      return
    }
    try {
      id = link.open(receive)
      state = 'open'
      signal?.addEventListener('abort', onAbort)
    } catch (error) {
      finish(error instanceof AppError ? error : new AppError('INTERNAL', `${link.name} could not be sent.`))
    }
  }

  const stream: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => stream,
    next: () => {
      if (state === 'new') start()
      return new Promise((resolve, reject) => {
        const reader: Reader = { resolve, reject }
        if (queue.length > 0) give(queue.shift(), reader)
        else if (state === 'open') readers.push(reader)
        else if (failure === undefined) resolve(over)
        else {
          reject(failure)
          failure = undefined
        }
      })
    },
    return: () => {
      leave()
      failure = undefined
      return Promise.resolve(over)
    },
  }
  return stream
}

/** Where an answer does not fit the contract. */
export const misfit = (name: string) =>
  new AppError('INTERNAL', `The answer to ${name} does not fit the contract: the other side speaks another version.`)
