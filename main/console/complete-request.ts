import type { ApplyRequest, PlanRequest } from '../../core/contract/agent.ts'
import { HostAddress } from '../../core/model/address.ts'
import type { DirectorLookup } from './directors.ts'

/** What the console knows better than whoever asks: the address that SSH came in by, and who makes a change. */
export interface RequestCompletion {
  plan(directorId: string, request: PlanRequest): PlanRequest
  apply(directorId: string, request: Omit<ApplyRequest, 'author'>): ApplyRequest
}

export function requestCompletion(directors: DirectorLookup, workstation: string): RequestCompletion {
  const protectedOf = (directorId: string, known: readonly string[]): string[] => {
    const ours = HostAddress.safeParse(directors.get(directorId).session.sshAddress())
    return [...new Set([...known, ...(ours.success ? [ours.data] : [])])]
  }
  return {
    plan: (directorId, request) => ({
      ...request,
      protectedAddresses: protectedOf(directorId, request.protectedAddresses),
    }),
    apply: (directorId, request) => ({
      ...request,
      protectedAddresses: protectedOf(directorId, request.protectedAddresses),
      author: { user: directors.get(directorId).profile.target.user, via: 'console', from: workstation },
    }),
  }
}
