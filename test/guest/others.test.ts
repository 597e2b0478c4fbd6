// Services that somebody else set up: shown, left alone, taken over without a packet lost, and given back.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { DirectorState } from '../../core/contract/agent.ts'
import type { ObservedService } from '../../core/model/observed.ts'
import type { Step } from '../../core/model/plan.ts'
import { adoptedService } from '../../core/reconcile/adopt.ts'
import { takeTheirs } from '../../core/reconcile/take-theirs.ts'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { natScript } from '../lab/guest/real-servers.ts'
import { makeTopology } from '../lab/guest/topology.ts'
import { HeldFlows, startServers } from '../lab/guest/traffic.ts'
import { documentOf, installAgent } from './support/agent.ts'
import { Director } from './support/director.ts'
import { requestsDuring, savedTable } from './support/during.ts'

let guest: Guest
let director: Director
beforeAll(async () => {
  guest = await startGuest()
  await installAgent(guest)
  await makeTopology(guest)
  for (const host of ['rs1', 'rs2']) await guest.run(natScript, { host })
  await startServers(guest, ['rs1', 'rs2'], [80])
  director = await new Director(guest, { host: 'director' }).start()
})
afterAll(() => guest?.stop())

/** The director's own address: nobody has to raise it. */
const vip = '10.1.0.1'
const byHand = `
ipvsadm -A -t ${vip}:80 -s wrr -p 120
ipvsadm -a -t ${vip}:80 -r 10.2.0.11:80 -m -w 3
ipvsadm -a -t ${vip}:80 -r 10.2.0.12:80 -m -w 1 -x 500 -y 100
ipvsadm -A -u 10.1.0.150:53 -s sh -b sh-port
ipvsadm -a -u 10.1.0.150:53 -r 10.1.0.11:53 -i
ipvsadm -A -f 7 -s lc`
const table = (): Promise<string> => savedTable(guest, 'director')
const sorted = (text: string): string[] => text.split('\n').toSorted()
const onDirector = (script: string): Promise<string> => guest.run(script, { host: 'director' })

beforeEach(async () => {
  await director.apply(documentOf([]))
  await onDirector('ipvsadm -C')
})

/** The service made by hand as the agent sees it. */
const foundByHand = async (): Promise<ObservedService> => {
  const seen = (state: DirectorState) => state.observed.services.find((service) => service.vip === vip)
  const found = seen(await director.stateWhere((state) => seen(state)?.realServers.length === 2))
  if (found === undefined) throw new Error('the service made by hand is not seen')
  return found
}

const web = {
  name: 'web',
  vip: '10.1.0.101',
  port: 80,
  dataplane: 'ipvs',
  forwarding: 'nat',
  scheduler: 'wrr',
  check: { type: 'none' },
  realServers: [
    { address: '10.2.0.11', port: 80, weight: 2 },
    { address: '10.2.0.12', port: 80 },
  ],
}

test('services made by hand are foreign, and no apply touches them', async () => {
  await onDirector(byHand)
  const theirs = await table()
  await foundByHand()
  const { observed } = await director.state()
  expect(observed.services.map(({ isForeign }) => isForeign)).toEqual([true, true, true])
  await director.apply(documentOf([web]))
  expect(sorted(await table())).toEqual(expect.arrayContaining(sorted(theirs)))
  await director.kill()
  await director.start()
  await director.apply(documentOf([]))
  expect(await table()).toBe(theirs)
  expect(await director.cli(['apply', '-'], 'apiVersion: signalbox/v1\nname: x\nservices: []\n')).toMatchObject({
    code: 0,
  })
  expect(await table()).toBe(theirs)
})

test('a document that names a service of others is refused and says so', async () => {
  await onDirector(byHand)
  const theirs = await table()
  const named = documentOf([{ ...web, vip, announce: 'none' }])
  await expect(director.tryApply(named)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    issues: [{ path: ['services', 0, 'vip'], expectation: 'notForeign' }],
  })
  expect(await table()).toBe(theirs)
})

