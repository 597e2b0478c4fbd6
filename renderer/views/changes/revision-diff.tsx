import { useTranslation } from 'react-i18next'
import { emptySpec } from '../../../core/model/cluster-spec.ts'
import { useYaml } from '../../change/use-plan.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { LoadingRows } from '../../components/states.tsx'
import { TextDiff } from '../../components/text-diff.tsx'
import { client } from '../../connection/client.ts'
import { type Fetched, useFetched } from '../../connection/use-call.ts'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'

/** The document of one revision; before the first there was an empty one. */
function useSpec(directorId: string, revision: number): Fetched<ClusterSpec> {
  return useFetched(`${directorId} ${revision}`, async (signal) => {
    if (revision <= 0) return emptySpec('cluster')
    return (await client.call('director.cluster.revision', { directorId, input: { revision } }, { signal })).spec
  })
}

/** What changed from one revision to another, as the document's text. */
export function RevisionDiff({
  directorId,
  revision,
  against,
}: {
  readonly directorId: string
  readonly revision: number
  readonly against: number
}) {
  const { t } = useTranslation()
  const [from, to] = against < revision ? [against, revision] : [revision, against]
  const before = useSpec(directorId, from)
  const after = useSpec(directorId, to)
  const beforeText = useYaml(before.value)
  const afterText = useYaml(after.value)
  const error = before.error ?? after.error ?? beforeText.error ?? afterText.error
  if (error !== null) return <InlineError error={error} onRetry={before.reload} />
  if (beforeText.value === null || afterText.value === null) return <LoadingRows rows={4} />
  return <TextDiff before={beforeText.value} after={afterText.value} label={t('changes.diffLabel', { from, to })} />
}
