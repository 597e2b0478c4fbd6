import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { directScript, guePort, natScript, raiseVips, tunnelScript } from '../lab/guest/real-servers.ts'
import { addressIn, makeTopology, type TopologyOptions, vipOf } from '../lab/guest/topology.ts'
import { HeldFlows, type Protocol, request, startServers, stopServer } from '../lab/guest/traffic.ts'

let guest: Guest
beforeAll(async () => {
  guest = await startGuest()
})
afterAll(async () => {
  await guest?.stop()
})

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp']
const families = ['ipv4', 'ipv6'] as const
const flag: Readonly<Record<Protocol, string>> = { tcp: '-t', udp: '-u', sctp: '--sctp-service' }
const endpoint = (address: string): string => (address.includes(':') ? `[${address}]:80` : `${address}:80`)

test('hosts are made anew in seconds, and nothing of the earlier ones remains', async () => {
  await makeTopology(guest)
  await startServers(guest, ['rs1'])
  await guest.run('ipvsadm -A -t 10.1.0.100:80', { host: 'director' })
  const startedAt = performance.now()
  const hosts = await makeTopology(guest)
  console.log(`a new topology of ${hosts.size} hosts: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  expect([...hosts.keys()]).toEqual(['client', 'director', 'rs1', 'rs2'])
  expect(await guest.run('ipvsadm -Sn', { host: 'director' })).toBe('')
  const { failures } = await request(guest, { protocol: 'tcp', address: addressIn('front', 'ipv4', 11), port: 80 })
  expect(failures).toEqual(['connect ECONNREFUSED'])
})

describe('servers and clients', () => {
  beforeAll(async () => {
    await makeTopology(guest)
    await startServers(guest, ['rs1', 'rs2'])
  })

  test.each(protocols.flatMap((protocol) => families.map((family) => ({ protocol, family }))))(
    'a server answers $protocol over $family with its name and what it sees',
    async ({ protocol, family }) => {
      const [client, server] = [addressIn('front', family, 9), addressIn('front', family, 12)]
      const { answers, failures } = await request(guest, {
        protocol,
        address: server,
        port: 80,
        sourcePort: 4711,
        count: 2,
      })
      expect(failures).toEqual([])
      const answer = { server: 'rs2', client, clientPort: 4711, own: server, ownPort: 80 }
      expect(answers).toEqual([answer, answer])
    },
  )

  test.each(protocols)('a held %s flow is asked again and again on its own ports', async (protocol) => {
    const flows = await HeldFlows.open(guest, { protocol, address: addressIn('front', 'ipv4', 11), port: 80, count: 3 })
    const again = await flows.ask()
    expect(flows.opened.perServer).toEqual({ rs1: 3 })
    expect(again).toEqual(flows.opened)
    await flows.close()
  })

  test('what fails is named by step and reason', async () => {
    const to = (address: string, port: number) => request(guest, { protocol: 'tcp', address, port, timeoutMs: 300 })
    expect((await to(addressIn('front', 'ipv4', 11), 81)).failures).toEqual(['connect ECONNREFUSED'])
    expect((await to(addressIn('front', 'ipv4', 77), 80)).failures).toEqual(['connect timeout'])
    expect((await to('192.0.2.1', 80)).failures).toEqual(['connect ENETUNREACH'])
    const flows = await HeldFlows.open(guest, { protocol: 'tcp', address: addressIn('front', 'ipv4', 12), port: 80 })
    await stopServer(guest, 'rs2')
    expect((await flows.ask()).failures).toEqual(['answer closed'])
    await flows.close()
  })

  test('a server answers HTTP as well', async () => {
    const answer = await guest.run(`curl -s http://${addressIn('front', 'ipv4', 11)}/`, { host: 'client' })
    expect(answer).toMatch(/^rs1 10\.1\.0\.9 \d+ 10\.1\.0\.11 80\n$/)
  })
})

/** An INIT of SCTP that was lost comes again after 3 s (RFC 9260 §16), which is as long as the client waits by itself. */
const answerWithinMs = 10_000

/** By hand, with ipvsadm: what the product is to be compared with. */
const methods: readonly {
  readonly name: string
  readonly words: string
  readonly layout?: TopologyOptions['layout']
  /** Segment and family of the real servers' addresses, where it is not that of the VIP. */
  readonly segment: 'front' | 'back' | 'far'
  readonly inside?: 'ipv4' | 'ipv6'
  readonly prepare: (vips: readonly string[]) => string
}[] = [
  { name: 'NAT', words: '-m', segment: 'back', prepare: () => natScript },
  { name: 'DR', words: '-g', segment: 'front', prepare: directScript },
  { name: 'TUN, IPIP', words: '-i', segment: 'front', prepare: tunnelScript },
  { name: 'TUN, IPIP, routed', words: '-i', layout: 'routed', segment: 'far', prepare: tunnelScript },
  { name: 'TUN, to IPv4', words: '-i', segment: 'front', inside: 'ipv4', prepare: tunnelScript },
  { name: 'TUN, to IPv6', words: '-i', segment: 'front', inside: 'ipv6', prepare: tunnelScript },
  { name: 'TUN, GRE', words: '-i --tun-type gre', segment: 'front', prepare: tunnelScript },
  { name: 'TUN, GUE', words: `-i --tun-type gue --tun-port ${guePort}`, segment: 'front', prepare: tunnelScript },
]

test.each(methods)('$name by hand balances all protocols of both families', async (method) => {
  const vips = families.map((family) => vipOf(family))
  await makeTopology(guest, method.layout === undefined ? {} : { layout: method.layout })
  await startServers(guest, ['rs1', 'rs2'])
  for (const host of ['rs1', 'rs2']) await guest.run(method.prepare(vips), { host })
  const rules = protocols.flatMap((protocol) =>
    families.flatMap((family) => {
      const service = `${flag[protocol]} ${endpoint(vipOf(family))}`
      const realServers = [11, 12].map((last) => endpoint(addressIn(method.segment, method.inside ?? family, last)))
      return [`-A ${service} -s rr`, ...realServers.map((address) => `-a ${service} -r ${address} ${method.words}`)]
    }),
  )
  await guest.run(raiseVips(vips), { host: 'director' })
  await guest.run('ipvsadm -R', { host: 'director', stdin: `${rules.join('\n')}\n` })
  for (const protocol of protocols) {
    for (const family of families) {
      const asked = { protocol, address: vipOf(family), port: 80, count: 8, timeoutMs: answerWithinMs }
      const { perServer, failures } = await request(guest, asked)
      expect({ protocol, family, perServer, failures }).toEqual({
        protocol,
        family,
        perServer: { rs1: 4, rs2: 4 },
        failures: [],
      })
    }
  }
})