test('a service is taken over without a packet lost, and a revert gives it back as it was', async () => {
  await onDirector(byHand)
  const theirs = await table()
  const taken = adoptedService(await foundByHand(), 'taken')
  const held = await HeldFlows.open(guest, { protocol: 'tcp', address: vip, port: 80, count: 20 })
  expect(held.opened.failures).toEqual([])
  const during = await requestsDuring(guest, { protocol: 'tcp', address: vip, port: 80 }, async () => {
    const { revision } = await director.apply(documentOf([taken]), { adopt: [`tcp/${vip}:80`], confirmWithinSec: 600 })
    expect(await table()).toBe(theirs)
    const ours = (await director.state()).observed.services.filter((service) => !service.isForeign)
    expect(ours.map(({ vip: address }) => address)).toEqual([vip])
    await director.client.call('cluster.revert', { revision })
    expect(await table()).toBe(theirs)
    expect((await director.state()).observed.services.every((service) => service.isForeign)).toBe(true)
  })
  console.log(
    `requests while it was taken over and given back: ${during.answers.length}, failed: ${during.failures.length}`,
  )
  expect(during.failures).toEqual([])
  expect(during.answers.length).toBeGreaterThan(10)
  expect(await held.ask()).toMatchObject({ failures: [], answers: { length: 20 } })
  await held.close()
})

test('taken over and changed in one step, and reverted by the deadline, it is theirs again as it was', async () => {
  await onDirector(byHand)
  const theirs = await table()
  const [, ...others] = adoptedService(await foundByHand(), 'taken').realServers
  const changed = {
    ...adoptedService(await foundByHand(), 'taken'),
    scheduler: 'wlc',
    realServers: [...others, { address: '10.2.0.19', port: 80, weight: 4 }],
  }
  await director.apply(documentOf([changed]), { adopt: [`tcp/${vip}:80`], confirmWithinSec: 5 })
  expect(await table()).toContain(`-A -t ${vip}:80 -s wlc`)
  const after = await director.stateWhere(({ progress }) => progress === null)
  expect(after.lastResult).toMatchObject({ outcome: 'reverted', failure: null, drift: [] })
  expect(sorted(await table())).toEqual(sorted(theirs))
  expect(after.observed.services.every((service) => service.isForeign)).toBe(true)
})

/** What keepalived is told: a service of its own, and one that the agent has. */
const configuration = (vips: readonly string[]): string =>
  vips
    .map(
      (address) => `virtual_server ${address} 80 {
  lvs_sched rr
  lvs_method NAT
  protocol TCP
  real_server 10.2.0.11 80 {
    weight 1
  }
}
`,
    )
    .join('')

test('services of a running keepalived are neither taken over nor changed, and those that it manages too go to it', async () => {
  await director.apply(documentOf([web]))
  await onDirector('ipvsadm -A -t 10.1.0.150:81 -s rr')
  await guest.write('/root/keepalived.conf', configuration(['10.1.0.160']))
  const words = '--check --dont-fork --use-file /root/keepalived.conf --pid /run/k.pid --checkers_pid /run/k-check.pid'
  await onDirector(`keepalived ${words} >/root/keepalived.log 2>&1 </dev/null & echo $! >/root/keepalived.pid`)
  const isReady = ({ observed }: DirectorState) =>
    observed.ipvs.writers.length > 0 &&
    observed.services.some((one) => one.vip === '10.1.0.160' && one.realServers.length > 0)
  const { observed } = await director.stateWhere(isReady, 60_000)
  const pid = Number(await guest.run('cat /root/keepalived.pid'))
  expect(observed.ipvs.writers).toEqual([{ name: 'keepalived', pid, manages: ['tcp/10.1.0.160:80'] }])
  expect(observed.services.map(({ vip: address, isForeign }) => [address, isForeign])).toEqual([
    ['10.1.0.101', false],
    ['10.1.0.150', true],
    ['10.1.0.160', true],
  ])
  const theirs = await table()
  const refusal = (address: string) => ({
    code: 'BAD_INPUT',
    issues: [{ found: `"${address}"`, expectation: 'notManagedBy', params: { writer: 'keepalived', pid } }],
  })
  for (const [address, port] of [
    ['10.1.0.160', 80],
    ['10.1.0.150', 81],
  ] as const) {
    const spec = documentOf([web, { ...web, name: 'theirs', vip: address, port, announce: 'none' }])
    await expect(director.tryApply(spec, { adopt: [`tcp/${address}:${port}`] })).rejects.toMatchObject(
      refusal(`${address}:${port}`),
    )
  }
  expect(await table()).toBe(theirs)

  await guest.write('/root/keepalived.conf', configuration(['10.1.0.160', '10.1.0.101']))
  await onDirector('kill -HUP $(cat /root/keepalived.pid)')
  await expect(director.tryApply(documentOf([{ ...web, scheduler: 'rr' }]))).rejects.toMatchObject(
    refusal('10.1.0.101:80'),
  )
  await director.apply(documentOf([]))
  expect(await table()).toContain('-A -t 10.1.0.101:80')
  const left = (await director.state()).observed.services
  expect(left.every((service) => service.isForeign)).toBe(true)

  await onDirector('pid=$(cat /root/keepalived.pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.1; done')
  await director.stateWhere((state) => state.observed.ipvs.writers.length === 0)
})

