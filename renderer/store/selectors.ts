import type { AgentHello, DirectorState } from '../../core/contract/agent.ts'
import type { DirectorEntry } from '../../core/contract/session.ts'
import { type DirectorData, useConsole } from './console-store.ts'

export function useDirector(directorId: string | undefined): DirectorEntry | undefined {
  return useConsole((s) => s.directors?.find(({ profile }) => profile.id === directorId))
}

export function useDirectorData(directorId: string | undefined): DirectorData | undefined {
  return useConsole((s) => (directorId === undefined ? undefined : s.data[directorId]))
}

export function useDirectorState(directorId: string | undefined): DirectorState | null {
  return useConsole((s) => (directorId === undefined ? null : (s.data[directorId]?.state ?? null)))
}

/** Whether what the page shows of a director is the present, the past, or not there at all. */
export type Freshness = 'none' | 'live' | 'stale'

export function useFreshness(directorId: string): Freshness {
  return useConsole((s) => {
    const data = s.data[directorId]
    if (data === undefined || data.state === null) return 'none'
    return data.isLive && s.link.phase === 'open' ? 'live' : 'stale'
  })
}

/** Why a change cannot be made now, as a key of the locales; null where it can. */
export type Hindrance = 'offline' | 'viewOnly' | 'applying' | null

export function useHindrance(directorId: string): Hindrance {
  const freshness = useFreshness(directorId)
  const access = useConsole(
    (s): AgentHello['access'] | undefined =>
      s.directors?.find(({ profile }) => profile.id === directorId)?.session.hello?.access,
  )
  const isApplying = useConsole((s) => (s.data[directorId]?.state?.progress ?? null) !== null)
  if (freshness !== 'live') return 'offline'
  if (access === 'view') return 'viewOnly'
  return isApplying ? 'applying' : null
}
