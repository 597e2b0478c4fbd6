import fc from 'fast-check'
import {
  compareEndpoints,
  compareServices,
  type Desired,
  type DesiredService,
} from '../../../core/reconcile/desired.ts'
import type { ObservedService, ObservedState, ObservedVip } from '../../../core/model/observed.ts'
import type { RealServerConfig, ServiceConfig } from '../../../core/model/plan.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'

// A small world, so that desired and observed states meet often.
const vips = ['192.0.2.10', '192.0.2.11', '192.0.2.100'] as const
const interfaces = ['eth0', 'eth1'] as const

const check = fc.constantFrom<ServiceConfig['check']>(
  { type: 'none' },
  { type: 'tcp', intervalMs: 1000, timeoutMs: 800, rise: 2, fall: 2 },
  { type: 'tcp', intervalMs: 500, timeoutMs: 300, rise: 1, fall: 3 },
)

const config: fc.Arbitrary<ServiceConfig> = fc.record({
  vip: fc.constantFrom(...vips),
  port: fc.constantFrom(80, 443),
  protocol: fc.constant('tcp'),
  dataplane: fc.constant('ebpf'),
  forwarding: fc.constant('dr'),
  scheduler: fc.constant('mh'),
  announce: fc.constantFrom('arp', 'route', 'none'),
  interface: fc.constantFrom(...interfaces),
  check,
})

const realServer: fc.Arbitrary<RealServerConfig> = fc.record({
  address: fc.constantFrom('192.0.2.20', '192.0.2.21', '192.0.2.22', '192.0.2.23'),
  port: fc.constantFrom(80, 443),
  weight: fc.constantFrom(0, 1, 3),
  state: fc.constantFrom('enabled', 'drain', 'offline'),
})
const realServers = fc.uniqueArray(realServer, { selector: realServerKey, maxLength: 4 })

const service: fc.Arbitrary<DesiredService> = fc
  .tuple(config, realServers)
  .map(([one, members]) => ({ config: one, realServers: members.toSorted(compareEndpoints) }))

export const desired: fc.Arbitrary<Desired> = fc
  .uniqueArray(service, { selector: (one) => serviceKey(one.config), maxLength: 5 })
  .map((services) => ({ services: services.toSorted((a, b) => compareServices(a.config, b.config)) }))

const observedService: fc.Arbitrary<ObservedService> = fc
  .tuple(config, realServers, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.integer({ min: 0, max: 9 }))
  .map(([one, members, up, dice]) => ({
    ...one,
    realServers: members.map((member, i) => ({ ...member, isUp: up[i] ?? true })),
    ringDigest: '0123456789abcdef',
    isForeign: dice === 0,
  }))

const vip: fc.Arbitrary<ObservedVip> = fc.record({
  address: fc.constantFrom(...vips),
  interface: fc.constantFrom(...interfaces, 'lo'),
  isOurs: fc.boolean(),
})

/** Any state of a kernel, also one that no plan of ours leads to: half of it gone, foreign things beside ours. */
export const observed: fc.Arbitrary<ObservedState> = fc.record({
  services: fc.uniqueArray(observedService, { selector: serviceKey, maxLength: 5 }),
  vips: fc.uniqueArray(vip, { selector: (one) => `${one.address} ${one.interface}`, maxLength: 4 }),
  attachments: fc
    .subarray([...interfaces, 'eth2'])
    .map((names) => names.map((name) => ({ interface: name, hook: 'tcx' as const, reason: '', foreignPrograms: [] }))),
})
