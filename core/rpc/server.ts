import { z } from 'zod'
import type { CallContext, Contract, Handlers, MethodDef, StreamDef } from '../contract/define.ts'
import { AppError, toWireError } from '../contract/errors.ts'
import { formatIssue, type Issue, issuesOf } from '../model/issue.ts'
import { initialCredit, maxCredit, Request, type Response } from './message.ts'
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

/** Calls and streams of one peer at a time; far above what a page or a console needs. */
const maxLiveCalls = 256
/** Issues of one input that are told; a bad input of megabytes must not become a larger answer. */
const maxIssues = 100

type AnyHandler = (input: unknown, context: CallContext) => unknown

/** What {@link serve} hands back. */
export interface Served {
  /** Calls and streams under way. */
  readonly liveCount: number
}

/**
 * Answers the requests of one wire with a contract's handlers until it closes; then every running call is aborted.
 * Names are looked up among the contract's own keys only, inputs are parsed before a handler sees them. A request that
 * uses the id of one under way is refused without an answer: an answer would look like the other's.
 */
export function serve<C extends Contract>(
  wire: Wire,
  contract: C,
  handlers: Handlers<C>,
  options: ServeOptions,
): Served {
  const live = new Map<number, LiveCall>()
  const send = (response: Response) => wire.send(response)

  wire.onClose(() => {
    const calls = [...live.values()]
    live.clear()
    for (const call of calls) stop(call)
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
    if (message.t === 'cancel') {
      live.delete(message.id)
      stop(call)
    } else {
      call.credit = Math.min(call.credit + message.n, maxCredit)
      call.wake()
    }
  })

  async function start({ id, m, i }: { id: number; m: string; i?: unknown }): Promise<void> {
    if (live.has(id)) return
    if (live.size >= maxLiveCalls) {
      const message = `${maxLiveCalls} calls of this connection are under way; ${m} was not started.`
      send({ t: 'err', id, e: { code: 'BUSY', message, retryable: true } })
      return
    }
    const call: LiveCall = { abort: new AbortController(), credit: initialCredit, wake: () => {} }
    live.set(id, call)
    /** Answers to a call that was cancelled, or whose wire is closed, are dropped. */
    const respond = (response: Response) => {
      if (live.get(id) === call) send(response)
    }
    try {
      const { definition, input } = read(contract, m, i, options.access)
      const handler = handlers[m] as AnyHandler
      const result = handler(input, { signal: call.abort.signal, peer: options.peer })
      if (definition.kind === 'method') respond({ t: 'ok', id, v: encode(definition.output, await result) })
      else await pump(id, definition, result as AsyncIterable<unknown>, call, respond)
    } catch (error) {
      // What a handler throws because it was told to stop is no defect.
      if (!(error instanceof AppError) && !call.abort.signal.aborted) options.onDefect?.(m, error)
      refuse(respond, id, error)
    } finally {
      if (live.get(id) === call) live.delete(id)
    }
  }

  return {
    get liveCount() {
      return live.size
    },
  }
}

function stop(call: LiveCall): void {
  call.abort.abort()
  call.wake()
}

/** The entry and its parsed input. Throws AppError NO_METHOD, FORBIDDEN or BAD_INPUT. */
function read(
  contract: Contract,
  name: string,
  raw: unknown,
  access: ServeOptions['access'],
): { definition: MethodDef | StreamDef; input: unknown } {
  const definition = Object.hasOwn(contract, name) ? contract[name] : undefined
  if (definition === undefined) {
    throw new AppError('NO_METHOD', `There is no method ${JSON.stringify(name.slice(0, 64))}.`)
  }
  if (definition.access === 'change' && access === 'view') {
    throw new AppError('FORBIDDEN', `${name} changes something and this connection may only read.`)
  }
  let issues: Issue[]
  try {
    const input = definition.input.safeParse(raw)
    if (input.success) return { definition, input: input.data }
    issues = issuesOf(input.error, raw)
  } catch (cause) {
    // Nested deeper than the stack is high.
    throw new AppError('BAD_INPUT', `The input of ${name} cannot be read.`, { cause })
  }
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  throw new AppError(
    'BAD_INPUT',
    first === undefined ? `The input of ${name} does not fit.` : `${formatIssue(first)}${more}`,
    { issues: issues.slice(0, maxIssues) },
  )
}

/** Sends the items as the reader gives credit; the source is not asked for an item that nobody is ready to take. */
async function pump(
  id: number,
  definition: StreamDef,
  items: AsyncIterable<unknown>,
  call: LiveCall,
  respond: (response: Response) => void,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  const { signal } = call.abort
  /** Waits for the source or for the end, whichever is first: a source that waits for news must not hold the call. */
  const nextItem = () =>
    new Promise<IteratorResult<unknown> | null>((resolve, reject) => {
      call.wake = () => signal.aborted && resolve(null)
      iterator.next().then(resolve, reject)
    })
  try {
    while (!signal.aborted) {
      if (call.credit <= 0) {
        await new Promise<void>((resolve) => {
          call.wake = resolve
        })
        continue
      }
      const next = await nextItem()
      if (next === null || signal.aborted) return
      if (next.done === true) {
        respond({ t: 'end', id })
        return
      }
      call.credit--
      respond({ t: 'item', id, v: encode(definition.item, next.value) })
    }
  } finally {
    void leave(iterator)
  }
}

/** Not waited for: a source that is stuck in `next()` ends when it comes back from there. */
async function leave(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // The reader is gone and its source has nothing to tell anybody any more.
  }
}

/** Tells the caller why; without the details where those do not fit into a message. */
function refuse(respond: (response: Response) => void, id: number, error: unknown): void {
  const e = toWireError(error)
  try {
    respond({ t: 'err', id, e })
  } catch {
    respond({ t: 'err', id, e: { code: e.code, message: e.message.slice(0, 1000) } })
  }
}

/** What a handler gives must fit its own contract: a misfit is this side's defect, not the caller's. */
function encode(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (!result.success) throw new Error(`An answer does not fit its contract: ${z.prettifyError(result.error)}`)
  return result.data
}
