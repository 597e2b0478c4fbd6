import type { Connection } from '../../core/model/connection.ts'
import type { ObservedService } from '../../core/model/observed.ts'
import { RealServerConfig, ServiceConfig } from '../../core/model/plan.ts'
import { type Scenario, make, specOf } from './console-scenarios.ts'
import { type IpvsSetup, IpvsTrafficKernel } from './ipvs-traffic-kernel.ts'

/** As long as an address gets. */
export const longVip = '2001:db8:1234:5678:9abc:def0:1234:5678'

const v4 = (first: number, count: number, port: number, more: Record<number, Record<string, unknown>> = {}) =>
  Array.from({ length: count }, (_, i) => ({ address: `192.0.2.${first + i}`, port, ...more[i] }))
const v6 = (count: number, port: number, more: Record<number, Record<string, unknown>> = {}) =>
  Array.from({ length: count }, (_, i) => ({
    address: `2001:db8:1234:5678:9abc:def0:4321:${(0x5a01 + i).toString(16)}`,
    port,
    ...more[i],
  }))

/** One service of each kind that IPVS has, and one of eBPF beside them. */
const allKinds = specOf(
  [
    {
      name: 'shop',
      vip: '192.0.2.10',
      port: 443,
      dataplane: 'ipvs',
      forwarding: 'nat',
      scheduler: 'wlc',
      persistence: { timeoutSec: 300, prefixLength: 24 },
      realServers: v4(20, 4, 8443, {
        0: { weight: 3 },
        1: { upperThreshold: 4000, lowerThreshold: 3200 },
        3: { forwarding: 'tun', port: 443 },
      }),
    },
    {
      name: 'resolver',
      vip: longVip,
      port: 53,
      protocol: 'udp',
      dataplane: 'ipvs',
      forwarding: 'tun',
      tunnel: { type: 'gue', port: 6080 },
      scheduler: 'sh',
      schedulerFlags: ['fallback', 'port'],
      announce: 'route',
      realServers: v6(3, 53),
    },
    {
      name: 'marked',
      fwmark: 7,
      dataplane: 'ipvs',
      forwarding: 'dr',
      scheduler: 'rr',
      realServers: v4(30, 2, 0),
    },
    {
      name: 'mail',
      vip: '192.0.2.12',
      port: 25,
      dataplane: 'ipvs',
      forwarding: 'fullnat',
      scheduler: 'fo',
      realServers: v4(40, 2, 2525, { 0: { weight: 2 } }),
    },
    { name: 'edge', vip: '192.0.2.13', port: 80, realServers: v4(50, 3, 80) },
  ],
  { ipvs: { timeouts: { tcpSec: 1800 }, sysctls: { expire_nodest_conn: '1', expire_quiescent_template: '1' } } },
)

const fiftyV6 = specOf([
  {
    name: 'shop over IPv6',
    vip: longVip,
    port: 443,
    dataplane: 'ipvs',
    forwarding: 'nat',
    scheduler: 'mh',
    schedulerFlags: ['fallback'],
    announce: 'route',
    check: { type: 'tcp', intervalMs: 10_000, timeoutMs: 800, rise: 2, fall: 2 },
    realServers: v6(50, 8443, { 7: { weight: 4 }, 23: { state: 'drain' }, 31: { state: 'offline' } }),
  },
])

const onlyEbpf = specOf([{ name: 'edge', vip: '192.0.2.13', port: 80, realServers: v4(50, 3, 80) }])

/** A service that somebody set up by hand: nobody knows its name or its check. */
const foreignService = (
  fields: { readonly vip: string; readonly port: number; readonly family: 'ipv4' | 'ipv6' },
  realServers: readonly { readonly address: string; readonly weight: number }[],
): ObservedService => ({
  ...ServiceConfig.parse({
    ...fields,
    protocol: 'tcp',
    dataplane: 'ipvs',
    forwarding: 'nat',
    scheduler: 'wrr',
    announce: 'none',
    interface: '',
    check: { type: 'none' },
  }),
  realServers: realServers.map((one) => ({
    ...RealServerConfig.parse({ ...one, port: fields.port, state: 'enabled', forwarding: 'nat' }),
    isUp: true,
  })),
  ringDigest: null,
  isForeign: true,
})

