import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeClusterYaml } from '../../core/formats/yaml/write.ts'
import type { Plan } from '../../core/model/plan.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import {
  addresses,
  agentPid,
  apply,
  emptyDocument,
  installAgent,
  killAgent,
  labSpec,
  signalbox,
  status,
  statusWhere,
  traces,
} from './agent-in-lab.ts'

let lab: Lab
let before: string
const all = ['rs1', 'rs2', 'rs3']

beforeAll(async () => {
  lab = await startLab({ realServers: 3 })
  for (const name of all) await lab.prepareForDr(name)
  before = await traces(lab)
  await installAgent(lab)
})
afterAll(() => lab?.stop())

const requests = (count: number, more: { concurrency?: number; ratePerSec?: number } = {}) =>
  lab.clientRequests({ address: lab.vip, count, ...more })
const healthOf = (name: string) => (now: Awaited<ReturnType<typeof status>>) =>
  now.sample?.services[0]?.realServers.find((one) => one.address === lab.host(name).addresses.data)?.health

test('a document applied through the socket answers on its VIP, and clients keep their address', async () => {
  await apply(lab, labSpec(lab, all), ['--message', 'first light'])
  expect(await addresses(lab)).toContain(`eth0 ${lab.vip}/32`)
  const { answered, failed, perServer, clientAddresses } = await requests(90)
  expect({ answered, failed }).toEqual({ answered: 90, failed: 0 })
  expect(Object.keys(perServer).toSorted()).toEqual(all)
  expect(Object.keys(clientAddresses)).toEqual([lab.host('client').addresses.data])
  const { state, hello } = await status(lab)
  expect(hello.dataplane.isAvailable).toBe(true)
  expect(state).toMatchObject({ revision: 1, drift: [], progress: null })
})

test('setting the host up again under traffic, as an upgrade does, fails no request', async () => {
  const burst = requests(1000, { concurrency: 4, ratePerSec: 300 })
  const pid = await agentPid(lab)
  await installAgent(lab)
  expect(await agentPid(lab)).not.toBe(pid)
  expect(await burst).toMatchObject({ answered: 1000, failed: 0 })
  expect((await status(lab)).state).toMatchObject({ revision: 1, drift: [] })
})

test('an agent killed while 1,000 requests run fails none, and the next one takes over as it is', async () => {
  const burst = requests(1000, { concurrency: 4, ratePerSec: 300 })
  await killAgent(lab)
  expect(await burst).toMatchObject({ answered: 1000, failed: 0 })
  const { state } = await statusWhere(lab, ({ state: now }) => now.observed.services.length === 1)
  expect(state).toMatchObject({ revision: 1, drift: [] })
})

test('a dead real server is out of the ring within 5 s, and back when it lives', async () => {
  await lab.killServer('rs2')
  const { state } = await statusWhere(lab, (now) => healthOf('rs2')(now) === 'down', 5_000)
  expect(state.events.map((event) => event.message)).toContain('health.down')
  const { failed, perServer } = await requests(60)
  expect(failed).toBe(0)
  expect(Object.keys(perServer).toSorted()).toEqual(['rs1', 'rs3'])
  await lab.startServer('rs2')
  await statusWhere(lab, (now) => healthOf('rs2')(now) === 'up')
  await expect.poll(async () => Object.keys((await requests(40)).perServer).length, { timeout: 20_000 }).toBe(3)
})

test('a silent real server is out of the ring within 5 s', async () => {
  await lab.cutNetwork('rs3', 'data')
  await statusWhere(lab, (now) => healthOf('rs3')(now) === 'down', 5_000)
  expect((await requests(40)).failed).toBe(0)
  await lab.restoreNetwork('rs3', 'data')
  await statusWhere(lab, (now) => healthOf('rs3')(now) === 'up')
})

