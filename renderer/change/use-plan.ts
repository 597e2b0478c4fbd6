import { useMemo } from 'react'
import type { ClusterCheck } from '../../core/contract/clusters.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import type { Plan } from '../../core/model/plan.ts'
import { client } from '../connection/client.ts'
import { type Fetched, useFetched } from '../connection/use-call.ts'
import { clusterIds, useCluster } from '../store/cluster.ts'

/** A director's plan; in a cluster with what every director has to say. */
export interface PlanOfAll extends Fetched<Plan> {
  /** In the order of applying; null for a director alone, and until the answer is there. */
  readonly checks: readonly ClusterCheck[] | null
}

const none: readonly string[] = []

/**
 * The agent's plan for a document; asked again when the document or the newest revision changes. In a cluster all
 * directors are asked: the first one that refuses is the error.
 */
export function usePlan(
  directorId: string,
  spec: ClusterSpec | null,
  adopt: readonly string[] = none,
  without: readonly string[] = none,
  drainSec?: number,
): PlanOfAll {
  const cluster = useCluster(directorId)
  const situation = cluster
    .map(({ entry, state, isLive }) => `${entry.profile.id} ${state?.revision ?? 0} ${state?.role ?? ''} ${isLive}`)
    .join(' ')
  const key = useMemo(
    () =>
      spec === null
        ? null
        : `${directorId} ${situation} ${adopt.join(' ')} ${without.join(' ')} ${drainSec ?? ''} ${JSON.stringify(spec)}`,
    [directorId, situation, adopt, without, drainSec, spec],
  )
  const fetched = useFetched(key, async (signal): Promise<ClusterCheck[]> => {
    if (spec === null) throw new TypeError('A plan was asked for without a document.')
    const directorIds = clusterIds(directorId, without)
    if (directorIds.length > 1)
      return client.call('clusters.plan', { directorIds, spec, adopt: [...adopt], drainSec }, { signal })
    const input = { spec, adopt: [...adopt], drainSec }
    const plan = await client.call('director.cluster.plan', { directorId, input }, { signal })
    return [{ directorId, plan, error: null }]
  })
  const checks = fetched.value
  const own = checks?.find((check) => check.directorId === directorId)
  return {
    ...fetched,
    value: own?.plan ?? null,
    error: fetched.error ?? own?.error ?? checks?.find(({ error }) => error !== null)?.error ?? null,
    checks: checks !== null && checks.length > 1 ? checks : null,
  }
}

/** The documents as YAML text, for their difference. */
export function useYaml(spec: ClusterSpec | null): Fetched<string> {
  const key = useMemo(() => (spec === null ? null : JSON.stringify(spec)), [spec])
  return useFetched(key, async (signal) => {
    if (spec === null) throw new TypeError('A text was asked for without a document.')
    return (await client.call('share.export', { spec, format: 'yaml' }, { signal })).text
  })
}
