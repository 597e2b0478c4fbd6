import { ClusterSpec, parseClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue } from '../../core/model/issue.ts'
import type { ConnectStepId } from '../../core/contract/session.ts'
import type { ObservedIpvs, ObservedService } from '../../core/model/observed.ts'
import { serviceKey } from '../../core/model/service.ts'
import type { DirectorProfile } from '../../core/model/ssh.ts'
import { type AgentHostOptions, FakeAgentHost } from './fake-agent-host.ts'
import { FakeConsole, type ConsoleSetup } from './fake-console.ts'

/** A console in one state, for looking at the page and for tests of it. */
export interface Scenario {
  readonly console: FakeConsole
  readonly hosts: readonly FakeAgentHost[]
  /** Where the page is looked at, behind `#`. */
  readonly path: string
}

const author = { user: 'alice', via: 'console', from: 'desk' } as const
export const longName = 'checkout-frontend-europe-west-production-blue-generation-017'

const profile = (fields: Partial<DirectorProfile> = {}): DirectorProfile => ({
  id: 'lab',
  name: 'lab director',
  target: { host: '198.18.0.2', port: 22, user: 'root', keyFile: '/run/signalbox-lab/key' },
  isProduction: false,
  ...fields,
})

export function specOf(services: readonly Record<string, unknown>[], more: Record<string, unknown> = {}): ClusterSpec {
  const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'lab', services, ...more })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  // As it comes over a wire: the digest of a document goes by its text, and filled defaults have their place by then.
  return ClusterSpec.parse(parsed.value)
}

const servers = (first: number, count: number, port: number, more: Record<number, Record<string, unknown>> = {}) =>
  Array.from({ length: count }, (_, i) => ({ address: `192.0.2.${first + i}`, port, ...more[i] }))

const three = specOf([
  { name: 'web', vip: '192.0.2.10', port: 80, realServers: servers(20, 3, 80) },
  {
    name: 'api',
    vip: '192.0.2.11',
    port: 8443,
    realServers: servers(30, 4, 8443, { 1: { weight: 3 }, 2: { state: 'drain' } }),
  },
  { name: longName, vip: '192.0.2.12', port: 443, realServers: servers(40, 2, 443, { 0: { name: longName } }) },
])

const fifty = specOf([
  {
    name: 'shop',
    vip: '192.0.2.10',
    port: 443,
    check: { type: 'tcp', intervalMs: 10_000, timeoutMs: 800, rise: 2, fall: 2 },
    realServers: servers(100, 50, 443, { 7: { weight: 4 }, 23: { state: 'drain' }, 31: { state: 'offline' } }),
  },
])

const trafficOf = (service: string, atMs: number): number => {
  const wave = 1 + 0.25 * Math.sin(atMs / 40_000) + 0.1 * Math.sin(atMs / 7000)
  if (service.endsWith(':80')) return 1240 * wave
  if (service.endsWith(':8443')) return 310 * wave
  return service.startsWith('tcp/192.0.2.10') ? 5200 * wave : 88 * wave
}

const welcome = {
  id: 'lab-1',
  directorId: 'lab',
  vip: '192.0.2.50',
  realServers: [1, 2, 3].map((n) => ({ address: `192.0.2.${60 + n}`, port: 80 })),
  fingerprint: 'SHA256:9Q2mS6rVt0iH3xqXnG8bQv2yL1kYwJ5dZ4cPaTeUfRo',
}
const sshHosts = [
  { alias: 'edge-fra-1', host: 'edge1.fra.example.net', user: 'ops' },
  { alias: 'edge-fra-2', host: 'edge2.fra.example.net', user: 'ops' },
]
const clientHosts = [{ id: 'client', name: 'client', target: { host: '198.18.0.6', port: 22, user: 'root' } }]

interface Making extends Omit<ConsoleSetup, 'directors'> {
  readonly spec?: ClusterSpec
  readonly pastMs?: number
  readonly down?: Readonly<Record<string, string>>
  readonly skewMs?: number
  readonly trafficOf?: typeof trafficOf
  readonly makeKernel?: AgentHostOptions['makeKernel']
  readonly isConnected?: boolean
  readonly meeting?: ConsoleSetup['directors'][number]['meeting']
  readonly profile?: Partial<DirectorProfile>
}

