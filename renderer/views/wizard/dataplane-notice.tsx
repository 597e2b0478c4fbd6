import { useTranslation } from 'react-i18next'
import { dataplaneNames, ForwardingMethod, methodNames } from '../../../core/model/dataplane.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import type { Issue } from '../../../core/model/issue.ts'
import { Notice } from '../../components/notice.tsx'
import { obstaclesOf } from './choices.ts'

/** What a dataplane does not offer of what is asked for: a clause that its name stands before. */
export function useObstacleWords(): (issue: Issue) => string {
  const { t } = useTranslation()
  const nameOf = (word: string): string => {
    const method = ForwardingMethod.safeParse(word).data
    if (method !== undefined) return methodNames[method]
    return word === 'ipv4' || word === 'ipv6' ? t(`wizard.family.${word}`) : word.toUpperCase()
  }
  return ({ path, params }) => {
    const offers = String(params?.['offers'] ?? '')
    return t(`wizard.dataplane.obstacle.${String(path[0])}`, { offers: offers.split(', ').map(nameOf).join(', ') })
  }
}

/**
 * Says that IPVS is the dataplane because the eBPF one cannot do what was just asked for in one of these fields; nothing
 * where it could.
 */
export function DataplaneNotice({ form, fields }: { readonly form: ServiceForm; readonly fields: readonly string[] }) {
  const { t } = useTranslation()
  const wordsOf = useObstacleWords()
  const obstacles = form.dataplane === 'ipvs' ? obstaclesOf(form, 'ebpf') : []
  const own = obstacles.filter(({ path }) => fields.includes(String(path[0])))
  if (own.length === 0) return null
  return (
    <Notice>
      {t('wizard.dataplane.follows', {
        chosen: dataplaneNames.ipvs,
        other: dataplaneNames.ebpf,
        why: own.map(wordsOf).join(t('wizard.dataplane.and')),
      })}
    </Notice>
  )
}
