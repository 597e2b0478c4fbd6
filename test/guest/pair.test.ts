// Two directors with one document and the sync daemon: a failover by hand under traffic, and what becomes of connections.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FailoverWay, failoverFacts } from '../../core/model/failover.ts'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { natScript, tunnelScript } from '../lab/guest/real-servers.ts'
import { addressIn, makeTopology } from '../lab/guest/topology.ts'
import { HeldFlows, request, startServers } from '../lab/guest/traffic.ts'
import { documentOf, installAgent } from './support/agent.ts'
import { Director } from './support/director.ts'
import { requestsDuring } from './support/during.ts'

const vip = '10.1.0.101'
const modes = [
  { forwarding: 'dr', port: 81, way: 'drSynced' },
  { forwarding: 'tun', port: 82, way: 'drSynced' },
  { forwarding: 'nat', port: 83, way: 'natSynced' },
  { forwarding: 'fullnat', port: 84, way: 'fullnat' },
] as const satisfies readonly { forwarding: string; port: number; way: FailoverWay }[]
type Mode = (typeof modes)[number]['forwarding']

/** rs1 and rs2 stand in the front and answer clients by themselves, rs3 and rs4 stand behind the directors. */
const behind = (forwarding: Mode): boolean => forwarding === 'nat' || forwarding === 'fullnat'
const flows = 8

const spec = documentOf(
  modes.map(({ forwarding, port }) => ({
    name: forwarding,
    vip,
    port,
    dataplane: 'ipvs',
    forwarding,
    scheduler: 'rr',
    check: { type: 'none' },
    realServers: (behind(forwarding) ? [13, 14] : [11, 12]).map((last) => ({
      address: addressIn(behind(forwarding) ? 'back' : 'front', 'ipv4', last),
      port,
    })),
  })),
  { ipvs: { sync: { interface: 'e1', syncId: 7 } } },
)

let guest: Guest
let first: Director
let second: Director
beforeAll(async () => {
  guest = await startGuest()
  await installAgent(guest)
  await makeTopology(guest, { realServers: 4, directors: 2 })
  for (const host of ['rs1', 'rs2']) await guest.run(tunnelScript([vip]), { host })
  for (const host of ['rs3', 'rs4']) await guest.run(natScript, { host })
  await startServers(
    guest,
    ['rs1', 'rs2', 'rs3', 'rs4'],
    modes.map(({ port }) => port),
  )
  first = new Director(guest, { host: 'director', ownFiles: true })
  second = new Director(guest, { host: 'director2', ownFiles: true })
  await Promise.all([first.start(), second.start()])
})
afterAll(() => guest?.stop())

/** Connections that the second director knows by the first one's word. */
const synced = async (): Promise<number> => {
  const listed = await guest.run('ipvsadm -Lcn', { host: 'director2' })
  return listed.split('\n').filter((line) => line.includes('ESTABLISHED')).length
}

test('a failover by hand under traffic: what is lost, mode by mode', async () => {
  await second.client.call('director.setRole', { role: 'standby' })
  await Promise.all([first.apply(spec), second.apply(spec)])
  const carriesVip = async (host: string): Promise<boolean> =>
    (await guest.run('ip -br addr show e0', { host })).includes(`${vip}/32`)
  expect([await carriesVip('director'), await carriesVip('director2')]).toEqual([true, false])
  for (const director of [first, second]) {
    const { observed } = await director.state()
    expect(observed.ipvs.syncDaemons).toMatchObject([
      { role: 'master', interface: 'e1', syncId: 7, isOurs: true },
      { role: 'backup', interface: 'e1', syncId: 7, isOurs: true },
    ])
  }

  const held = new Map<Mode | 'natLeftBehind', HeldFlows>()
  for (const { forwarding, port } of [...modes, { forwarding: 'natLeftBehind', port: 83 } as const]) {
    const opened = await HeldFlows.open(guest, { protocol: 'tcp', address: vip, port, count: flows, timeoutMs: 1000 })
    expect(opened.opened.failures, forwarding).toEqual([])
    // The third packet has a connection told to the other director.
    expect((await opened.ask()).failures, forwarding).toEqual([])
    held.set(forwarding, opened)
  }
  await expect.poll(synced, { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(flows * held.size)

  let tookMs = 0
  const during = await requestsDuring(guest, { protocol: 'tcp', address: vip, port: 81, timeoutMs: 1000 }, async () => {
    const startedAt = performance.now()
    await first.client.call('director.setRole', { role: 'standby' })
    await second.client.call('director.setRole', { role: 'active' })
    tookMs = performance.now() - startedAt
    expect(await request(guest, { protocol: 'tcp', address: vip, port: 81, timeoutMs: 1000 })).toMatchObject({
      failures: [],
    })
  })
  expect([await carriesVip('director'), await carriesVip('director2')]).toEqual([false, true])

  const lostOf = async (name: Mode | 'natLeftBehind'): Promise<number> =>
    (await held.get(name)?.ask())?.failures.length ?? -1
  // The old director runs on: real servers behind it that still answer by it are answered for.
  const lost: Record<string, number> = { natByTheOldDirector: await lostOf('natLeftBehind') }
  await guest.run('ip link set e0 down; ip link set e1 down', { host: 'director' })
  lost['natLeftBehind'] = await lostOf('natLeftBehind')
  for (const host of ['rs3', 'rs4']) {
    await guest.run(`ip route replace default via ${addressIn('back', 'ipv4', 2)}`, { host })
  }
  for (const { forwarding } of modes) lost[forwarding] = await lostOf(forwarding)
  console.log(
    `failover in ${Math.round(tookMs)} ms; new requests: ${during.answers.length} answered, ${during.failures.length} failed (${[...new Set(during.failures)].join(', ')}); of ${flows} connections lost: ${JSON.stringify(lost)}`,
  )
  // Those whose first packets went to the old director: the new one has never heard of them.
  expect(during.failures.length).toBeLessThanOrEqual(3)
  expect(lost).toEqual({ natByTheOldDirector: 0, natLeftBehind: flows, dr: 0, tun: 0, nat: 0, fullnat: flows })
  const promised = { continue: 0, conditional: 0, lost: flows }
  for (const { forwarding, way } of modes) expect(lost[forwarding], way).toBe(promised[failoverFacts[way].outcome])
  for (const { port } of modes) {
    expect((await request(guest, { protocol: 'tcp', address: vip, port, count: 4, timeoutMs: 1000 })).failures).toEqual(
      [],
    )
  }
  for (const one of held.values()) await one.close()
  await guest.run('ip link set e0 up; ip link set e1 up', { host: 'director' })
})

test('the document is taken off again on both, and nothing of ours is left', async () => {
  for (const [director, host] of [
    [first, 'director'],
    [second, 'director2'],
  ] as const) {
    await director.apply(documentOf([]))
    expect(await guest.run('ipvsadm -Sn; ipvsadm -L --daemon; nft list ruleset', { host })).toBe('')
    expect(
      await guest.run(`ip -br addr show e0; ls ${director.place}/sysctl.d ${director.place}/modules-load.d`, { host }),
    ).not.toMatch(/10\.1\.0\.101|signalbox/)
  }
})
