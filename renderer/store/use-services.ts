import { useMemo } from 'react'
import type { DirectorState } from '../../core/contract/agent.ts'
import type { Sample } from '../../core/model/telemetry.ts'
import { type ServiceView, bySeverity, foreignServiceView, serviceView } from './service-state.ts'
import { useDirectorState } from './selectors.ts'
import { useLatestSample } from './stats-store.ts'

/** All services of a director in the document's order, then those that somebody else set up. */
export function servicesOf(state: DirectorState | null, sample: Sample | undefined): readonly ServiceView[] {
  if (state === null) return []
  const { spec, observed } = state
  const foreign = observed.services.filter(({ isForeign }) => isForeign)
  return [
    ...spec.services.map((service) => serviceView(service, observed, sample)),
    ...foreign.map((service) => foreignServiceView(service, sample)),
  ]
}

/** All services of a director with desired, observed and measured joined; trouble first, foreign ones last. */
export function useServices(directorId: string): readonly ServiceView[] {
  const state = useDirectorState(directorId)
  const sample = useLatestSample(directorId)
  return useMemo(() => servicesOf(state, sample).toSorted(bySeverity), [state, sample])
}

/** One service; undefined where neither the newest revision nor anybody else has one of this key. */
export function useService(directorId: string, key: string): ServiceView | undefined {
  return useServices(directorId).find((service) => service.key === key)
}
