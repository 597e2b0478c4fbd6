import fc from 'fast-check'
import {
  compareEndpoints,
  compareServices,
  type Desired,
  type DesiredService,
} from '../../../core/reconcile/desired.ts'
import { natEntriesOf } from '../../../core/reconcile/nat-entries.ts'
import {
  NewFlows,
  type ObservedIpvs,
  type ObservedService,
  type ObservedSetting,
  type ObservedState,
  type ObservedVip,
} from '../../../core/model/observed.ts'
import type { RealServerConfig, ServiceConfig, SyncDaemonConfig } from '../../../core/model/plan.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import { serviceConfig } from '../../fixtures/configs.ts'

// A small world, so that desired and observed states meet often.
const vips = ['192.0.2.10', '192.0.2.11', '192.0.2.100'] as const
const interfaces = ['eth0', 'eth1'] as const

const check = fc.constantFrom<ServiceConfig['check']>(
  { type: 'none' },
  { type: 'tcp', intervalMs: 1000, timeoutMs: 800, rise: 2, fall: 2 },
  { type: 'tcp', intervalMs: 500, timeoutMs: 300, rise: 1, fall: 3 },
)
const place = {
  vip: fc.constantFrom(...vips),
  port: fc.constantFrom(80, 443),
  announce: fc.constantFrom<ServiceConfig['announce']>('arp', 'route', 'none'),
  interface: fc.constantFrom(...interfaces),
  check,
}

const ebpf: fc.Arbitrary<ServiceConfig> = fc.record(place).map((given) => serviceConfig(given))

const ipvs: fc.Arbitrary<ServiceConfig> = fc
  .record({
    ...place,
    protocol: fc.constantFrom<ServiceConfig['protocol']>('tcp', 'udp', 'sctp'),
    forwarding: fc.constantFrom<ServiceConfig['forwarding']>('dr', 'nat', 'tun', 'fullnat'),
    scheduler: fc.constantFrom<ServiceConfig['scheduler']>('rr', 'wlc', 'sh'),
    schedulerFlags: fc.subarray<ServiceConfig['schedulerFlags'][number]>(['fallback', 'port']),
    persistence: fc.option(fc.record({ timeoutSec: fc.constantFrom(50, 300) })),
    localAddresses: fc.subarray(['192.0.2.2', '192.0.2.3']),
  })
  .map((given) => serviceConfig({ ...given, dataplane: 'ipvs' }))

const byMark: fc.Arbitrary<ServiceConfig> = fc
  .record({ fwmark: fc.constantFrom(1, 2), family: fc.constantFrom<ServiceConfig['family']>('ipv4', 'ipv6') })
  .map((given) =>
    serviceConfig({
      ...given,
      vip: null,
      port: 0,
      dataplane: 'ipvs',
      forwarding: 'nat',
      announce: 'none',
      interface: '',
    }),
  )

const config = fc.oneof({ weight: 4, arbitrary: ebpf }, { weight: 4, arbitrary: ipvs }, byMark)

/** Real servers as the service's method has them. */
const realServersOf = ({ dataplane, forwarding }: ServiceConfig): fc.Arbitrary<RealServerConfig[]> => {
  const isIpvs = dataplane === 'ipvs'
  const method = isIpvs ? fc.constantFrom(forwarding, 'local' as const) : fc.constant('dr' as const)
  return fc.uniqueArray(
    fc
      .record({
        address: fc.constantFrom('192.0.2.20', '192.0.2.21', '192.0.2.22', '192.0.2.23'),
        port: fc.constantFrom(80, 443),
        weight: fc.constantFrom(0, 1, 3),
        state: fc.constantFrom<RealServerConfig['state']>('enabled', 'drain', 'offline'),
        forwarding: method,
        upperThreshold: isIpvs ? fc.constantFrom(0, 100) : fc.constant(0),
        lowerThreshold: isIpvs ? fc.constantFrom(0, 50) : fc.constant(0),
      })
      .map((one) => ({
        ...one,
        tunnel: one.forwarding === 'tun' ? { type: 'ipip' as const, checksum: 'nocsum' as const } : null,
      })),
    { selector: realServerKey, maxLength: 4 },
  )
}