export async function make(path: string, making: Making): Promise<Scenario> {
  const { spec, pastMs = 290_000, down, skewMs, isConnected = true, meeting, makeKernel, ...setup } = making
  const host = await FakeAgentHost.start({
    spec: spec ?? null,
    author,
    trafficOf: making.trafficOf ?? trafficOf,
    pastMs,
    ...(down === undefined ? {} : { down }),
    ...(skewMs === undefined ? {} : { skewMs }),
    ...(makeKernel === undefined ? {} : { makeKernel }),
  })
  const console = new FakeConsole({
    sshHosts,
    clientHosts,
    ...setup,
    directors: [{ profile: profile(making.profile), host, isConnected, ...(meeting === undefined ? {} : { meeting }) }],
  })
  await console.start()
  host.run()
  return { console, hosts: [host], path }
}

/** Two directors of one cluster; `second` is the other one's document. The second is the standby one. */
async function pair(path: string, second: ClusterSpec, third: 'none' | 'away' = 'none'): Promise<Scenario> {
  const hosts = await Promise.all(
    [three, second].map((spec, i) =>
      FakeAgentHost.start({ spec, author, trafficOf: i === 0 ? trafficOf : () => 0, pastMs: 20_000 }),
    ),
  )
  await hosts[1]?.handlers['director.setRole'](
    { role: 'standby' },
    { signal: new AbortController().signal, peer: 'page' },
  )
  const member = (id: string) => profile({ id, name: id, cluster: 'edge-fra', isProduction: false })
  const console = new FakeConsole({
    sshHosts,
    directors: [
      ...hosts.map((host, i) => ({ profile: member(`lb${i + 1}`), host, isConnected: true })),
      ...(third === 'away' ? [{ profile: member('lb3'), host: null }] : []),
    ],
  })
  await console.start()
  for (const host of hosts) host.run()
  return { console, hosts, path }
}

const threeOtherwise: ClusterSpec = {
  ...three,
  services: three.services.map((service, s) =>
    s === 1 ? { ...service, realServers: service.realServers.map((one) => ({ ...one, weight: 9 })) } : service,
  ),
}

/** A service as ipvsadm leaves it. */
const byHand: ObservedService = {
  vip: '192.0.2.70',
  port: 5060,
  protocol: 'udp',
  fwmark: null,
  family: 'ipv4',
  dataplane: 'ipvs',
  forwarding: 'nat',
  scheduler: 'wlc',
  schedulerFlags: [],
  persistence: { timeoutSec: 360 },
  onePacket: false,
  localAddresses: [],
  announce: 'none',
  interface: 'lo',
  check: { type: 'none' },
  realServers: [71, 72, 73].map((last) => ({
    address: `192.0.2.${last}`,
    port: 5060,
    weight: last - 70,
    state: 'enabled',
    forwarding: last === 73 ? 'tun' : 'nat',
    tunnel: last === 73 ? { type: 'ipip', checksum: 'nocsum' } : null,
    upperThreshold: 0,
    lowerThreshold: 0,
    isUp: true,
  })),
  ringDigest: null,
  isForeign: true,
}

const onIpvs = specOf([
  {
    name: 'web',
    vip: '192.0.2.10',
    port: 80,
    dataplane: 'ipvs',
    scheduler: 'wrr',
    check: { type: 'none' },
    realServers: servers(20, 3, 80, { 0: { weight: 3 } }),
  },
  {
    name: 'dns',
    vip: '192.0.2.11',
    port: 53,
    protocol: 'udp',
    dataplane: 'ipvs',
    scheduler: 'rr',
    realServers: servers(30, 2, 53),
  },
])

/** A director where somebody works with ipvsadm beside the agent, and perhaps keepalived too. */
async function disturbed(path: string, writers: ObservedIpvs['writers']): Promise<Scenario> {
  const scenario = await make(path, { spec: onIpvs, pastMs: 20_000 })
  const kernel = scenario.hosts[0]?.kernel
  if (kernel === undefined) throw new TypeError('The scenario has no director.')
  kernel.ipvs = { ...kernel.ipvs, writers }
  for (const [key, service] of kernel.services) {
    if (serviceKey(service) === 'udp/192.0.2.11:53') kernel.services.delete(key)
    else {
      const realServers = service.realServers.map((one, i) => (i === 0 ? { ...one, weight: 5 } : one))
      kernel.services.set(key, { ...service, scheduler: 'wlc', realServers })
    }
  }
  kernel.services.set(`ipvs ${serviceKey(byHand)}`, { ...byHand, realServers: [...byHand.realServers] })
  return scenario
}

