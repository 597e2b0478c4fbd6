import { useMemo } from 'react'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import type { Plan } from '../../core/model/plan.ts'
import { client } from '../connection/client.ts'
import { type Fetched, useFetched } from '../connection/use-call.ts'
import { useConsole } from '../store/console-store.ts'

/** The agent's plan for a document; asked again when the document or the newest revision changes. */
export function usePlan(directorId: string, spec: ClusterSpec | null): Fetched<Plan> {
  const revision = useConsole((s) => s.data[directorId]?.state?.revision ?? 0)
  const key = useMemo(
    () => (spec === null ? null : `${directorId} ${revision} ${JSON.stringify(spec)}`),
    [directorId, revision, spec],
  )
  return useFetched(key, (signal) => {
    if (spec === null) throw new TypeError('A plan was asked for without a document.')
    return client.call('director.cluster.plan', { directorId, input: { spec } }, { signal })
  })
}

/** The documents as YAML text, for their difference. */
export function useYaml(spec: ClusterSpec | null): Fetched<string> {
  const key = useMemo(() => (spec === null ? null : JSON.stringify(spec)), [spec])
  return useFetched(key, async (signal) => {
    if (spec === null) throw new TypeError('A text was asked for without a document.')
    return (await client.call('share.export', { spec, format: 'yaml' }, { signal })).text
  })
}
