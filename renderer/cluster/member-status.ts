import type { ClusterJob, ClusterMember } from '../../core/contract/clusters.ts'
import type { Status } from '../store/service-state.ts'

/** The shape of where a director stands in an apply to its cluster. */
export const statusOfMember: Readonly<Record<ClusterMember['phase'], Status>> = {
  waiting: 'unknown',
  checking: 'draining',
  checked: 'up',
  refused: 'down',
  applying: 'draining',
  applied: 'up',
  failed: 'down',
  takingBack: 'draining',
  takenBack: 'degraded',
  notTakenBack: 'down',
}

export const statusOfJob: Readonly<Record<ClusterJob['state'], Status>> = {
  checking: 'draining',
  applying: 'draining',
  takingBack: 'degraded',
  refused: 'down',
  applied: 'up',
  takenBack: 'degraded',
  notTakenBack: 'down',
}
