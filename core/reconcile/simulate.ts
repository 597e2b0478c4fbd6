import type { ObservedRealServer, ObservedService, ObservedState } from '../model/observed.ts'
import type { RealServerConfig, ServiceConfig, Step } from '../model/plan.ts'
import { realServerKey, serviceKey } from '../model/service.ts'
import { placeKey } from './desired.ts'
import { simulateHostStep } from './simulate-host.ts'

/** A service while steps work on it: real servers by key, in their order. */
interface Draft {
  service: ObservedService
  /** Null until a step touches the real servers: most services of a large cluster stay as they are. */
  realServers: Map<string, ObservedRealServer> | null
}

interface State {
  /** By dataplane and key: both may have the same VIP and port while a service moves from one to the other. */
  readonly services: Map<string, Draft>
  /** Everything but the services. */
  rest: ObservedState
}

const draftKey = (dataplane: ServiceConfig['dataplane'], service: string): string => `${dataplane} ${service}`

/** The state after these steps, as a kernel without faults would report it. A ring that changes has no digest here. */
export function simulate(observed: ObservedState, steps: readonly Step[]): ObservedState {
  const state: State = {
    services: new Map(
      observed.services.map((service) => [
        draftKey(service.dataplane, serviceKey(service)),
        { service, realServers: null },
      ]),
    ),
    rest: observed,
  }
  for (const step of steps) take(state, step)
  return { ...state.rest, services: [...state.services.values()].map(finished) }
}

function finished({ service, realServers }: Draft): ObservedService {
  if (realServers === null) return service
  const ringDigest = service.dataplane === 'ebpf' ? '' : null
  return { ...service, realServers: [...realServers.values()], ringDigest }
}

function take(state: State, step: Step): void {
  switch (step.kind) {
    case 'module.load':
    case 'module.unload':
    case 'setting.set':
    case 'nat.set':
    case 'sync.start':
    case 'sync.stop':
      state.rest = simulateHostStep(state.rest, step)
      return
    case 'drain.wait':
      return
    case 'dataplane.attach': {
      const name = step.interface
      const attachment = { interface: name, hook: 'tcx' as const, reason: '', foreignPrograms: [], isForReplies: false }
      const others = state.rest.attachments.filter((one) => one.interface !== name)
      state.rest = { ...state.rest, attachments: [...others, attachment] }
      return
    }
    case 'dataplane.detach': {
      const attachments = state.rest.attachments.filter((one) => one.interface !== step.interface)
      state.rest = { ...state.rest, attachments }
      return
    }
    case 'service.adopt':
    case 'service.release': {
      const draft = state.services.get(draftKey(step.config.dataplane, step.service))
      if (draft === undefined) return
      const isForeign = step.kind === 'service.release'
      const { announce, interface: ingress, check } = step.config
      // Of a foreign service nobody knows these.
      const words = isForeign ? { announce, interface: ingress, check } : {}
      draft.service = { ...draft.service, ...words, isForeign }
      return
    }
    case 'service.add': {
      const ringDigest = step.after.dataplane === 'ebpf' ? '' : null
      const service = { ...step.after, realServers: [], ringDigest, isForeign: false }
      state.services.set(draftKey(step.after.dataplane, step.service), { service, realServers: null })
      return
    }
    case 'service.change': {
      const draft = state.services.get(draftKey(step.after.dataplane, step.service))
      if (draft !== undefined) draft.service = { ...draft.service, ...step.after }
      return
    }
    case 'service.remove':
      state.services.delete(draftKey(step.before.dataplane, step.service))
      return
    case 'realServer.add':
      realServersOf(state, step)?.set(realServerKey(step.after), fresh(step.after))
      return
    case 'realServer.change': {
      const all = realServersOf(state, step)
      const key = realServerKey(step.after)
      const old = all?.get(key)
      if (old !== undefined) all?.set(key, { ...old, ...step.after })
      return
    }
    case 'realServer.remove':
      realServersOf(state, step)?.delete(realServerKey(step.before))
      return
    case 'vip.raise': {
      const raised = { address: step.address, interface: step.interface, isOurs: true }
      state.rest = { ...state.rest, vips: [...state.rest.vips, raised] }
      return
    }
    case 'vip.lower': {
      const vips = state.rest.vips.filter((vip) => !(vip.isOurs && placeKey(vip) === placeKey(step)))
      state.rest = { ...state.rest, vips }
    }
  }
}

type RealServerStep = Extract<Step, { kind: `realServer.${string}` }>

function realServersOf(state: State, { dataplane, service }: RealServerStep): Draft['realServers'] {
  const draft = state.services.get(draftKey(dataplane, service))
  if (draft === undefined) return null
  draft.realServers ??= new Map(draft.service.realServers.map((one) => [realServerKey(one), one]))
  return draft.realServers
}

const fresh = (config: RealServerConfig): ObservedRealServer => ({ ...config, isUp: true })
