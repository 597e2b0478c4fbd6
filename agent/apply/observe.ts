import type { InterfaceFacts } from '../../core/contract/agent.ts'
import type { ObservedState } from '../../core/model/observed.ts'
import type { Desired } from '../../core/reconcile/desired.ts'
import { observeVips } from './own-vips.ts'
import type { StepTargets } from './execute.ts'

/** One look at the kernel. */
export interface Observation {
  readonly state: ObservedState
  readonly interfaces: readonly InterfaceFacts[]
}

/**
 * Reads the kernel: all services, and the addresses that matter to them or to what is desired.
 *
 * @param hints what the kernel may have been told, likeliest first: IPVS keeps no word of some of it
 */
export async function observe(
  { dataplane, network, ownVips }: Pick<StepTargets, 'dataplane' | 'network' | 'ownVips'>,
  hints: readonly Desired[],
): Promise<Observation> {
  const interfaces = await network.interfaces()
  const state = dataplane.observe(hints)
  const configs = [...state.services, ...hints.flatMap(({ services }) => services.map(({ config }) => config))]
  const vips = new Set([
    ...configs.flatMap(({ vip }) => (vip === null ? [] : [vip])),
    ...ownVips.list().map((place) => place.address),
  ])
  return { state: { ...state, vips: observeVips(interfaces, ownVips.list(), vips) }, interfaces }
}
