import { useTranslation } from 'react-i18next'
import type { ServiceCounts } from '../store/service-state.ts'

/** `3 of 3 up; 1 draining`: the state of a service as a sentence. */
export function useServiceSentence(): (counts: ServiceCounts) => string {
  const { t } = useTranslation()
  return (counts) => {
    if (counts.total === 0) return t('service.noRealServers')
    const inRing = counts.total - counts.draining - counts.offline
    const rest = (['down', 'unknown', 'draining', 'offline'] as const)
      .filter((kind) => counts[kind] > 0)
      .map((kind) => t(`service.count.${kind}`, { count: counts[kind] }))
    return [t('service.count.up', { up: counts.up, total: inRing }), ...rest].join(t('service.count.and'))
  }
}
