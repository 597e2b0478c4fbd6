import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { documentOf, GuestAgent, installAgent } from './support/agent.ts'
import { hosts, layNetwork, serve } from './support/network.ts'
import { hold, request } from './support/traffic.ts'

const vip = '10.1.0.50'
const services = (announce: 'arp' | 'none') => [
  {
    name: 'web',
    vip,
    port: 80,
    dataplane: 'ipvs',
    forwarding: 'nat',
    scheduler: 'rr',
    announce,
    check: { type: 'none' },
    realServers: [{ address: hosts.in1.ipv4, port: 8000 }],
  },
]
/** The master tells of a connection with its third packet (sync_threshold 3 50), which is the first request. */
const sync = (roles: readonly string[]) => ({ sync: { interface: 'e1', syncId: 7, roles } })

let guest: Guest
let director: GuestAgent
let other: GuestAgent
beforeAll(async () => {
  guest = await startGuest()
  await layNetwork(guest, { hasPair: true })
  await serve(guest, ['in1'], [8000])
  await installAgent(guest)
  director = await GuestAgent.start(guest)
  other = await GuestAgent.start(guest, 'other')
}, 300_000)
afterAll(() => guest?.stop())

const daemonsOf = async (host: string): Promise<string> => guest.run('ipvsadm -l --daemon', { host })
/** A connection's row in the director's table, with its origin. */
const row = async (host: string, clientPort: number): Promise<string> => {
  const hex = clientPort.toString(16).toUpperCase().padStart(4, '0')
  return guest.run(`grep ' ${hex} ' /proc/net/ip_vs_conn_sync || :`, { host })
}

test('the backup knows a connection that the master has, and a stopped daemon tells no more', async () => {
  await director.apply(documentOf(services('arp'), { ipvs: sync(['master']) }))
  await other.apply(documentOf(services('none'), { ipvs: sync(['backup']) }))
  expect(await daemonsOf('director')).toMatch(/^master sync daemon \(mcast=e1, syncid=7/m)
  expect(await daemonsOf('other')).toMatch(/^backup sync daemon \(mcast=e1, syncid=7/m)
  expect((await director.state()).observed.ipvs.syncDaemons).toMatchObject([{ role: 'master', isOurs: true }])

  const held = await hold(guest, { protocol: 'tcp', vip, port: 80, count: 1 })
  const port = held.answers[0]!.clientPort
  expect(await row('director', port)).toMatch(/ESTABLISHED +LOCAL/)
  await expect.poll(() => row('other', port), { timeout: 30_000, interval: 300 }).toMatch(/ESTABLISHED +SYNC/)
  const { rows } = await other.client.call('connections.list', { client: hosts.client.ipv4 })
  expect(rows.map(({ clientPort }) => clientPort)).toContain(port)
  await held.end()

  await director.apply(documentOf(services('arp')))
  expect(await daemonsOf('director')).toBe('')
  const [again] = await request(guest, [{ protocol: 'tcp', vip, port: 80, count: 1 }])
  const silent = again!.answers[0]!.clientPort
  expect(await row('director', silent)).toContain('LOCAL')
  await new Promise((resolve) => setTimeout(resolve, 3000))
  expect(await row('other', silent)).toBe('')
})

test('both roles run on both directors, and each tells the other', async () => {
  const both = sync(['master', 'backup'])
  await director.apply(documentOf(services('arp'), { ipvs: both }))
  await other.apply(documentOf(services('none'), { ipvs: both }))
  for (const host of ['director', 'other']) {
    const daemons = await daemonsOf(host)
    expect(daemons).toContain('master sync daemon')
    expect(daemons).toContain('backup sync daemon')
  }
  const held = await hold(guest, { protocol: 'tcp', vip, port: 80, count: 1 })
  const port = held.answers[0]!.clientPort
  await expect.poll(() => row('other', port), { timeout: 30_000, interval: 300 }).toMatch(/ESTABLISHED +SYNC/)
  await held.end()
})
