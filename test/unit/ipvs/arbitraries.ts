// Everything that IPVS can hold, of both families.
import fc from 'fast-check'
import type {
  IpvsDaemon,
  IpvsDaemonSettings,
  IpvsDestination,
  IpvsDestinationId,
  IpvsDestinationSettings,
  IpvsFamily,
  IpvsService,
  IpvsServiceId,
  IpvsServiceSettings,
  IpvsStats,
  IpvsTimeouts,
} from '../../../agent/dataplane/ipvs/types.ts'
import { formatAddress } from '../../../agent/kernel/ip-address.ts'

const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const counter = fc.oneof(u32, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789_-'.split('')
const word = (maxLength: number) =>
  fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength }).map((all) => all.join(''))

export const family: fc.Arbitrary<IpvsFamily> = fc.constantFrom('ipv4', 'ipv6')

/** Many zeros, so that the `::` of RFC 5952 meets all its cases. */
export const address = (of: IpvsFamily): fc.Arbitrary<string> => {
  const size = of === 'ipv4' ? 4 : 16
  return fc
    .array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: u8 }), {
      minLength: size,
      maxLength: size,
    })
    .map((bytes) => formatAddress(of, Buffer.from(bytes)))
}

const idOf = (of: IpvsFamily): fc.Arbitrary<IpvsServiceId> =>
  fc.oneof(
    fc.record({
      family: fc.constant(of),
      protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const, 50, 51),
      address: address(of),
      port: u16,
    }),
    fc.record({ family: fc.constant(of), fwmark: fc.integer({ min: 1, max: 0xffffffff }) }),
  )
export const serviceId = family.chain(idOf)

export const serviceSettings: fc.Arbitrary<IpvsServiceSettings> = family.chain((of) =>
  fc.record({
    id: idOf(of),
    scheduler: word(15),
    flags: fc.record({
      persistent: fc.boolean(),
      onePacket: fc.boolean(),
      schedulerBits: fc.integer({ min: 0, max: 7 }),
    }),
    timeoutSec: u32,
    prefixLength: of === 'ipv4' ? fc.integer({ min: 0, max: 32 }) : fc.integer({ min: 1, max: 128 }),
    engine: fc.option(word(16)),
  }),
)

export const stats: fc.Arbitrary<IpvsStats> = fc.record({
  connections: counter,
  inPackets: counter,
  outPackets: counter,
  inBytes: counter,
  outBytes: counter,
  connectionsPerSec: counter,
  inPacketsPerSec: counter,
  outPacketsPerSec: counter,
  inBytesPerSec: counter,
  outBytesPerSec: counter,
})

export const service: fc.Arbitrary<IpvsService> = fc
  .tuple(serviceSettings, stats, fc.integer({ min: 0, max: 9 }))
  .map(([settings, counted, dice]) => ({
    ...settings,
    prefixLength: dice === 0 && settings.id.family === 'ipv4' ? null : settings.prefixLength,
    stats: counted,
  }))

export const destinationId: fc.Arbitrary<IpvsDestinationId> = family.chain((of) =>
  fc.record({ family: fc.constant(of), address: address(of), port: u16 }),
)

export const destinationSettings: fc.Arbitrary<IpvsDestinationSettings> = fc.record({
  id: destinationId,
  forwarding: fc.constantFrom('masq', 'local', 'tunnel', 'droute', 'bypass'),
  weight: u32,
  upperThreshold: u32,
  lowerThreshold: u32,
  tunnel: fc.record({
    type: fc.constantFrom('ipip', 'gue', 'gre'),
    port: u16,
    checksum: fc.constantFrom('nocsum', 'csum', 'remcsum'),
  }),
})

export const destination: fc.Arbitrary<IpvsDestination> = fc
  .tuple(
    destinationSettings,
    fc.record({ activeConnections: u32, inactiveConnections: u32, persistentConnections: u32, stats }),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([settings, live, dice]) => ({
    ...settings,
    ...live,
    ...(dice === 0 ? { forwarding: 'unknown' as const } : {}),
    ...(dice === 1 ? { tunnel: { type: 'unknown' as const, port: 9, checksum: 'unknown' as const } } : {}),
  }))

const interfaceName = word(15)
export const daemonSettings: fc.Arbitrary<IpvsDaemonSettings> = fc.record({
  state: fc.constantFrom('master', 'backup'),
  interface: interfaceName,
  syncId: u8,
  maxLength: fc.option(u16, { nil: undefined }),
  group: fc.option(family.chain(address), { nil: undefined }),
  port: fc.option(u16, { nil: undefined }),
  ttl: fc.option(u8, { nil: undefined }),
})
export const daemon: fc.Arbitrary<IpvsDaemon> = daemonSettings.map((settings) => ({
  ...settings,
  maxLength: settings.maxLength ?? null,
  group: settings.group ?? null,
  port: settings.port ?? null,
  ttl: settings.ttl ?? null,
}))

export const timeouts: fc.Arbitrary<IpvsTimeouts> = fc
  .record({ tcp: fc.option(fc.tuple(u32, u32)), udpSec: fc.option(u32) })
  .map(({ tcp, udpSec }) => ({ tcpSec: tcp?.[0] ?? null, tcpFinSec: tcp?.[1] ?? null, udpSec }))