const kinds = (steps: readonly Step[]): string[] => steps.map(({ kind }) => kind)

test('what somebody edits by hand is noticed, can be put back, and can be taken into the document', async () => {
  const spec = documentOf([web, { ...web, name: 'other', port: 8080 }], {
    ipvs: { sysctls: { expire_nodest_conn: 1 } },
  })
  await director.apply(spec)
  const ours = await table()
  const edits: [string, string[]][] = [
    ['ipvsadm -e -t 10.1.0.101:80 -r 10.2.0.11:80 -m -w 7', ['realServer.change']],
    ['ipvsadm -E -t 10.1.0.101:80 -s rr', ['service.change']],
    ['ipvsadm -d -t 10.1.0.101:80 -r 10.2.0.12:80', ['realServer.add']],
    ['ipvsadm -a -t 10.1.0.101:80 -r 10.2.0.13:80 -m', ['realServer.remove']],
    ['ipvsadm -D -t 10.1.0.101:8080', ['service.add', 'realServer.add', 'realServer.add']],
    ['ip addr del 10.1.0.101/32 dev e0', ['vip.raise']],
    ['sysctl -qw net.ipv4.vs.expire_nodest_conn=0', ['setting.set']],
    ['sysctl -qw net.ipv4.ip_forward=0', ['setting.set']],
  ]
  const noticedAfterMs: number[] = []
  for (const [edit, steps] of edits) {
    // By the guest's clock, which the agent's events have too.
    const editedAtMs = Number(await onDirector(`date +%s%3N; ${edit}`))
    const { observed, drift, events } = await director.stateWhere((state) => state.drift.length > 0)
    noticedAfterMs.push((events.findLast(({ message }) => message === 'drift.found')?.atMs ?? Infinity) - editedAtMs)
    expect(kinds(drift), edit).toEqual(steps)
    const { spec: taken, left } = takeTheirs(spec, observed, drift)
    const isSayable = !edit.startsWith('ip addr') && !edit.includes('ip_forward')
    expect(kinds(left), edit).toEqual(isSayable ? [] : steps)
    if (isSayable) {
      const before = await table()
      await director.apply(taken)
      expect(await table(), edit).toBe(before)
    }
    await director.apply(spec)
    expect((await table()).split('\n').toSorted(), edit).toEqual(ours.split('\n').toSorted())
    expect(await onDirector('ip -br addr show e0; sysctl net.ipv4.ip_forward net.ipv4.vs.expire_nodest_conn')).toMatch(
      /10\.1\.0\.101\/32[^]*forward = 1\n.*nodest_conn = 1/,
    )
  }
  noticedAfterMs.sort((a, b) => a - b)
  console.log(`drift was noticed after ${noticedAfterMs.join(', ')} ms`)
  // A machine that does other things at the same time delays some; the agent looks every 2 s.
  expect(noticedAfterMs[Math.floor(noticedAfterMs.length / 2)]).toBeLessThan(5000)
  expect(noticedAfterMs.at(-1)).toBeLessThan(20_000)
})
