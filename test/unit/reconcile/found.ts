import fc from 'fast-check'
import type { ForwardingMethod } from '../../../core/model/dataplane.ts'
import type { ObservedRealServer, ObservedService, ObservedState } from '../../../core/model/observed.ts'
import { noIpvs } from '../../../core/model/observed.ts'
import { realServerKey, serviceKey, type Tunnel } from '../../../core/model/service.ts'
import { commonMethod } from '../../../core/reconcile/adopt.ts'

/** Services as somebody else's ipvsadm leaves them: every combination that the kernel takes and the document can say. */

const tunnel = fc.constantFrom<Tunnel>(
  { type: 'ipip', checksum: 'nocsum' },
  { type: 'gue', port: 6080, checksum: 'csum' },
  { type: 'gue', port: 6080, checksum: 'remcsum' },
  { type: 'gre', checksum: 'csum' },
)

const realServer = (servicePort: number): fc.Arbitrary<ObservedRealServer> =>
  fc
    .record({
      last: fc.integer({ min: 20, max: 27 }),
      port: fc.constantFrom(80, 8080),
      weight: fc.constantFrom(0, 1, 5, 65535),
      forwarding: fc.constantFrom<ForwardingMethod>('dr', 'nat', 'tun', 'local'),
      tunnel,
      upper: fc.constantFrom(0, 100),
      lower: fc.constantFrom(0, 50),
    })
    .map(({ last, port, weight, forwarding, tunnel: outer, upper, lower }) => ({
      address: `192.0.2.${last}`,
      port: servicePort === 0 || forwarding !== 'nat' ? servicePort : port,
      weight,
      state: 'enabled',
      forwarding,
      tunnel: forwarding === 'tun' ? outer : null,
      upperThreshold: upper,
      lowerThreshold: Math.min(lower, upper),
      isUp: true,
    }))

const persistence = fc.constantFrom<ObservedService['persistence']>(
  null,
  { timeoutSec: 300 },
  { timeoutSec: 60, prefixLength: 24 },
)
const hashing = fc.record({
  scheduler: fc.constantFrom<ObservedService['scheduler']>('sh', 'mh'),
  schedulerFlags: fc.constantFrom<ObservedService['schedulerFlags']>([], ['fallback'], ['fallback', 'port']),
})
const plain = fc.record({
  scheduler: fc.constantFrom<ObservedService['scheduler']>('rr', 'wrr', 'wlc'),
  schedulerFlags: fc.constant<ObservedService['schedulerFlags']>([]),
})

export const found: fc.Arbitrary<ObservedService> = fc
  .record({
    identity: fc.constantFrom(
      { vip: '192.0.2.10', port: 80, protocol: 'tcp' as const, fwmark: null },
      { vip: '192.0.2.11', port: 80, protocol: 'udp' as const, fwmark: null },
      { vip: '192.0.2.12', port: 0, protocol: 'tcp' as const, fwmark: null },
      { vip: null, port: 0, protocol: 'tcp' as const, fwmark: 7 },
    ),
    scheduling: fc.oneof(hashing, plain),
    persistence,
    onePacket: fc.boolean(),
  })
  .chain(({ identity, scheduling, persistence: kept, onePacket }) =>
    fc.uniqueArray(realServer(identity.port), { selector: realServerKey, maxLength: 5 }).map((realServers) => {
      const isAnyPort = identity.port === 0 && identity.fwmark === null
      const persistent = isAnyPort ? (kept ?? { timeoutSec: 360 }) : kept
      return {
        ...identity,
        family: 'ipv4' as const,
        dataplane: 'ipvs' as const,
        forwarding: commonMethod(realServers) ?? 'dr',
        ...scheduling,
        persistence: persistent,
        onePacket: onePacket && persistent === null && (identity.protocol === 'udp' || identity.fwmark !== null),
        localAddresses: [],
        announce: 'none' as const,
        interface: 'lo',
        check: { type: 'none' as const },
        realServers,
        ringDigest: null,
        isForeign: true,
      }
    }),
  )

export const foundMany = fc.uniqueArray(found, { selector: serviceKey, maxLength: 4 })

/** A host with IPVS in use; settings that the services ask for are there, as they must be for them to work. */
export const hostWith = (services: readonly ObservedService[]): ObservedState => ({
  services: [...services],
  vips: [],
  attachments: [],
  settings: [{ name: 'net.ipv4.ip_forward', value: '1', original: null }],
  ipvs: { ...noIpvs, availability: 'ready' },
  ebpf: { newFlows: 'balanced' },
})
