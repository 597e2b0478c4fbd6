import type { ObservedRealServer, ObservedService, ObservedState } from '../model/observed.ts'
import type { RealServerConfig, Step } from '../model/plan.ts'
import { realServerKey, serviceKey } from '../model/service.ts'
import { placeKey } from './desired.ts'

/** A service while steps work on it: real servers by key, in their order. */
interface Draft {
  service: ObservedService
  /** Null until a step touches the real servers: most services of a large cluster stay as they are. */
  realServers: Map<string, ObservedRealServer> | null
}

interface State {
  readonly foreign: readonly ObservedService[]
  readonly ours: Map<string, Draft>
  vips: ObservedState['vips']
  attachments: ObservedState['attachments']
}

/** The state after these steps, as a kernel without faults would report it. A ring that changes has no digest here. */
export function simulate(observed: ObservedState, steps: readonly Step[]): ObservedState {
  const ours = observed.services.filter((service) => !service.isForeign)
  const state: State = {
    foreign: observed.services.filter((service) => service.isForeign),
    ours: new Map(ours.map((service) => [serviceKey(service), { service, realServers: null }])),
    vips: observed.vips,
    attachments: observed.attachments,
  }
  for (const step of steps) take(state, step)
  return {
    services: [...state.foreign, ...[...state.ours.values()].map(finished)],
    vips: state.vips,
    attachments: state.attachments,
  }
}

const finished = ({ service, realServers }: Draft): ObservedService =>
  realServers === null ? service : { ...service, realServers: [...realServers.values()], ringDigest: '' }

function take(state: State, step: Step): void {
  switch (step.kind) {
    case 'dataplane.attach': {
      const attachment = { interface: step.interface, hook: 'tcx' as const, reason: '', foreignPrograms: [] }
      state.attachments = [...state.attachments, attachment]
      return
    }
    case 'dataplane.detach':
      state.attachments = state.attachments.filter((one) => one.interface !== step.interface)
      return
    case 'service.add': {
      const service = { ...step.after, realServers: [], ringDigest: '', isForeign: false }
      state.ours.set(step.service, { service, realServers: null })
      return
    }
    case 'service.change': {
      const draft = state.ours.get(step.service)
      if (draft !== undefined) draft.service = { ...draft.service, ...step.after }
      return
    }
    case 'service.remove':
      state.ours.delete(step.service)
      return
    case 'realServer.add':
      realServersOf(state, step.service)?.set(realServerKey(step.after), fresh(step.after))
      return
    case 'realServer.change': {
      const all = realServersOf(state, step.service)
      const key = realServerKey(step.after)
      const old = all?.get(key)
      if (old !== undefined) all?.set(key, { ...old, ...step.after })
      return
    }
    case 'realServer.remove':
      realServersOf(state, step.service)?.delete(realServerKey(step.before))
      return
    case 'vip.raise':
      state.vips = [...state.vips, { address: step.address, interface: step.interface, isOurs: true }]
      return
    case 'vip.lower':
      state.vips = state.vips.filter((vip) => !(vip.isOurs && placeKey(vip) === placeKey(step)))
  }
}

function realServersOf(state: State, key: string): Draft['realServers'] {
  const draft = state.ours.get(key)
  if (draft === undefined) return null
  draft.realServers ??= new Map(draft.service.realServers.map((one) => [realServerKey(one), one]))
  return draft.realServers
}

const fresh = (config: RealServerConfig): ObservedRealServer => ({ ...config, isUp: true })