test('a drained real server keeps its flows and gets no new ones; its weight stays', async () => {
  const flows = await lab.holdFlows({ address: lab.vip, count: 30 })
  const held = (await flows.state()).filter((flow) => flow.servers.join() === 'rs1').length
  expect(held).toBeGreaterThan(0)
  const spec = labSpec(lab, [['rs1', { state: 'drain', weight: 1 }], 'rs2', 'rs3'])
  const plan = JSON.parse((await signalbox(lab, ['plan', '-', '--json'], writeClusterYaml(spec))).stdout) as Plan
  expect(plan.risk).toMatchObject({ realServersLeavingRing: 1, servicesRemoved: 0, flowsCut: 0 })
  await apply(lab, spec)
  const after = await requests(60)
  expect([after.failed, Object.keys(after.perServer).toSorted()]).toEqual([0, ['rs2', 'rs3']])
  const now = await flows.state()
  expect(now.filter((flow) => flow.servers.join() === 'rs1')).toHaveLength(held)
  expect(now.filter((flow) => flow.brokenBy !== null)).toEqual([])
  await flows.close()
  await apply(lab, labSpec(lab, all))
})

test('an apply that nobody confirms is taken back at its deadline, VIP and all', async () => {
  const { state: old } = await status(lab)
  const held = await addresses(lab)
  const [other] = lab.layout.freeAddresses
  await apply(lab, labSpec(lab, ['rs1'], { vip: other }), ['--confirm-within', '5'])
  expect(await addresses(lab)).toContain(`eth0 ${other}/32`)
  expect(await addresses(lab)).not.toContain(`eth0 ${lab.vip}/32`)
  const { state } = await statusWhere(lab, ({ state: now }) => now.progress === null)
  expect(state).toMatchObject({ revision: old.revision, drift: [] })
  expect(await addresses(lab)).toEqual(held)
  expect((await requests(30)).failed).toBe(0)
})

test('an agent killed while it waits for a confirmation goes on with the countdown', async () => {
  const { state: old } = await status(lab)
  await apply(lab, labSpec(lab, ['rs1', 'rs2']), ['--confirm-within', '20'])
  await killAgent(lab)
  const back = await statusWhere(lab, ({ state }) => state.progress?.phase === 'awaiting-confirmation')
  expect(back.state.progress?.remainingMs).toBeLessThan(20_000)
  const { state } = await statusWhere(lab, (now) => now.state.progress === null, 30_000)
  expect(state).toMatchObject({ revision: old.revision, drift: [] })
})

test('an agent killed in the middle of an apply comes back to the old or the new state', async () => {
  const ends = new Set<string>()
  // The journal has a line for its head and one for each step that was begun: the kill comes at that step.
  for (const steps of [1, 2, 5, 7, 9]) {
    const { state: old } = await status(lab)
    const held = await addresses(lab)
    const [free = ''] = lab.layout.freeAddresses
    const next = labSpec(lab, all, { vip: old.spec.services[0]?.vip === lab.vip ? free : lab.vip })
    const script = `
signalbox apply - >/dev/null 2>&1 &
until [ "$(wc -l </var/lib/signalbox/journal.jsonl)" -gt "$STEPS" ] || ! kill -0 $!; do :; done 2>/dev/null
kill -9 "$AGENT"
wait
exit 0`
    await lab.exec('director', ['sh', '-c', `exec 3<&0; ${script.replace('apply -', 'apply - <&3')}`], {
      stdin: writeClusterYaml(next),
      env: { STEPS: String(steps), AGENT: String(await agentPid(lab)) },
      mustSucceed: true,
    })
    const { state } = await statusWhere(lab, () => true)
    expect(state.drift).toEqual([])
    const isNew = state.revision !== old.revision
    ends.add(isNew ? 'new' : 'old')
    if (isNew) expect(await addresses(lab)).toContain(`eth0 ${next.services[0]?.vip}/32`)
    else expect(await addresses(lab)).toEqual(held)
    expect(state.observed.services.map((service) => service.vip)).toEqual([state.spec.services[0]?.vip])
  }
  expect([...ends]).toContain('old')
  await apply(lab, labSpec(lab, all))
  expect((await requests(30)).failed).toBe(0)
})

test('the equivalent command runs as typed in a shell and leaves the same state', async () => {
  const wanted = labSpec(lab, ['rs1', ['rs2', { weight: 4 }]], { notes: `it's "$HOME" \`id\` \\ EOF` })
  const plan = JSON.parse((await signalbox(lab, ['plan', '-', '--json'], writeClusterYaml(wanted))).stdout) as Plan
  const [command] = plan.commands
  await lab.exec('director', ['sh', '-e', '-c', command?.text ?? 'false'], { mustSucceed: true })
  const { state } = await status(lab)
  expect(state.spec).toEqual(wanted)
  expect(state.drift).toEqual([])
  const again = JSON.parse((await signalbox(lab, ['plan', '-', '--json'], writeClusterYaml(wanted))).stdout) as Plan
  expect(again.steps).toEqual([])
})

