import { useMemo } from 'react'
import type { DirectorState } from '../../core/contract/agent.ts'
import type { ClusterJob } from '../../core/contract/clusters.ts'
import type { DirectorEntry } from '../../core/contract/session.ts'
import { type ConsoleState, useConsole } from './console-store.ts'

/** A director of a cluster, as far as the page knows it. */
export interface ClusterDirector {
  readonly entry: DirectorEntry
  /** Null where the page never heard of it. */
  readonly state: DirectorState | null
  /** False where what is known of it is the past. */
  readonly isLive: boolean
}

/** The directors whose profile names the same cluster, in the order of the list; the director alone where it names none. */
export function entriesOfCluster(directors: readonly DirectorEntry[], directorId: string): readonly DirectorEntry[] {
  const own = directors.find(({ profile }) => profile.id === directorId)
  if (own === undefined) return []
  const { cluster } = own.profile
  return cluster === undefined ? [own] : directors.filter(({ profile }) => profile.cluster === cluster)
}

/** Directors under the name of their cluster, clusters by name, those of none last. */
export function byCluster(directors: readonly DirectorEntry[]): [string | undefined, DirectorEntry[]][] {
  return [...Map.groupBy(directors, ({ profile }) => profile.cluster)].toSorted(([a], [b]) =>
    a === undefined || b === undefined ? Number(a === undefined) - Number(b === undefined) : a.localeCompare(b),
  )
}

/** The order in which a change is applied: standby directors first, so that a mistake shows where no traffic is. */
export function applyOrder(directors: readonly DirectorEntry[], data: ConsoleState['data']): string[] {
  const isActive = (id: string) => data[id]?.state?.role === 'active'
  const ids = directors.map(({ profile }) => profile.id)
  return [...ids.filter((id) => !isActive(id)), ...ids.filter(isActive)]
}

/** Ids of a director's cluster in the order of applying; itself alone where it has no cluster. Not a hook. */
export function clusterIds(directorId: string, without: readonly string[] = []): string[] {
  const { directors, data } = useConsole.getState()
  const entries = entriesOfCluster(directors ?? [], directorId).filter(({ profile }) => !without.includes(profile.id))
  const ids = applyOrder(entries, data)
  return ids.length === 0 ? [directorId] : ids
}

/** Every director of the cluster that this one belongs to, itself included. */
export function useCluster(directorId: string | undefined): readonly ClusterDirector[] {
  const directors = useConsole((s) => s.directors)
  const data = useConsole((s) => s.data)
  const isOpen = useConsole((s) => s.link.phase === 'open')
  return useMemo(() => {
    if (directors === null || directorId === undefined) return []
    return entriesOfCluster(directors, directorId).map((entry) => {
      const known = data[entry.profile.id]
      return { entry, state: known?.state ?? null, isLive: isOpen && (known?.isLive ?? false) }
    })
  }, [directors, data, isOpen, directorId])
}

/** Documents that are not the same on every director that has one; a director where nothing was ever applied has none. */
export function isDiverged(members: readonly ClusterDirector[]): boolean {
  return (
    new Set(members.flatMap(({ state }) => (state === null || state.revision === 0 ? [] : [state.digest]))).size > 1
  )
}

/** The document that most directors have, the active one's where two are as frequent: what the others differ from. */
export function commonDigest(members: readonly ClusterDirector[]): string | null {
  const counts = new Map<string, number>()
  for (const { state } of members) {
    if (state === null || state.revision === 0) continue
    // An active director's word weighs a little more, so that it decides between equals.
    counts.set(state.digest, (counts.get(state.digest) ?? 0) + (state.role === 'active' ? 1.5 : 1))
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? null
}

/** VIPs that more than one active director raises and answers ARP for; a router may well have several ways. */
export function contestedVips(members: readonly ClusterDirector[]): string[] {
  const owners = members.flatMap(({ state }) =>
    state?.role !== 'active'
      ? []
      : [
          ...new Set(
            state.spec.services.flatMap(({ vip, announce }) => (announce === 'arp' && vip !== undefined ? [vip] : [])),
          ),
        ],
  )
  return [...new Set(owners.filter((vip, i) => owners.indexOf(vip) !== i))]
}

/** The last apply to the cluster of this director; undefined where there was none since the console started. */
export function useClusterJob(directorId: string | undefined): ClusterJob | undefined {
  return useConsole((s) => s.jobs.findLast(({ members }) => members.some((member) => member.directorId === directorId)))
}
