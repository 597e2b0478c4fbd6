import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ObservedState } from '../../../core/model/observed.ts'
import { phases, type Step } from '../../../core/model/plan.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import { emptyDesired, placeKey } from '../../../core/reconcile/desired.ts'
import { undoOf } from '../../../core/reconcile/invert.ts'
import { configOf, plan, realServerConfigOf } from '../../../core/reconcile/plan.ts'
import { simulate } from '../../../core/reconcile/simulate.ts'
import { desired, observed } from './arbitraries.ts'

const stepsOf = (...args: Parameters<typeof plan>): Step[] => plan(...args).map(({ step }) => step)

/** Everything that is configuration, without order and without what the kernel counts for itself. */
const configuration = (state: ObservedState) => ({
  services: Object.fromEntries(
    state.services.map((service) => [
      `${service.dataplane} ${serviceKey(service)}`,
      {
        ...configOf(service),
        isForeign: service.isForeign,
        realServers: Object.fromEntries(
          service.realServers.map((one) => [realServerKey(one), realServerConfigOf(one)]),
        ),
      },
    ]),
  ),
  vips: state.vips.map((vip) => `${placeKey(vip)} ${vip.isOurs}`).toSorted(),
  attachments: state.attachments.map((one) => one.interface).toSorted(),
  settings: Object.fromEntries(state.settings.map((one) => [one.name, one])),
  ipvs: {
    ...state.ipvs,
    natEntries: state.ipvs.natEntries.map((entry) => JSON.stringify(entry)).toSorted(),
    syncDaemons: state.ipvs.syncDaemons.toSorted((a, b) => (a.role < b.role ? -1 : 1)),
  },
})

test('after its own steps a plan has nothing left to do', () => {
  fc.assert(
    fc.property(desired, observed, (wanted, state) => {
      expect(plan(wanted, simulate(state, stepsOf(wanted, state)))).toEqual([])
    }),
  )
})

test('undoing the steps restores the configuration, from any point of the plan', () => {
  fc.assert(
    fc.property(desired, observed, fc.nat(60), (wanted, state, cut) => {
      const done = stepsOf(wanted, state).slice(0, cut)
      expect(configuration(simulate(simulate(state, done), undoOf(done)))).toEqual(configuration(state))
    }),
  )
})

test('no prefix of a plan leaves a VIP of ours without the service that it had or was raised for', () => {
  fc.assert(
    fc.property(desired, observed, (wanted, state) => {
      const orphansBefore = orphans(state)
      let now = state
      for (const step of stepsOf(wanted, state)) {
        now = simulate(now, [step])
        expect([...orphans(now)].filter((vip) => !orphansBefore.has(vip))).toEqual([])
      }
    }),
  )
})

function orphans(state: ObservedState): Set<string> {
  const served = new Set(state.services.map((service) => service.vip))
  return new Set(state.vips.filter((vip) => vip.isOurs && !served.has(vip.address)).map(placeKey))
}

test('no prefix of a plan leaves a service on an interface without the dataplane, unless it was so before', () => {
  fc.assert(
    fc.property(desired, observed, (wanted, state) => {
      const before = unattached(state)
      let now = state
      for (const step of stepsOf(wanted, state)) {
        now = simulate(now, [step])
        expect([...unattached(now)].filter((key) => !before.has(key))).toEqual([])
      }
    }),
  )
})

function unattached(state: ObservedState): Set<string> {
  const attached = new Set(state.attachments.map((one) => one.interface))
  const bare = state.services.filter(
    (service) => service.dataplane === 'ebpf' && !service.isForeign && !attached.has(service.interface),
  )
  return new Set(bare.map(serviceKey))
}

test('what is foreign stays as it is, and nothing of ours stays that is not wanted', () => {
  const foreign = (state: ObservedState) => ({
    services: state.services.filter((service) => service.isForeign),
    vips: state.vips.filter((vip) => !vip.isOurs),
  })
  fc.assert(
    fc.property(desired, observed, (wanted, state) => {
      expect(foreign(simulate(state, stepsOf(wanted, state)))).toEqual(foreign(state))
      const emptied = simulate(state, stepsOf(emptyDesired, state))
      expect({ services: emptied.services, vips: emptied.vips }).toEqual(foreign(state))
      expect(emptied.attachments).toEqual([])
      expect(emptied.settings.filter((one) => one.original !== null)).toEqual([])
      expect(emptied.ipvs.natEntries).toEqual([])
      expect(emptied.ipvs.syncDaemons.filter((one) => one.isOurs)).toEqual([])
    }),
  )
})

test('phases follow each other, and the same input in another order gives the same plan', () => {
  fc.assert(
    fc.property(desired, observed, (wanted, state) => {
      const steps = plan(wanted, state)
      const order = steps.map(({ phase }) => phases.indexOf(phase))
      expect(order).toEqual(order.toSorted((a, b) => a - b))
      const shuffled = {
        ...state,
        services: state.services
          .toReversed()
          .map((service) => ({ ...service, realServers: service.realServers.toReversed() })),
        vips: state.vips.toReversed(),
        attachments: state.attachments.toReversed(),
      }
      expect(plan({ ...wanted, services: wanted.services.toReversed() }, shuffled)).toEqual(steps)
    }),
  )
})
