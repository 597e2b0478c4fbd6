// An apply is safe for traffic and for the director: edits break no connection, removals drain, what is not confirmed
// goes back, what the kernel refuses is undone and said, and what is missing has its own name.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { natScript } from '../lab/guest/real-servers.ts'
import { makeTopology } from '../lab/guest/topology.ts'
import { HeldFlows, request, startServers } from '../lab/guest/traffic.ts'
import { documentOf, installAgent } from './support/agent.ts'
import { Director } from './support/director.ts'
import { savedTable } from './support/during.ts'

let guest: Guest
let director: Director
beforeAll(async () => {
  guest = await startGuest()
  await installAgent(guest)
  await makeTopology(guest, { realServers: 3 })
  for (const host of ['rs1', 'rs2', 'rs3']) await guest.run(natScript, { host })
  await startServers(guest, ['rs1', 'rs2', 'rs3'], [80])
  director = await new Director(guest, { host: 'director' }).start()
})
afterAll(() => guest?.stop())
beforeEach(async () => {
  await director.apply(documentOf([]))
})

const onDirector = (script: string): Promise<string> => guest.run(script, { host: 'director' })
const table = (): Promise<string> => savedTable(guest, 'director')

const vip = '10.1.0.101'
const rs = (n: number, fields: object = {}) => ({ address: `10.2.0.1${n}`, port: 80, ...fields })
const web = (fields: object = {}) => ({
  name: 'web',
  vip,
  port: 80,
  dataplane: 'ipvs',
  forwarding: 'nat',
  scheduler: 'rr',
  check: { type: 'none' },
  realServers: [rs(1), rs(2)],
  ...fields,
})
const flows = { protocol: 'tcp', address: vip, port: 80 } as const

test('edits break no connection that is established', async () => {
  await director.apply(documentOf([web()]))
  const held = await HeldFlows.open(guest, { ...flows, count: 20 })
  expect(held.opened.perServer).toEqual({ rs1: 10, rs2: 10 })
  const scheduled = { scheduler: 'mh', schedulerFlags: ['port'] }
  const more = [rs(1, { weight: 7 }), rs(2, { weight: 0 }), rs(3)]
  const edits: [string, object, object?][] = [
    ['weights, also to 0', { realServers: [rs(1, { weight: 9 }), rs(2, { weight: 0 })] }],
    ['the scheduler with its flags', scheduled],
    ['another real server', { ...scheduled, realServers: more }],
    ['the method of another real server', { ...scheduled, realServers: [rs(1), rs(2), rs(3, { forwarding: 'tun' })] }],
    ['thresholds', { realServers: [rs(1, { upperThreshold: 5, lowerThreshold: 2 }), rs(2), rs(3)] }],
    ['a state', { realServers: [rs(1, { state: 'drain' }), rs(2, { state: 'offline' }), rs(3)] }],
    ['persistence', { persistence: { timeoutSec: 300 }, realServers: more }],
    ['timeouts and a sysctl', {}, { timeouts: { tcpSec: 600 }, sysctls: { expire_nodest_conn: 1 } }],
  ]
  for (const [what, fields, ipvs] of edits) {
    await director.apply(documentOf([web(fields)], { ipvs }))
    expect(await held.ask(), what).toMatchObject({ failures: [], perServer: { rs1: 10, rs2: 10 } })
  }
  await held.close()
})

test('a real server that is removed drains: its connections go on until the deadline, new ones go elsewhere', async () => {
  await director.apply(documentOf([web()]))
  const held = await HeldFlows.open(guest, { ...flows, count: 6 })
  expect(held.opened.perServer).toEqual({ rs1: 3, rs2: 3 })
  const startedAt = performance.now()
  const removing = director.apply(documentOf([web({ realServers: [rs(1)] })]), { drainSec: 12 })
  await director.stateWhere(({ progress }) => progress !== null && progress.stepsDone === 1)
  expect(await table()).toContain('-r 10.2.0.12:80 -m -w 0')
  expect(await held.ask()).toMatchObject({ failures: [], perServer: { rs1: 3, rs2: 3 } })
  expect(await request(guest, { ...flows, count: 4 })).toMatchObject({ failures: [], perServer: { rs1: 4 } })
  await removing
  expect(performance.now() - startedAt).toBeGreaterThan(12_000)
  expect(await table()).not.toContain('10.2.0.12')
  await held.close()
})

test('a drain ends with the last connection, and a whole service drains before it goes', async () => {
  await director.apply(documentOf([web()]))
  const held = await HeldFlows.open(guest, { ...flows, count: 4 })
  const removing = director.apply(documentOf([]), { drainSec: 90 })
  await director.stateWhere(({ progress }) => progress !== null && progress.stepsDone === 2)
  expect(await held.ask()).toMatchObject({ failures: [], answers: { length: 4 } })
  const startedAt = performance.now()
  await held.close()
  await removing
  console.log(`the drain ended ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the last connection`)
  expect(performance.now() - startedAt).toBeLessThan(40_000)
  expect(await table()).toBe('')
})

/** All that an apply changes on a director beside the table. */
const everything = async (): Promise<string> =>
  `${await table()}${await onDirector(
    `ip -br addr; sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.vs; ipvsadm -L --timeout; ipvsadm -L --daemon
     nft list ruleset; cat /etc/sysctl.d/60-signalbox.conf /etc/modules-load.d/signalbox.conf 2>/dev/null || true`,
  )}`

