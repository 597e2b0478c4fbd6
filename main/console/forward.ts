import { agentContract, type ApplyRequest, type PlanRequest } from '../../core/contract/agent.ts'
import type { ConsoleContract } from '../../core/contract/console.ts'
import type { CallContext, Handlers } from '../../core/contract/define.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { RequestCompletion } from './complete-request.ts'
import type { Directors } from './directors.ts'

type ForwardedName = Extract<keyof ConsoleContract, `director.${string}`>
type ForwardedHandlers = Pick<Handlers<ConsoleContract>, ForwardedName>

interface ForwardedInput {
  readonly directorId: string
  readonly input: unknown
}

/** The agent's client without the types of single methods: forwarding knows none of them. */
interface AnyClient {
  call(name: string, input: unknown, options: { signal: AbortSignal }): Promise<unknown>
  stream(name: string, input: unknown, options: { signal: AbortSignal }): AsyncIterableIterator<unknown>
}

/**
 * One handler for each entry of the agent's contract: the call goes to the director as it is. What the console knows
 * better than the page is filled in.
 */
export function forwardingHandlers(directors: Directors, completion: RequestCompletion): ForwardedHandlers {
  const clientOf = (directorId: string): AnyClient => directors.get(directorId).session.client() as unknown as AnyClient

  const complete = (name: string, { directorId, input }: ForwardedInput): unknown => {
    if (name === 'cluster.plan') return completion.plan(directorId, input as PlanRequest)
    return name === 'cluster.apply' ? completion.apply(directorId, input as ApplyRequest) : input
  }

  async function* stream(name: string, input: ForwardedInput, { signal }: CallContext): AsyncGenerator<unknown> {
    const items = clientOf(input.directorId).stream(name, complete(name, input), { signal })
    try {
      yield* items
    } catch (error) {
      throw error instanceof AppError && error.code === 'CLOSED' ? offline(directors, input.directorId, error) : error
    }
  }

  return Object.fromEntries(
    Object.entries(agentContract).map(([name, { kind }]) => [
      `director.${name}`,
      kind === 'stream'
        ? (input: ForwardedInput, context: CallContext) => stream(name, input, context)
        : (input: ForwardedInput, { signal }: CallContext) =>
            clientOf(input.directorId).call(name, complete(name, input), { signal }),
    ]),
  ) as unknown as ForwardedHandlers
}

/** What a page that watches gets when the director is lost; it subscribes again when the session is ready. */
function offline(directors: Directors, directorId: string, cause: AppError): AppError {
  return new AppError('OFFLINE', `The connection to ${directors.get(directorId).profile.name} was lost.`, {
    retryable: true,
    cause,
  })
}
