import {
  type ConnectStep,
  type ConnectStepId,
  type Question,
  type Session,
  connectStepIds,
} from '../../core/contract/session.ts'
import type { AgentHello } from '../../core/contract/agent.ts'
import type { WireError } from '../../core/contract/errors.ts'

/** What happens to a session. Times are the workstation's wall clock. */
export type SessionEvent =
  | { type: 'connect' }
  | {
      type: 'step'
      id: ConnectStepId
      state: ConnectStep['state']
      detail?: string
      params?: ConnectStep['params']
      progress?: number | null
    }
  | { type: 'question'; question: Question }
  | { type: 'answered'; questionId: string }
  | {
      type: 'ready'
      hello: AgentHello
      transport: NonNullable<Session['transport']>
      clockSkewMs: number
      roundTripMs: number
    }
  | { type: 'failed'; error: WireError }
  /** The connection of a ready session ended. */
  | { type: 'lost'; error: WireError; atMs: number }
  | { type: 'waiting'; attempt: number; retryInMs: number; error: WireError }
  | { type: 'retrying'; attempt: number }
  | { type: 'disconnected' }
  | { type: 'removing' }

const pendingSteps = (): ConnectStep[] =>
  connectStepIds.map((id) => ({ id, state: 'pending', detail: null, params: {}, progress: null }))

export const disconnected: Session = {
  phase: 'disconnected',
  steps: [],
  question: null,
  error: null,
  attempt: 0,
  retryInMs: null,
  transport: null,
  hello: null,
  clockSkewMs: null,
  roundTripMs: null,
  lostAtMs: null,
}

/**
 * The session after an event: pure. An event that cannot happen in a phase leaves it as it is, since answers and steps
 * of a login that was called off may still arrive.
 */
export function nextSession(session: Session, event: SessionEvent): Session {
  switch (event.type) {
    case 'connect':
      return { ...disconnected, phase: 'connecting', steps: pendingSteps() }
    case 'step':
      return isUnderWay(session)
        ? { ...session, steps: session.steps.map((step) => changedStep(step, event)) }
        : session
    case 'question':
      return {
        ...session,
        // About a real server while ready: the director itself is not waiting for anything.
        phase: session.phase === 'ready' || session.phase === 'removing' ? session.phase : 'question',
        question: event.question,
      }
    case 'answered':
      if (session.question?.id !== event.questionId) return session
      return { ...session, question: null, phase: session.phase === 'question' ? resumed(session) : session.phase }
    case 'ready':
      return {
        ...session,
        phase: 'ready',
        question: null,
        error: null,
        attempt: 0,
        retryInMs: null,
        lostAtMs: null,
        hello: event.hello,
        transport: event.transport,
        clockSkewMs: event.clockSkewMs,
        roundTripMs: event.roundTripMs,
      }
    case 'failed':
      return {
        ...session,
        phase: 'failed',
        question: null,
        retryInMs: null,
        error: event.error,
        steps: session.steps.map((step) =>
          step.state === 'running' ? { ...step, state: 'failed', progress: null } : step,
        ),
      }
    case 'lost':
      // What the agent said stays: the page shows the last snapshot, read-only.
      return {
        ...session,
        phase: 'reconnecting',
        question: null,
        error: event.error,
        attempt: 0,
        retryInMs: null,
        transport: null,
        lostAtMs: event.atMs,
      }
    case 'waiting':
      return {
        ...session,
        phase: 'reconnecting',
        question: null,
        error: event.error,
        attempt: event.attempt,
        retryInMs: event.retryInMs,
      }
    case 'retrying':
      return { ...session, phase: 'reconnecting', attempt: event.attempt, retryInMs: null, steps: pendingSteps() }
    case 'disconnected':
      return disconnected
    case 'removing':
      return { ...session, phase: 'removing', steps: pendingSteps(), error: null }
  }
}

const isUnderWay = ({ phase }: Session): boolean => phase !== 'disconnected' && phase !== 'failed'

/** A question came up in a first connect or in a reconnect; the time of the loss tells which. */
const resumed = (session: Session): Session['phase'] => (session.lostAtMs === null ? 'connecting' : 'reconnecting')

function changedStep(step: ConnectStep, event: Extract<SessionEvent, { type: 'step' }>): ConnectStep {
  if (step.id !== event.id) return step
  const isNew = event.detail !== undefined || event.state === 'running' || event.state === 'pending'
  return {
    id: step.id,
    state: event.state,
    detail: isNew ? (event.detail ?? null) : step.detail,
    params: isNew ? (event.params ?? {}) : step.params,
    progress: event.progress ?? null,
  }
}