export const foreignKey = 'tcp/192.0.2.90:3306'
const foreign = [
  foreignService({ vip: '192.0.2.90', port: 3306, family: 'ipv4' }, [
    { address: '192.0.2.91', weight: 3 },
    { address: '192.0.2.92', weight: 1 },
  ]),
  foreignService({ vip: '2001:db8::90', port: 5432, family: 'ipv6' }, [{ address: '2001:db8::91', weight: 1 }]),
]

const states = ['ESTABLISHED', 'ESTABLISHED', 'ESTABLISHED', 'FIN_WAIT', 'TIME_WAIT', 'SYN_RECV'] as const

/** Clients of the shop, and of the resolver, in no order; each twentieth row is a template. */
export function connectionsOf(count: number): readonly Connection[] {
  return Array.from({ length: count }, (_, i): Connection => {
    const isTemplate = i % 20 === 19
    const isDns = i % 7 === 3
    const state = states[(i * 7) % states.length] ?? 'ESTABLISHED'
    return {
      dataplane: 'ipvs',
      protocol: isDns ? 'udp' : 'tcp',
      clientAddress: isDns
        ? `2001:db8:feed:${(i % 65_535).toString(16)}::${((i * 31) % 65_535).toString(16)}`
        : `198.51.${(i * 13) % 256}.${(i * 7) % 254}`,
      clientPort: isTemplate ? 0 : 1024 + ((i * 37) % 60_000),
      vip: isDns ? longVip : '192.0.2.10',
      port: isDns ? 53 : 443,
      fwmark: null,
      realServer: isDns
        ? { address: `2001:db8:1234:5678:9abc:def0:4321:5a0${1 + (i % 3)}`, port: 53 }
        : { address: `192.0.2.${20 + (i % 4)}`, port: i % 4 === 3 ? 443 : 8443 },
      state: isTemplate ? 'ASSURED' : isDns ? 'UDP' : state,
      isTemplate,
      packets: null,
      bytes: null,
      expiresSec: (i * 11) % 900,
    }
  })
}

const traffic = (service: string, atMs: number): number => {
  const wave = 1 + 0.25 * Math.sin(atMs / 40_000) + 0.1 * Math.sin(atMs / 7000)
  if (service.startsWith('tcp/192.0.2.10')) return 1240 * wave
  if (service.startsWith('udp/')) return 8200 * wave
  return service.startsWith('fwmark') ? 74 * wave : 310 * wave
}

const onIpvs = (setup: IpvsSetup) => ({
  trafficOf: traffic,
  makeKernel: (trafficOf: typeof traffic, nowMs: number) => new IpvsTrafficKernel(setup, trafficOf, nowMs),
})

const connections = () => connectionsOf(12_340)
const down = { '192.0.2.21:8443': 'ECONNREFUSED' }

/** What a page shows of directors with IPVS, by name. */
export const ipvsScenarios = {
  ipvs: () => make('/d/lab/overview', { spec: allKinds, down, ...onIpvs({ foreign, connections }) }),
  ipvsFifty: () =>
    make(`/d/lab/services/tcp-${longVip}-443`, {
      spec: fiftyV6,
      pastMs: 120_000,
      down: { '2001:db8:1234:5678:9abc:def0:4321:5a0e:8443': 'ETIMEDOUT' },
      ...onIpvs({}),
    }),
  ipvsWriters: () =>
    make('/d/lab/overview', {
      spec: onlyEbpf,
      ...onIpvs({
        foreign,
        writers: [{ name: 'keepalived', pid: 812 }],
        syncDaemons: [{ role: 'master', interface: 'eth0', syncId: 3, port: 8848, ttl: 1, isOurs: false }],
      }),
    }),
  ipvsCut: () => make('/d/lab/connections', { spec: allKinds, ...onIpvs({ connections, readAtOnce: 10_000 }) }),
  ipvsQuiet: () => make('/d/lab/connections', { spec: allKinds, ...onIpvs({}) }),
  ipvsNotLoaded: () => make('/d/lab/ipvs', { spec: onlyEbpf, ...onIpvs({ availability: 'module-not-loaded' }) }),
  ipvsMissing: () => make('/d/lab/ipvs', { spec: onlyEbpf, ...onIpvs({ availability: 'module-missing' }) }),
  /** Nothing to balance with IPVS, and nothing balanced by eBPF. */
  ipvsGone: () => make('/d/lab/connections', onIpvs({ availability: 'module-missing' })),
  ipvsForbidden: () => make('/d/lab/ipvs', { spec: onlyEbpf, ...onIpvs({ availability: 'no-permission' }) }),
} satisfies Record<string, () => Promise<Scenario>>
