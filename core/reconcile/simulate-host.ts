import type { ObservedIpvs, ObservedState } from '../model/observed.ts'
import type { Step } from '../model/plan.ts'

type HostStep = Extract<Step, { kind: `module.${string}` | 'setting.set' | 'nat.set' | `sync.${string}` }>

/** The state after a step of what the host has once. */
export function simulateHostStep(state: ObservedState, step: HostStep): ObservedState {
  const withIpvs = (change: Partial<ObservedIpvs>): ObservedState => ({ ...state, ipvs: { ...state.ipvs, ...change } })
  const { ownModules, syncDaemons } = state.ipvs
  switch (step.kind) {
    case 'module.load':
      return withIpvs({ availability: 'ready', ownModules: [...ownModules, step.module] })
    case 'module.unload':
      return withIpvs({
        availability: 'module-not-loaded',
        ownModules: ownModules.filter((one) => one !== step.module),
      })
    case 'setting.set': {
      const { name, before, after, wasOurs, isOurs } = step
      const known = state.settings.find((one) => one.name === name)
      const original = isOurs ? (wasOurs ? (known?.original ?? before) : before) : null
      const changed = { name, value: after, original }
      return {
        ...state,
        settings:
          known === undefined
            ? [...state.settings, changed]
            : state.settings.map((one) => (one.name === name ? changed : one)),
      }
    }
    case 'nat.set':
      return withIpvs({ natEntries: step.after })
    case 'sync.start':
      return withIpvs({ syncDaemons: [...syncDaemons, { ...step.daemon, isOurs: true }] })
    case 'sync.stop':
      return withIpvs({ syncDaemons: syncDaemons.filter((one) => !(one.isOurs && one.role === step.daemon.role)) })
  }
}
