// The power goes and comes back: everything is as it was before anybody checks a real server's health.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { natScript } from '../lab/guest/real-servers.ts'
import { topologyScript } from '../lab/guest/topology.ts'
import { request } from '../lab/guest/traffic.ts'
import { documentOf, installAgent } from './support/agent.ts'
import { Director } from './support/director.ts'

let guest: Guest
let director: Director
const state = 'sysctl net.ipv4.ip_forward net.ipv4.vs.conntrack net.ipv4.vs.expire_nodest_conn'

beforeAll(async () => {
  guest = await startGuest({ keepsDisk: true })
  await installAgent(guest)
  director = new Director(guest)
  const hosts = topologyScript({ directorIsGuest: true, directorForwards: false })
  const inHost = (host: string, script: string): string =>
    `nsenter --net=/run/netns/${host} sh -eu <<'IN'\n${script}\nIN\n`
  // As at a boot: the network, then whatever the host has, and with it the agent.
  await guest.write('/etc/lab-boot.d/10-network', hosts)
  await guest.write(
    '/etc/lab-boot.d/20-real-servers',
    `${inHost('rs1', `${natScript}\nlab-server rs1 80 81`)}${inHost('rs2', `${natScript}\nlab-server rs2 81`)}`,
  )
  await guest.write(
    '/etc/lab-boot.d/30-before-the-agent',
    `{ ${state}; lsmod | grep -w ^ip_vs; } >/root/found 2>&1 || true\n`,
  )
  await guest.run('for hook in /etc/lab-boot.d/*; do sh $hook; done')
  await director.start()
  await guest.write('/etc/lab-boot.d/40-agent', director.startScript)
  // Nothing of the lab's own files is meant to be lost.
  await guest.run('sync')
})
afterAll(async () => {
  director?.disconnect()
  await guest?.stop()
})

const nat = (name: string, port: number, fields: object = {}) => ({
  name,
  vip: '10.1.0.101',
  port,
  dataplane: 'ipvs',
  forwarding: 'nat',
  scheduler: 'wrr',
  realServers: [
    { address: '10.2.0.11', port, weight: 3 },
    { address: '10.2.0.12', port },
  ],
  ...fields,
})
const spec = documentOf(
  [
    nat('web', 80, { check: { type: 'tcp', intervalMs: 1000, timeoutMs: 1000 } }),
    nat('full', 81, { forwarding: 'fullnat' }),
  ],
  { ipvs: { sysctls: { expire_nodest_conn: 1 }, timeouts: { tcpSec: 700 }, sync: { interface: 'e1', syncId: 9 } } },
)
const look = (): Promise<string> =>
  guest.run(
    `ipvsadm -Sn | sed 's/ -w [0-9]*//' | sort; ip -4 -o addr show scope global | cut -d' ' -f2-7; ${state}; ipvsadm -L --timeout; ipvsadm -L --daemon; nft list ruleset`,
  )

const powerCycle = async (): Promise<void> => {
  director.disconnect()
  await guest.powerCycle()
  await director.connect()
}

test('after a power cycle VIP, services and sysctls are back before real servers are checked', async () => {
  await director.apply(spec)
  // rs2 has no server on port 80.
  await director.stateWhere(({ events }) => events.some(({ message }) => message.startsWith('health.')), 60_000)
  const before = await look()
  await powerCycle()
  const { events, drift, revision } = await director.stateWhere(
    (seen) => seen.events.some(({ message }) => message.startsWith('health.')),
    60_000,
  )
  const order = events.map(({ message }) => message)
  expect(order.indexOf('agent.restored')).toBeGreaterThanOrEqual(0)
  expect(order.indexOf('agent.restored')).toBeLessThan(order.findIndex((message) => message.startsWith('health.')))
  expect({ drift, revision }).toEqual({ drift: [], revision: 1 })
  expect(await look()).toBe(before)
  // Our files in /etc brought these before the agent came.
  const found = await guest.run('cat /root/found')
  expect(found).toMatch(/ip_forward = 1\n.*conntrack = 1\n.*nodest_conn = 1\nip_vs /)
  const { failures } = await request(guest, { protocol: 'tcp', address: '10.1.0.101', port: 81, count: 4 })
  expect(failures).toEqual([])
})

test('what was not confirmed in time is taken back by the next boot, and what has time left waits on', async () => {
  const { revision } = await director.apply(documentOf([nat('new', 8080)]), { confirmWithinSec: 900 })
  expect(await look()).toContain(':8080')
  await powerCycle()
  const { progress } = await director.state()
  expect(progress).toMatchObject({ phase: 'awaiting-confirmation', revision })
  expect(progress?.remainingMs).toBeLessThan(900_000)
  expect(await look()).toContain(':8080')
  await director.client.call('cluster.revert', { revision })
  const later = await director.apply(documentOf([]), { confirmWithinSec: 5 })
  expect(await look()).not.toContain(':8')
  await powerCycle()
  const after = await director.stateWhere((seen) => seen.progress === null)
  expect(after.revision).toBe(1)
  expect(await director.client.call('cluster.history', { limit: 1 })).toMatchObject([
    { revision: later.revision, outcome: 'reverted', revertReason: 'deadline' },
  ])
  expect(await look()).toContain('-A -t 10.1.0.101:80')
})

test('taken off, nothing of it comes back with the power', async () => {
  await director.apply(documentOf([]))
  await powerCycle()
  expect(await guest.run('cat /root/found')).toMatch(/ip_forward = 0\n/)
  expect(await guest.run('lsmod; ls /etc/sysctl.d /etc/modules-load.d; ip -br addr show e0')).not.toMatch(
    /ip_vs|signalbox|10\.1\.0\.101/,
  )
  expect((await director.state()).observed.ipvs.availability).toBe('module-not-loaded')
})