test('what is not confirmed reverts by itself, to the last detail', async () => {
  await onDirector('sysctl -qw net.ipv4.ip_forward=0 net.ipv4.vs.conntrack=0')
  const before = await everything()
  const spec = documentOf([web({ forwarding: 'fullnat' })], {
    ipvs: { timeouts: { udpSec: 33 }, sync: { interface: 'e1', syncId: 7 } },
  })
  await director.apply(spec, { confirmWithinSec: 5 })
  expect(await everything()).not.toBe(before)
  const { lastResult } = await director.stateWhere(({ progress }) => progress === null)
  expect(lastResult).toMatchObject({ outcome: 'reverted', failure: null, drift: [] })
  expect(await everything()).toBe(before)
  await onDirector('sysctl -qw net.ipv4.ip_forward=1')
})

describe('what the kernel refuses in the middle is undone, and named', () => {
  const good = web({ name: 'good', vip: '10.1.0.102' })

  const refusals = [
    {
      what: 'a scheduler whose module is not loaded',
      arrange: 'rmmod ip_vs_ovf; echo "install ip_vs_ovf /bin/false" >/etc/modprobe.d/lab.conf',
      clear: 'rm /etc/modprobe.d/lab.conf',
      spec: documentOf([good, web({ scheduler: 'ovf', port: 81, realServers: [rs(1)] })]),
      kind: 'service.add',
      errno: 'ENOENT',
      says: 'scheduler',
    },
    {
      what: 'a sync daemon on an interface that is not there',
      arrange: '',
      clear: '',
      spec: documentOf([good], { ipvs: { timeouts: { tcpSec: 700 }, sync: { interface: 'nope0', syncId: 7 } } }),
      kind: 'sync.start',
      errno: 'ENODEV',
      says: 'interface',
    },
    {
      what: 'a real server of another family beside a sync daemon of others',
      arrange: 'ipvsadm --start-daemon master --mcast-interface e1 --syncid 3',
      clear: 'ipvsadm --stop-daemon master',
      spec: documentOf([
        good,
        web({ forwarding: 'tun', port: 81, realServers: [{ address: 'fd00:1::11', port: 81 }] }),
      ]),
      kind: 'realServer.add',
      errno: 'EINVAL',
      says: 'real server',
    },
  ]
  test.each(refusals)('$what', async ({ arrange, clear, spec, kind, errno, says }) => {
    await onDirector(arrange)
    try {
      const before = await everything()
      const result = await director.tryApply(spec)
      expect(result).toMatchObject({
        outcome: 'failed',
        failure: { errno, step: { kind }, rolledBack: true, message: expect.stringContaining(says) as string },
        drift: [],
      })
      expect(await everything()).toBe(before)
      const { events } = await director.state()
      expect(events.at(-1)).toMatchObject({ message: 'apply.failed', params: { error: errno } })
    } finally {
      await onDirector(clear)
    }
  })
})

test('the deadline of an apply survives kill -9 and a clock that is set forward and back', async () => {
  const startedAt = performance.now()
  await director.apply(documentOf([web()]), { confirmWithinSec: 40 })
  await director.kill()
  await guest.run('date -s "@$(($(date +%s) + 7200))"')
  await director.start()
  expect((await director.state()).progress).toMatchObject({ phase: 'awaiting-confirmation' })
  await guest.run('date -s "@$(($(date +%s) - 20000))"')
  const { progress, revision } = await director.state()
  expect(progress?.phase).toBe('awaiting-confirmation')
  expect(progress?.remainingMs).toBeLessThan(40_000)
  expect(await table()).toContain(vip)
  const after = await director.stateWhere((state) => state.progress === null, 90_000)
  const seconds = (performance.now() - startedAt) / 1000
  console.log(`reverted ${seconds.toFixed(1)} s after the apply was asked for, deadline 40 s`)
  expect(seconds).toBeGreaterThan(39)
  expect(after.revision).toBeLessThan(revision)
  expect(await table()).toBe('')
})

describe('what is missing', () => {
  const spec = documentOf([web()])

  test('without CAP_NET_ADMIN the agent says so, and refuses', async () => {
    await director.kill()
    const place = '/root/agent-bare'
    const under = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', '--']
    const bare = new Director(guest, { host: 'director', under, place })
    await bare.start()
    expect(await bare.client.call('agent.hello', {})).toMatchObject({
      ipvs: { availability: 'no-permission', reason: expect.stringContaining('CAP_NET_ADMIN') as string },
    })
    await expect(bare.tryApply(spec)).rejects.toMatchObject({ code: 'REFUSED' })
    await bare.end()
    await director.start()
  })

  test('a module that is not loaded is loaded with the first service, one without files is missing, and an empty table is ready', async () => {
    const answer = async () => (await director.client.call('agent.hello', {})).ipvs.availability
    expect(await answer()).toBe('ready')
    expect((await director.state()).observed.services).toEqual([])
    await guest.run(
      'for name in $(lsmod | grep -o "^ip_vs_[a-z_]*"); do rmmod $name; done; rmmod xt_ipvs 2>/dev/null || true; rmmod ip_vs',
    )
    expect(await answer()).toBe('module-not-loaded')
    await director.apply(spec)
    expect(await answer()).toBe('ready')
    expect((await request(guest, { ...flows, count: 2 })).failures).toEqual([])
    await director.apply(documentOf([]))
    expect(await answer()).toBe('module-not-loaded')
    expect(await guest.run('lsmod')).not.toContain('ip_vs')
    await guest.run('mv /lib/modules/*/kernel/net/netfilter/ipvs /root/; depmod')
    expect(await answer()).toBe('module-missing')
    await expect(director.tryApply(spec)).rejects.toMatchObject({ code: 'REFUSED' })
    await guest.run('mv /root/ipvs /lib/modules/*/kernel/net/netfilter/; depmod; modprobe ip_vs')
    expect(await answer()).toBe('ready')
  })
})
