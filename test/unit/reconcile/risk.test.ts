import { expect, test } from 'vitest'
import { nothingObserved, type ObservedState } from '../../../core/model/observed.ts'
import { emptyDesired } from '../../../core/reconcile/desired.ts'
import { configOf, plan } from '../../../core/reconcile/plan.ts'
import { realServerConfig, serviceConfig } from '../../fixtures/configs.ts'
import { riskOf, type RiskSources, shareMoved } from '../../../core/reconcile/risk.ts'

const config = serviceConfig()
const realServer = (last: number) => realServerConfig({ address: `192.0.2.${last}` })
const state: ObservedState = {
  ...nothingObserved,
  services: [
    {
      ...config,
      realServers: [20, 21, 22].map((last) => ({ ...realServer(last), isUp: true })),
      ringDigest: '0123456789abcdef',
      isForeign: false,
    },
  ],
  vips: [{ address: '192.0.2.10', interface: 'eth0', isOurs: true }],
  attachments: [{ interface: 'eth0', hook: 'tcx', reason: '', foreignPrograms: [], isForReplies: false }],
}

// Twelve slots in turn: enough to see that owners before and after are compared slot by slot.
const sources: RiskSources = {
  ringOf: (members) =>
    members.length === 0 ? [] : Array.from({ length: 12 }, (_, slot) => members[slot % members.length]!.address),
  countFlows: (_service, { address }) => (address === '192.0.2.22' ? 7 : 2),
}

test('a drain leaves the ring and cuts no flow', () => {
  const desired = {
    ...emptyDesired,
    services: [
      { config, realServers: [realServer(20), realServer(21), { ...realServer(22), state: 'drain' as const }] },
    ],
  }
  const steps = plan(desired, state).map(({ step }) => step)
  expect(riskOf(state, steps, sources)).toEqual({
    realServersLeavingRing: 1,
    servicesRemoved: 0,
    flowsCut: 0,
    slotsMoved: { 'tcp/192.0.2.10:80': 8 / 12 },
  })
})

test('a removed real server cuts its flows', () => {
  const desired = { ...emptyDesired, services: [{ config, realServers: [realServer(20), realServer(21)] }] }
  const steps = plan(desired, state).map(({ step }) => step)
  expect(riskOf(state, steps, sources)).toMatchObject({ realServersLeavingRing: 1, flowsCut: 7 })
})

test('a removed service cuts the flows of all its real servers', () => {
  const steps = plan(emptyDesired, state).map(({ step }) => step)
  expect(riskOf(state, steps, sources)).toEqual({
    realServersLeavingRing: 0,
    servicesRemoved: 1,
    flowsCut: 11,
    slotsMoved: {},
  })
})

test('flows that cannot be counted are unknown, not zero', () => {
  const steps = plan(emptyDesired, state).map(({ step }) => step)
  expect(riskOf(state, steps, { ...sources, countFlows: () => null }).flowsCut).toBeNull()
})

test('an unchanged service has no moved slots', () => {
  const [service] = state.services
  const same = {
    ...emptyDesired,
    services: [{ config: configOf(service!), realServers: [20, 21, 22].map(realServer) }],
  }
  expect(plan(same, state)).toEqual([])
  expect(riskOf(state, [], sources).slotsMoved).toEqual({})
})

test('a ring that empties has moved as a whole', () => {
  expect(shareMoved(['a', 'b'], [])).toBe(1)
  expect(shareMoved([], [])).toBe(0)
  expect(shareMoved(['a', 'b', 'b', 'a'], ['a', 'b', 'a', 'a'])).toBe(0.25)
})
