import { serviceKey } from '../../../core/model/service.ts'
import type { ServiceView } from '../../store/service-state.ts'
import { useDirectorState } from '../../store/selectors.ts'
import { AdoptButton } from '../changes/adopt.tsx'

/** The one thing that can be done with a service of somebody else. Nothing for one's own. */
export function AdoptAction({
  directorId,
  view,
  size,
}: {
  readonly directorId: string
  readonly view: ServiceView
  readonly size?: 'compact-xs' | 'sm'
}) {
  const observed = useDirectorState(directorId)?.observed.services.find(
    (service) => service.isForeign && serviceKey(service) === view.key,
  )
  return view.isForeign && observed !== undefined ? (
    <AdoptButton directorId={directorId} observed={observed} size={size} />
  ) : null
}
