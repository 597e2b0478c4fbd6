import { useTranslation } from 'react-i18next'
import type { ClusterCheck } from '../../core/contract/clusters.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { useYaml } from '../change/use-plan.ts'
import { TextDiff } from '../components/text-diff.tsx'
import { type ClusterDirector, useCluster } from '../store/cluster.ts'

/** Of each director that has another document than the one under review: what becomes of its own. */
export function OtherDocuments({
  directorId,
  checks,
  after,
}: {
  readonly directorId: string
  readonly checks: readonly ClusterCheck[]
  readonly after: ClusterSpec
}) {
  const cluster = useCluster(directorId)
  const digest = cluster.find(({ entry }) => entry.profile.id === directorId)?.state?.digest
  const others = cluster.filter(
    ({ entry, state }) =>
      state !== null && state.digest !== digest && checks.some((check) => check.directorId === entry.profile.id),
  )
  return others.map((director) => <OtherDocument key={director.entry.profile.id} director={director} after={after} />)
}

function OtherDocument({ director, after }: { readonly director: ClusterDirector; readonly after: ClusterSpec }) {
  const { t } = useTranslation()
  const before = useYaml(director.state?.spec ?? null)
  const now = useYaml(after)
  if (before.value === null || now.value === null) return null
  return (
    <TextDiff
      before={before.value}
      after={now.value}
      label={t('cluster.diffOf', { name: director.entry.profile.name })}
    />
  )
}
