import { useMemo } from 'react'
import { type ServiceView, bySeverity, serviceView } from './service-state.ts'
import { useDirectorState } from './selectors.ts'
import { useLatestSample } from './stats-store.ts'

/** All services of a director with desired, observed and measured joined; trouble first. */
export function useServices(directorId: string): readonly ServiceView[] {
  const state = useDirectorState(directorId)
  const sample = useLatestSample(directorId)
  return useMemo(
    () =>
      state === null
        ? []
        : state.spec.services.map((service) => serviceView(service, state.observed, sample)).toSorted(bySeverity),
    [state, sample],
  )
}

/** One service; undefined where the newest revision has none of this key. */
export function useService(directorId: string, key: string): ServiceView | undefined {
  return useServices(directorId).find((service) => service.key === key)
}
