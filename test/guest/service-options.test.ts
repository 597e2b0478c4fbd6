import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { documentOf, GuestAgent, installAgent } from './support/agent.ts'
import { addAddresses, hosts, layNetwork, serve, takeVips } from './support/network.ts'
import { names, request, shares } from './support/traffic.ts'

const vip = '10.1.0.50'
const vip6 = 'fd00:1::50'
const sharedVip = '10.1.0.51'
const markedPorts = [7080, 7443]
const ports = {
  persistent: 7001,
  'by network': 7002,
  'by IPv6 network': 7003,
  limited: 7004,
  'one packet': 8000,
} as const

/** Two addresses of one /28 and /64, and one outside of it. */
const near = ['10.1.0.193', '10.1.0.194'] as const
const far = '10.1.0.225'
const near6 = ['fd00:1:0:0:1::1', 'fd00:1:0:0:1::2'] as const
const far6 = 'fd00:1:0:0:2::1'

const nat = (name: string, more: object) => ({
  name,
  vip,
  dataplane: 'ipvs',
  forwarding: 'nat',
  scheduler: 'rr',
  check: { type: 'none' },
  realServers: (['in1', 'in2'] as const).map((host) => ({ address: hosts[host].ipv4, port: 8000 })),
  ...more,
})
/**
 * Longer than a connection lives here: a rule whose time is over while it still has connections is kept for 60 s more
 * (ip_vs_conn_expire, expire_later), and with equal times chance decides which timer is first.
 */
const persistentSec = 6
const services = [
  nat('persistent', { port: ports.persistent, protocol: 'udp', persistence: { timeoutSec: persistentSec } }),
  nat('by network', { port: ports['by network'], persistence: { timeoutSec: 60, prefixLength: 28 } }),
  nat('by IPv6 network', {
    vip: vip6,
    port: ports['by IPv6 network'],
    persistence: { timeoutSec: 60, prefixLength: 80 },
    realServers: (['in1', 'in2'] as const).map((host) => ({ address: hosts[host].ipv6, port: 8000 })),
  }),
  nat('limited', {
    port: ports.limited,
    protocol: 'udp',
    realServers: [
      { address: hosts.in1.ipv4, port: 8000, upperThreshold: 2, lowerThreshold: 1 },
      { address: hosts.in2.ipv4, port: 8000 },
    ],
  }),
  nat('one packet', {
    vip: sharedVip,
    port: ports['one packet'],
    protocol: 'udp',
    forwarding: 'dr',
    onePacket: true,
    realServers: (['rs1', 'rs2'] as const).map((host) => ({ address: hosts[host].ipv4, port: 8000 })),
  }),
  nat('marked', {
    vip: undefined,
    fwmark: 80,
    persistence: { timeoutSec: 60 },
    realServers: (['in1', 'in2'] as const).map((host) => ({ address: hosts[host].ipv4, port: 0 })),
  }),
]
/** UDP flows are forgotten so soon that a test can wait for it. */
const ipvs = { timeouts: { udpSec: 3 } }

let guest: Guest
let agent: GuestAgent
beforeAll(async () => {
  guest = await startGuest()
  await layNetwork(guest)
  await takeVips(guest, [sharedVip])
  await serve(guest, ['rs1', 'rs2', 'in1', 'in2'], [8000, ...markedPorts])
  await addAddresses(guest, 'client', [...near, far, ...near6, far6])
  const rules = [
    'add table ip lab',
    'add chain ip lab prerouting { type filter hook prerouting priority mangle; }',
    `add rule ip lab prerouting ip daddr ${vip} tcp dport { ${markedPorts.join(', ')} } meta mark set 80`,
  ]
  await guest.run(`nft -f - <<'END'\n${rules.join('\n')}\nEND`, { host: 'director' })
  await installAgent(guest)
  agent = await GuestAgent.start(guest)
  await agent.apply(documentOf(services, { ipvs }))
}, 300_000)
afterAll(() => guest?.stop())

/** Rows of the director's connection table for a port of a VIP. */
const connections = (port: number): Promise<string> => {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return guest.run(`grep -E '^... [0-9A-F]+ [0-9A-F]{4} [0-9A-F]+ ${hex} ' /proc/net/ip_vs_conn || :`, {
    host: 'director',
  })
}

const from = (name: 'by network' | 'by IPv6 network', source: string) => ({
  protocol: 'tcp',
  vip: name === 'by network' ? vip : vip6,
  port: ports[name],
  count: 2,
  more: [`source=${source}`],
})

test('a persistent client stays with its real server until the time is over', async () => {
  const ask = { protocol: 'udp', vip, port: ports.persistent, count: 4 }
  const [first] = await request(guest, [ask])
  expect(Object.values(shares(first!))).toEqual([4])
  const [template] = (await connections(ports.persistent)).split('\n').filter((row) => / 0000 /.test(row))
  expect(Number(template?.trim().split(/\s+/).at(-1))).toBeLessThanOrEqual(persistentSec)
  await expect.poll(() => connections(ports.persistent), { timeout: 60_000, interval: 500 }).toBe('')
  const [next] = await request(guest, [ask])
  expect(Object.keys(shares(next!))).not.toEqual(Object.keys(shares(first!)))
})

test.each([
  ['by network', near, far],
  ['by IPv6 network', near6, far6],
] as const)('persistence %s takes its clients together, and others apart', async (name, [one, other], stranger) => {
  const outcomes = await request(guest, [from(name, one), from(name, other), from(name, stranger)])
  const [a, b, c] = outcomes.map((outcome) => Object.keys(shares(outcome)))
  expect(a).toHaveLength(1)
  expect(b).toEqual(a)
  expect(c).toHaveLength(1)
  expect(c).not.toEqual(a)
})

test('one-packet scheduling shares the packets of one UDP socket, and keeps no connection', async () => {
  const port = ports['one packet']
  const [outcome] = await request(guest, [{ protocol: 'udp', vip: sharedVip, port, count: 8, more: ['same-socket'] }])
  expect(shares(outcome!)).toEqual({ rs1: 4, rs2: 4 })
  expect(new Set(outcome!.answers.map((answer) => answer.clientPort)).size).toBe(1)
  expect(await connections(port)).toBe('')
})

test('a service by mark takes what netfilter marks, and keeps a client on one real server over all its ports', async () => {
  const outcomes = await request(
    guest,
    markedPorts.map((port) => ({ protocol: 'tcp', vip, port, count: 3 })),
  )
  const order = outcomes.flatMap(names)
  expect(order).toHaveLength(6)
  expect(new Set(order).size).toBe(1)
})

test('a real server at its upper threshold gets nothing new until it has come below the lower one', async () => {
  const to = { protocol: 'udp', vip, port: ports.limited }
  const [outcome] = await request(guest, [{ ...to, count: 8 }])
  expect(shares(outcome!)).toEqual({ in1: 2, in2: 6 })
  await expect
    .poll(async () => (await request(guest, [{ ...to, count: 2 }])).flatMap(names), { timeout: 60_000, interval: 500 })
    .toContain('in1')
})
