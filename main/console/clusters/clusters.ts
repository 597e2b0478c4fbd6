import type { ConsoleContract } from '../../../core/contract/console.ts'
import type { Handlers } from '../../../core/contract/define.ts'
import { AppError } from '../../../core/contract/errors.ts'
import type { RequestCompletion } from '../complete-request.ts'
import type { DirectorLookup } from '../directors.ts'
import type { ClockPort } from '../ports.ts'
import { checkAll } from './check.ts'
import { failOver } from './failover.ts'
import { ClusterJobs } from './jobs.ts'
import { type Member, openMember } from './member.ts'
import { confirmAll, revertAll } from './settle.ts'

type ClusterHandlers = Pick<Handlers<ConsoleContract>, Extract<keyof ConsoleContract, `clusters.${string}`>>

/** Several directors as one. */
export interface Clusters {
  readonly handlers: ClusterHandlers
  close(): void
}

export function openClusters(directors: DirectorLookup, completion: RequestCompletion, clock: ClockPort): Clusters {
  const jobs = new ClusterJobs(clock)
  const end = new AbortController()
  const open = (directorIds: readonly string[]): Member[] =>
    [...new Set(directorIds)].map((id) => openMember({ directors, completion, clock, signal: end.signal }, id))

  return {
    handlers: {
      'clusters.plan': async ({ directorIds, ...wanted }) =>
        (await checkAll(open(directorIds), wanted)).map((check) =>
          check.error === null
            ? { directorId: check.member.id, plan: check.plan, error: null }
            : { directorId: check.member.id, plan: null, error: check.error },
        ),
      'clusters.apply'({ directorIds, ...wanted }, { signal }) {
        return jobs.follow(jobs.start(open(directorIds), wanted), signal)
      },
      'clusters.watch': (_input, { signal }) => jobs.watch(signal),
      'clusters.settle'({ directorIds, decision }) {
        const members = open(directorIds)
        return jobs.alone(members, () => (decision === 'confirm' ? confirmAll(members) : revertAll(members)))
      },
      'clusters.failover'({ directorIds, to, evenWithout }) {
        const members = open(directorIds)
        const target = members.find(({ id }) => id === to)
        if (target === undefined) {
          throw new AppError('BAD_INPUT', `to: found ${JSON.stringify(to)}, expected one of ${directorIds.join(', ')}`)
        }
        const others = members.filter((member) => member !== target)
        return jobs.alone(members, () => failOver(target, others, new Set(evenWithout)))
      },
    },
    close: () => end.abort(new AppError('CLOSED', 'The console ended.')),
  }
}
