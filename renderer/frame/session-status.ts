import type { Session } from '../../core/contract/session.ts'
import type { Status } from '../store/service-state.ts'

/** The shape of a connection's phase. */
export function statusOfPhase(phase: Session['phase']): Status {
  switch (phase) {
    case 'ready':
      return 'up'
    case 'connecting':
    case 'question':
    case 'removing':
      return 'draining'
    case 'reconnecting':
      return 'degraded'
    case 'failed':
      return 'down'
    case 'disconnected':
      return 'unknown'
  }
}