const down = { '192.0.2.31:8443': 'ECONNREFUSED', '192.0.2.40:443': 'ETIMEDOUT', '192.0.2.41:443': 'ETIMEDOUT' }

/** One director for each step of a connection, which stands still there. */
export function standingAt(steps: readonly ConnectStepId[]): Scenario {
  const console = new FakeConsole({
    directors: steps.map((step) => ({
      profile: profile({ id: `at-${step.toLowerCase()}`, name: `stands at ${step}` }),
      host: null,
      meeting: { hangAt: step, stepMs: 10 },
    })),
  })
  return { console, hosts: [], path: '/connect' }
}

/** Every state that the page has to draw, by name. */
export const scenarios = {
  noDirector: async () => {
    const console = new FakeConsole({ directors: [] })
    return { console, hosts: [], path: '/' }
  },
  lab: () => make('/connect', { isConnected: false, welcome, meeting: { hostKey: 'unknown', agent: 'missing' } }),
  connecting: () => make('/connect/lab', { isConnected: false, meeting: { hangAt: 'auth' } }),
  hostKey: () => make('/connect/lab', { isConnected: false, meeting: { hostKey: 'unknown', stepMs: 20 } }),
  keyChanged: () => make('/connect/lab', { isConnected: false, meeting: { hostKey: 'changed', stepMs: 20 } }),
  agentMissing: () => make('/connect/lab', { isConnected: false, meeting: { agent: 'missing', stepMs: 20 } }),
  agentOld: () => make('/connect/lab', { isConnected: false, meeting: { agent: 'old', stepMs: 20 } }),
  unfit: () =>
    make('/connect/lab', {
      isConnected: false,
      meeting: {
        stepMs: 20,
        failAt: {
          step: 'install',
          error: {
            code: 'HOST_UNFIT',
            message: 'The host runs kernel 5.10.0; the dataplane needs 6.1 or later.',
            hint: 'Boot a newer kernel on the host, then try again.',
            details: {
              'unfit.kernel': JSON.stringify({ found: '5.10.0', needed: '6.1', missing: 'TCX' }),
              'unfit.noexec': JSON.stringify({ path: '/opt', mount: '/opt' }),
              uname: 'Linux lb1 5.10.0-28-amd64 #1 SMP Debian 5.10.209-2 x86_64 GNU/Linux',
            },
          },
        },
      },
    }),
  noService: () => make('/d/lab/overview', { welcome }),
  live: () => make('/d/lab/overview', { spec: three, down }),
  noTraffic: () => make('/d/lab/overview', { spec: three, trafficOf: () => 0 }),
  noSamples: () => make('/d/lab/overview', { spec: three, pastMs: 0 }),
  fifty: () =>
    make('/d/lab/services/tcp-192.0.2.10-443', {
      spec: fifty,
      pastMs: 120_000,
      down: { '192.0.2.113:443': 'ETIMEDOUT' },
    }),
  production: () =>
    make('/d/lab/overview', {
      spec: three,
      down,
      skewMs: 5300,
      profile: { isProduction: true, name: `edge ${longName}`.slice(0, 60) },
    }),
  lost: async () => {
    const scenario = await make('/d/lab/overview', { spec: three, down })
    scenario.console.lose('lab')
    return scenario
  },
  pair: () => pair('/d/lb1/hosts', three),
  pairApart: () => pair('/d/lb1/hosts', threeOtherwise),
  pairOneAway: () => pair('/d/lb1/hosts', three, 'away'),
  disturbed: () => disturbed('/d/lab/changes', []),
  ruled: () => disturbed('/d/lab/changes', [{ name: 'keepalived', pid: 812 }]),
  unprepared: () =>
    make('/d/lab/overview', {
      spec: three,
      welcome,
      unprepared: ['192.0.2.61', '192.0.2.62', '192.0.2.63'],
      unreadable: ['192.0.2.63'],
    }),
} satisfies Record<string, () => Promise<Scenario>>

export type ScenarioName = keyof typeof scenarios
