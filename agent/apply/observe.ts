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

/** Reads the kernel: all services, and the addresses that matter to them or to what is desired. */
export async function observe(
  { dataplane, network, ownVips }: Omit<StepTargets, 'log'>,
  desired: Desired,
): Promise<Observation> {
  const interfaces = await network.interfaces()
  const { services, attachments } = dataplane.observe()
  const vips = new Set([
    ...services.map((service) => service.vip),
    ...desired.services.map((service) => service.config.vip),
    ...ownVips.list().map((place) => place.address),
  ])
  return {
    state: {
      services: [...services],
      attachments: [...attachments],
      vips: observeVips(interfaces, ownVips.list(), vips),
    },
    interfaces,
  }
}
