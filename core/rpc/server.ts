import { z } from 'zod'
import type { CallContext, Contract, Handlers, MethodDef, StreamDef } from '../contract/define.ts'
import { AppError, toWireError } from '../contract/errors.ts'
import { issuesOf } from '../model/issue.ts'
import { initialCredit, Request, type Response } from './message.ts'
import type { Wire } from './wire.ts'

export interface ServeOptions {
  /** Who is at the other end, for handlers and logs. */
  readonly peer: string
  /** A `view` peer may call only what is marked so. */
  readonly access: 'view' | 'change'
  /** Told of every defect: an error that is no AppError, with the method's name. */
  readonly onDefect?: (method: string, error: unknown) => void
}

interface LiveCall {
  readonly abort: AbortController
  credit: number
  wake: () => void
}

type AnyHandler = (input: unknown, context: CallContext) => unknown

/**
 * Answers the requests of one wire with a contract's handlers until it closes; then every running call is aborted.
 * Names are looked up among the contract's own keys only, inputs are parsed before a handler sees them.
 */
export function serve<C extends Contract>(wire: Wire, contract: C, handlers: Handlers<C>, options: ServeOptions): void {
  const live = new Map<number, LiveCall>()
  const respond = (response: Response) => wire.send(response)
  const end = (id: number) => live.delete(id)

  wire.onClose(() => {
    for (const call of live.values()) {
      call.abort.abort()
      call.wake()
    }
    live.clear()
  })

  wire.onMessage((raw) => {
    const parsed = Request.safeParse(raw)
    if (!parsed.success) return
    const message = parsed.data
    if (message.t === 'req') {
      void start(message)
      return
    }
    const call = live.get(message.id)
    if (call === undefined) return
    if (message.t === 'cancel') call.abort.abort()
    else call.credit += message.n
    call.wake()
  })

  async function start({ id, m, i }: { id: number; m: string; i?: unknown }): Promise<void> {
    if (live.has(id)) return
    const call: LiveCall = { abort: new AbortController(), credit: initialCredit, wake: () => {} }
    live.set(id, call)
    try {
      const definition = Object.hasOwn(contract, m) ? contract[m] : undefined
      if (definition === undefined)
        throw new AppError('NO_METHOD', `There is no method ${JSON.stringify(m.slice(0, 64))}.`)
      if (definition.access === 'change' && options.access === 'view') {
        throw new AppError('FORBIDDEN', `${m} changes something and this connection may only read.`)
      }
      const input = await definition.input.safeParseAsync(i)
      if (!input.success) {
        throw new AppError('BAD_INPUT', `The input of ${m} does not fit.`, { issues: issuesOf(input.error, i) })
      }
      if (call.abort.signal.aborted) throw new AppError('CANCELLED', 'The call was cancelled.')
      const handler = handlers[m] as AnyHandler
      const context = { signal: call.abort.signal, peer: options.peer }
      if (definition.kind === 'method') await answer(id, definition, handler(input.data, context), call)
      else await stream(id, definition, handler(input.data, context) as AsyncIterable<unknown>, call)
    } catch (error) {
      if (!(error instanceof AppError)) options.onDefect?.(m, error)
      if (live.get(id) === call) respond({ t: 'err', id, e: toWireError(error) })
    } finally {
      if (live.get(id) === call) end(id)
    }
  }

  async function answer(id: number, definition: MethodDef, result: unknown, call: LiveCall): Promise<void> {
    const value = await result
    if (call.abort.signal.aborted) throw new AppError('CANCELLED', 'The call was cancelled.')
    respond({ t: 'ok', id, v: encode(definition.output, value) })
  }

  async function stream(
    id: number,
    definition: StreamDef,
    items: AsyncIterable<unknown>,
    call: LiveCall,
  ): Promise<void> {
    const iterator = items[Symbol.asyncIterator]()
    const { signal } = call.abort
    // A source that waits for news must not outlive its reader: return() runs while next() is still pending.
    const aborted = new Promise<'aborted'>((resolve) => signal.addEventListener('abort', () => resolve('aborted')))
    try {
      for (;;) {
        while (call.credit <= 0 && !signal.aborted) {
          await new Promise<void>((resolve) => {
            call.wake = resolve
          })
        }
        if (signal.aborted) return
        const next = await Promise.race([iterator.next(), aborted])
        if (next === 'aborted') return
        if (next.done === true) break
        call.credit--
        respond({ t: 'item', id, v: encode(definition.item, next.value) })
      }
      respond({ t: 'end', id })
    } finally {
      void iterator.return?.()?.catch(() => {})
    }
  }
}

/** What a handler gives must fit its own contract: a misfit is this side's defect, not the caller's. */
function encode(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (!result.success) throw new Error(`An answer does not fit its contract: ${z.prettifyError(result.error)}`)
  return result.data
}
