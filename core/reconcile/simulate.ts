import type { ObservedRealServer, ObservedService, ObservedState } from '../model/observed.ts'
import type { RealServerConfig, Step } from '../model/plan.ts'
import { realServerKey, serviceKey } from '../model/service.ts'
import { placeKey } from './desired.ts'

/** The state after these steps, as a kernel without faults would report it. A ring that changes has no digest here. */
export function simulate(observed: ObservedState, steps: readonly Step[]): ObservedState {
  return steps.reduce(simulateStep, observed)
}

function simulateStep(state: ObservedState, step: Step): ObservedState {
  switch (step.kind) {
    case 'dataplane.attach': {
      const attachment = { interface: step.interface, hook: 'tcx' as const, reason: '', foreignPrograms: [] }
      return { ...state, attachments: [...state.attachments, attachment] }
    }
    case 'dataplane.detach':
      return { ...state, attachments: state.attachments.filter((one) => one.interface !== step.interface) }
    case 'service.add':
      return {
        ...state,
        services: [...state.services, { ...step.after, realServers: [], ringDigest: '', isForeign: false }],
      }
    case 'service.change':
      return withService(state, step.service, (service) => ({ ...service, ...step.after }))
    case 'service.remove':
      return { ...state, services: state.services.filter((one) => !isOurs(one, step.service)) }
    case 'realServer.add':
      return withRealServers(state, step.service, (all) => [...all, fresh(step.after)])
    case 'realServer.change':
      return withRealServers(state, step.service, (all) =>
        all.map((one) => (realServerKey(one) === realServerKey(step.after) ? { ...one, ...step.after } : one)),
      )
    case 'realServer.remove':
      return withRealServers(state, step.service, (all) =>
        all.filter((one) => realServerKey(one) !== realServerKey(step.before)),
      )
    case 'vip.raise':
      return {
        ...state,
        vips: [...state.vips, { address: step.address, interface: step.interface, isOurs: true }],
      }
    case 'vip.lower':
      return { ...state, vips: state.vips.filter((vip) => !(vip.isOurs && placeKey(vip) === placeKey(step))) }
  }
}

const fresh = (config: RealServerConfig): ObservedRealServer => ({ ...config, isUp: true })

const isOurs = (service: ObservedService, key: string): boolean => !service.isForeign && serviceKey(service) === key

function withService(
  state: ObservedState,
  key: string,
  change: (service: ObservedService) => ObservedService,
): ObservedState {
  return { ...state, services: state.services.map((one) => (isOurs(one, key) ? change(one) : one)) }
}

function withRealServers(
  state: ObservedState,
  key: string,
  change: (all: readonly ObservedRealServer[]) => ObservedRealServer[],
): ObservedState {
  return withService(state, key, (service) => ({
    ...service,
    realServers: change(service.realServers),
    ringDigest: '',
  }))
}