test('an address that stood there before is no VIP of ours: apply, revert and removal leave it', async () => {
  const address = lab.layout.freeAddresses[1] ?? ''
  await lab.exec('director', ['ip', 'addr', 'add', `${address}/32`, 'dev', 'eth0'], { mustSucceed: true })
  const refused = await signalbox(lab, ['apply', '-'], writeClusterYaml(labSpec(lab, all, { vip: address })))
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('allowOwnAddress')])
  await apply(lab, labSpec(lab, all, { vip: address, allowOwnAddress: true }))
  await apply(lab, labSpec(lab, all))
  expect(await addresses(lab)).toContain(`eth0 ${address}/32`)
  await lab.exec('director', ['ip', 'addr', 'del', `${address}/32`, 'dev', 'eth0'], { mustSucceed: true })
})

test('a VIP that somebody takes down is drift, and an apply of the same document brings it back', async () => {
  await apply(lab, labSpec(lab, all))
  await lab.exec('director', ['ip', 'addr', 'del', `${lab.vip}/32`, 'dev', 'eth0'], { mustSucceed: true })
  const { state } = await statusWhere(lab, (now) => now.state.drift.length > 0)
  expect(state.drift).toMatchObject([{ kind: 'vip.raise', address: lab.vip, interface: 'eth0' }])
  await apply(lab, labSpec(lab, all))
  expect(await addresses(lab)).toContain(`eth0 ${lab.vip}/32`)
})

test('the address that SSH came in by cannot become a VIP', async () => {
  const management = lab.host('director').addresses.management ?? ''
  const document = writeClusterYaml(labSpec(lab, all, { vip: management, allowOwnAddress: true }))
  // As in an SSH session through sudo, which takes the variable away: the parent process still has it.
  const script = 'env -u SSH_CONNECTION signalbox apply -; exit $?'
  const result = await lab.exec('director', ['sh', '-c', script], {
    stdin: document,
    env: { SSH_CONNECTION: `198.19.0.1 50000 ${management} 22` },
  })
  expect([result.code, result.stderr]).toEqual([
    2,
    expect.stringContaining('expected an address other than the one that SSH came in by'),
  ])
})

test('an empty document takes everything down, and teardown leaves no trace', async () => {
  expect((await signalbox(lab, ['apply', '-'], emptyDocument)).code).toBe(0)
  expect(await addresses(lab)).not.toContain(`eth0 ${lab.vip}/32`)
  await apply(lab, labSpec(lab, all))
  const removed = await signalbox(lab, ['teardown'])
  expect(removed).toMatchObject({ code: 0, stderr: '' })
  expect(await traces(lab)).toBe(before)
})

test('teardown without a running agent takes the traffic down all the same', async () => {
  await installAgent(lab)
  await apply(lab, labSpec(lab, all))
  const supervisor = await lab.exec('director', ['cat', '/run/signalbox/supervisor.pid'], { mustSucceed: true })
  await lab.exec('director', ['kill', '-9', supervisor.stdout.trim()], { mustSucceed: true })
  await killAgent(lab)
  expect((await signalbox(lab, ['status'])).code).toBe(3)
  expect(await signalbox(lab, ['teardown'])).toMatchObject({ code: 0 })
  expect(await traces(lab)).toBe(before)
})

test('teardown that keeps the traffic does, and the next agent takes it over with its VIP', async () => {
  await installAgent(lab)
  await apply(lab, labSpec(lab, all))
  expect(await signalbox(lab, ['teardown', '--keep-traffic'])).toMatchObject({ code: 0 })
  expect((await requests(30)).failed).toBe(0)
  await installAgent(lab)
  expect((await status(lab)).state).toMatchObject({ revision: 1, drift: [] })
  expect((await signalbox(lab, ['teardown'])).code).toBe(0)
  expect(await traces(lab)).toBe(before)
})
