import type { AgentContract, ApplyRequest, DirectorState, PlanRequest } from '../../../core/contract/agent.ts'
import { AppError, toWireError, type WireError } from '../../../core/contract/errors.ts'
import type { Plan } from '../../../core/model/plan.ts'
import type { ApplyResult } from '../../../core/model/revision.ts'
import type { Client } from '../../../core/rpc/client.ts'
import type { RequestCompletion } from '../complete-request.ts'
import type { DirectorLookup } from '../directors.ts'
import type { ClockPort } from '../ports.ts'

const stateTimeoutMs = 10_000
/** The longest that an apply or a revert may take by the contract. */
const settleTimeoutMs = 120_000
const lookAgainMs = 500

/** One director of a cluster, as far as doing something on all of them needs it. Every error names the director. */
export interface Member {
  readonly id: string
  readonly name: string
  state(): Promise<DirectorState>
  /** The first state in which no steps run. */
  settledState(): Promise<DirectorState>
  plan(request: PlanRequest): Promise<Plan>
  apply(request: Omit<ApplyRequest, 'author'>): Promise<ApplyResult>
  confirm(revision: number): Promise<unknown>
  revert(revision: number): Promise<ApplyResult>
  setRole(role: DirectorState['role']): Promise<unknown>
  /** Resolves when the director is connected; rejects where it is not within the time. */
  comeBack(patienceMs: number): Promise<void>
}

export interface MemberPorts {
  readonly directors: DirectorLookup
  readonly completion: RequestCompletion
  readonly clock: ClockPort
  /** Aborted when the console ends. */
  readonly signal: AbortSignal
}

/** Throws NOT_FOUND. */
export function openMember({ directors, completion, clock, signal }: MemberPorts, id: string): Member {
  const { profile } = directors.get(id)
  const { name } = profile
  const client = (): Client<AgentContract> => directors.get(id).session.client()
  const naming = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw namedError(name, error)
    }
  }
  const firstState = (fits: (state: DirectorState) => boolean, limitMs: number) =>
    naming(async () => {
      const late = new AbortController()
      const stop = clock.after(limitMs, () => late.abort())
      try {
        const states = client().stream('director.watch', {}, { signal: AbortSignal.any([signal, late.signal]) })
        for await (const state of states) if (fits(state)) return state
        throw new AppError('TIMEOUT', `its state did not come within ${limitMs / 1000} s.`, { retryable: true })
      } finally {
        stop()
      }
    })
  return {
    id,
    name,
    state: () => firstState(() => true, stateTimeoutMs),
    settledState: () => firstState(isSettled, settleTimeoutMs),
    plan: (request) => naming(() => client().call('cluster.plan', completion.plan(id, request), { signal })),
    apply: (request) => naming(() => client().call('cluster.apply', completion.apply(id, request), { signal })),
    confirm: (revision) => naming(() => client().call('cluster.confirm', { revision }, { signal })),
    revert: (revision) => naming(() => client().call('cluster.revert', { revision }, { signal })),
    setRole: (role) => naming(() => client().call('director.setRole', { role }, { signal })),
    comeBack: (patienceMs) =>
      naming(async () => {
        const endsAtMs = clock.monotonicMs() + patienceMs
        for (;;) {
          signal.throwIfAborted()
          try {
            client()
            return
          } catch (error) {
            if (clock.monotonicMs() >= endsAtMs) throw error
          }
          await new Promise<void>((resolve) => clock.after(lookAgainMs, resolve))
        }
      }),
  }
}

const isSettled = ({ progress }: DirectorState): boolean =>
  progress === null || progress.phase === 'awaiting-confirmation'

/** The error with the director's name before what it says. What is no AppError is a defect and stays one. */
function namedError(name: string, error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  const message = error.message.startsWith(name) ? error.message : `${name}: ${error.message}`
  return new AppError(error.code, message, { ...toWireError(error), cause: error })
}

/** The error of a member for the wire, with its name also where it is a defect. */
export function wireErrorOf(member: Member, error: unknown): WireError {
  const wire = toWireError(error)
  return wire.message.startsWith(member.name) ? wire : { ...wire, message: `${member.name}: ${wire.message}` }
}

/** Whether nobody knows if what was asked for was done: the answer did not come. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof AppError && ['CLOSED', 'TIMEOUT', 'CANCELLED', 'INTERNAL'].includes(error.code)