const service: fc.Arbitrary<DesiredService> = config.chain((one) =>
  realServersOf(one).map((members) => ({ config: one, realServers: members.toSorted(compareEndpoints) })),
)

const daemon: fc.Arbitrary<SyncDaemonConfig> = fc.record({
  role: fc.constantFrom('master', 'backup'),
  interface: fc.constantFrom(...interfaces),
  syncId: fc.constantFrom(0, 7),
  port: fc.constant(8848),
  ttl: fc.constant(1),
})
const daemons = fc.uniqueArray(daemon, { selector: ({ role }) => role, maxLength: 2 })

const settingNames = ['net.ipv4.ip_forward', 'net.ipv4.vs.conntrack', 'ipvs.timeout.tcp'] as const

export const desired: fc.Arbitrary<Desired> = fc
  .record({
    services: fc.uniqueArray(service, { selector: (one) => serviceKey(one.config), maxLength: 5 }),
    settings: fc.subarray([...settingNames]).map((names) => names.map((name) => ({ name, value: '1' }))),
    syncDaemons: daemons,
    role: fc.constantFrom('active', 'active', 'standby'),
  })
  .map((wanted) => ({
    ...wanted,
    services: wanted.services.toSorted((a, b) => compareServices(a.config, b.config)),
    natEntries: natEntriesOf(wanted.services),
  }))

const observedService: fc.Arbitrary<ObservedService> = service.chain(({ config: one, realServers }) =>
  fc
    .tuple(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.integer({ min: 0, max: 9 }))
    .map(([up, dice]) => ({
      ...one,
      realServers: realServers.map((member, i) => ({ ...member, isUp: up[i] ?? true })),
      ringDigest: one.dataplane === 'ebpf' ? '0123456789abcdef' : null,
      isForeign: dice === 0,
    })),
)

const vip: fc.Arbitrary<ObservedVip> = fc.record({
  address: fc.constantFrom(...vips),
  interface: fc.constantFrom(...interfaces, 'lo'),
  isOurs: fc.boolean(),
})

const settings: fc.Arbitrary<ObservedSetting[]> = fc.tuple(
  ...settingNames.map((name) =>
    fc.record({
      name: fc.constant(name),
      value: fc.constantFrom('0', '1'),
      original: fc.option(fc.constantFrom('0', '2')),
    }),
  ),
)

const observedIpvs: fc.Arbitrary<ObservedIpvs> = fc.record({
  availability: fc.constant('ready' as const),
  syncDaemons: daemons.chain((running) =>
    fc
      .array(fc.boolean(), { minLength: 2, maxLength: 2 })
      .map((ours) => running.map((one, i) => ({ ...one, isOurs: ours[i] ?? true }))),
  ),
  natEntries: fc.array(service, { maxLength: 2 }).map((services) => {
    const entries = natEntriesOf(services)
    return [
      ...new Map(
        entries.map((one) => [`${one.vip} ${one.port} ${one.address} ${one.realPort} ${one.protocol}`, one]),
      ).values(),
    ]
  }),
  ownModules: fc.constant([]),
  writers: fc.constant([]),
})

/** Any state of a kernel, also one that no plan of ours leads to: half of it gone, foreign things beside ours. */
export const observed: fc.Arbitrary<ObservedState> = fc.record({
  services: fc.uniqueArray(observedService, { selector: serviceKey, maxLength: 5 }),
  vips: fc.uniqueArray(vip, { selector: (one) => `${one.address} ${one.interface}`, maxLength: 4 }),
  attachments: fc.subarray([...interfaces, 'eth2']).map((names) =>
    names.map((name) => ({
      interface: name,
      hook: 'tcx' as const,
      reason: '',
      foreignPrograms: [],
      isForReplies: false,
    })),
  ),
  settings,
  ebpf: fc.record({ newFlows: fc.constantFrom(...NewFlows.options) }),
  ipvs: observedIpvs,
})
