import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Dataplanes, DataplaneStep } from '../../../agent/dataplane/dataplane.ts'
import { explained } from '../../../agent/dataplane/ipvs/errors.ts'
import { destinationOf } from '../../../agent/dataplane/ipvs/wanted.ts'
import { KernelError } from '../../../agent/kernel/errno.ts'
import type { ObservedState } from '../../../core/model/observed.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import { type Desired, emptyDesired } from '../../../core/reconcile/desired.ts'
import { undoOf } from '../../../core/reconcile/invert.ts'
import { plan, type PlanOptions } from '../../../core/reconcile/plan.ts'
import { realServerConfig, serviceConfig } from '../../fixtures/configs.ts'
import { desired as anyDesired } from '../reconcile/arbitraries.ts'
import { IpvsDirector } from './director.ts'
import { setUpByHand } from './foreign.ts'

let director: IpvsDirector
beforeEach(() => {
  director = new IpvsDirector()
})
afterEach(() => director.remove())

const stateOf = (dataplanes: Dataplanes, hints: readonly Desired[]): ObservedState => ({
  ...dataplanes.observe(hints),
  vips: [],
})

const isDataplaneStep = (step: { kind: string }): step is DataplaneStep =>
  !step.kind.startsWith('vip.') && step.kind !== 'drain.wait'

/** Steps one by one, as the agent runs them without pipelining. */
async function run(dataplanes: Dataplanes, steps: readonly { kind: string }[]): Promise<void> {
  for (const step of steps.filter(isDataplaneStep)) {
    const { failure } = await dataplanes.execute([step])
    if (failure !== null) throw failure.error
  }
}

async function goTo(dataplanes: Dataplanes, wanted: Desired, from: Desired, options: PlanOptions = {}) {
  const steps = plan(wanted, stateOf(dataplanes, [from, wanted]), options).map(({ step }) => step)
  await run(dataplanes, steps)
  return steps
}

const leftOver = (dataplanes: Dataplanes, wanted: Desired) =>
  plan(wanted, stateOf(dataplanes, [wanted])).filter(({ step }) => isDataplaneStep(step))

const web = serviceConfig({ dataplane: 'ipvs', forwarding: 'nat', scheduler: 'wlc', announce: 'none' })
const rs = (last: number, more: Parameters<typeof realServerConfig>[0] = {}) =>
  realServerConfig({ address: `192.0.2.${last}`, forwarding: 'nat', weight: 3, ...more })
const wantedOf = (...realServers: ReturnType<typeof rs>[]): Desired => ({
  ...emptyDesired,
  services: [{ config: web, realServers }],
})
const key = serviceKey(web)

/** Only what IPVS can do: the eBPF services of the small world stay away. */
const ipvsDesired = anyDesired.map((wanted) => ({
  ...wanted,
  services: wanted.services.filter(({ config }) => config.dataplane === 'ipvs'),
  settings: wanted.settings.filter(({ name }) => name.startsWith('net.')),
}))

test('from any document to any other: afterwards nothing is left to do, and undoing the steps restores the kernel', async () => {
  await fc.assert(
    fc.asyncProperty(ipvsDesired, ipvsDesired, async (first, second) => {
      const own = new IpvsDirector()
      try {
        const dataplanes = await own.start()
        await goTo(dataplanes, first, emptyDesired)
        expect(leftOver(dataplanes, first)).toEqual([])
        const before = own.kernel.table()
        const settings = new Map(own.sysctls)
        const steps = await goTo(dataplanes, second, first)
        expect(leftOver(dataplanes, second)).toEqual([])
        await run(dataplanes, undoOf(steps))
        expect(sorted(own.kernel.table())).toEqual(sorted(before))
        expect(own.sysctls).toEqual(settings)
      } finally {
        own.remove()
      }
    }),
    { numRuns: 60 },
  )
})

const sorted = (table: ReturnType<IpvsDirector['kernel']['table']>) =>
  table
    .map((row) => ({ ...row, destinations: row.destinations.map((one) => JSON.stringify(one)).toSorted() }))
    .toSorted((a, b) => (JSON.stringify(a.id) < JSON.stringify(b.id) ? -1 : 1))

test('a real server that is down has weight 0 in the kernel, and keeps its own in what is seen', async () => {
  const dataplanes = await director.start()
  const wanted = wantedOf(rs(20), rs(21))
  await goTo(dataplanes, wanted, emptyDesired)
  stateOf(dataplanes, [wanted])
  dataplanes.setHealth(key, '192.0.2.20:80', false)
  expect(director.kernel.table()[0]?.destinations.map(({ id, weight }) => [id.address, weight])).toContainEqual([
    '192.0.2.20',
    0,
  ])
  const seen = stateOf(dataplanes, [wanted]).services[0]?.realServers[0]
  expect(seen).toMatchObject({ weight: 3, state: 'enabled', isUp: false })
  expect(leftOver(dataplanes, wanted)).toEqual([])
})

test('a drained real server is not drift, and its weight comes back with it', async () => {
  const dataplanes = await director.start()
  const [enabled, drained] = [wantedOf(rs(20)), wantedOf(rs(20, { state: 'drain' }))]
  await goTo(dataplanes, enabled, emptyDesired)
  const steps = await goTo(dataplanes, drained, enabled)
  expect(steps).toMatchObject([{ kind: 'realServer.change', before: { weight: 3 }, after: { state: 'drain' } }])
  expect(leftOver(dataplanes, drained)).toEqual([])
  await goTo(dataplanes, enabled, drained)
  expect(director.kernel.table()[0]?.destinations[0]?.weight).toBe(3)
})

test('a weight that somebody sets by hand is drift, with what the kernel has now', async () => {
  const dataplanes = await director.start()
  const wanted = wantedOf(rs(20))
  await goTo(dataplanes, wanted, emptyDesired)
  const id = { family: 'ipv4', protocol: 'tcp', address: '192.0.2.10', port: 80 } as const
  director.kernel.change([
    { kind: 'destination.set', service: id, destination: destinationOf(rs(20, { weight: 7 }), true) },
  ])
  expect(leftOver(dataplanes, wanted).map(({ step }) => step)).toMatchObject([
    { kind: 'realServer.change', before: { weight: 7 }, after: { weight: 3 } },
  ])
})

test('a module that was unloaded and loaded again between two looks is asked anew', async () => {
  setUpByHand(director.kernel)
  const dataplanes = await director.start()
  const { kernel } = director
  const table = kernel.table.bind(kernel)
  kernel.table = () => {
    kernel.table = table
    throw explained('read', new KernelError('the table', 'ENOENT'))
  }
  expect(dataplanes.observe([]).services).toMatchObject([{ isForeign: true }])
})

test('a service of somebody else is foreign, and taking it over asks nothing of the kernel', async () => {
  setUpByHand(director.kernel)
  const dataplanes = await director.start()
  const found = stateOf(dataplanes, [emptyDesired]).services
  expect(found).toMatchObject([{ isForeign: true, forwarding: 'nat', announce: 'none' }])
  expect(leftOver(dataplanes, emptyDesired)).toEqual([])

  const asked = director.kernel.history.length
  const wanted = wantedOf(rs(20))
  const steps = await goTo(dataplanes, wanted, emptyDesired, { adopt: new Set([key]) })
  expect(
    steps.map((step) => step.kind).filter((kind) => kind.startsWith('service') || kind.startsWith('real')),
  ).toEqual(['service.adopt'])
  expect(director.kernel.history.length).toBe(asked)
  expect(stateOf(dataplanes, [wanted]).services).toMatchObject([{ isForeign: false }])
})

test('a revert leaves what was taken over to whoever set it up, as it was then', async () => {
  setUpByHand(director.kernel)
  const dataplanes = await director.start()
  const changed = wantedOf(rs(20, { weight: 9 }))
  await goTo(dataplanes, changed, emptyDesired, { adopt: new Set([key]) })
  expect(director.kernel.table()[0]?.destinations[0]?.weight).toBe(9)
  await goTo(dataplanes, emptyDesired, changed, { release: dataplanes.originals() })
  expect(director.kernel.table()[0]?.destinations[0]?.weight).toBe(3)
  expect(stateOf(dataplanes, [emptyDesired]).services).toMatchObject([{ isForeign: true }])
})

test('a batch that is refused in the middle says where, and what else took effect', async () => {
  const dataplanes = await director.start()
  director.kernel.refuse = (operation) =>
    operation.kind === 'destination.add' && operation.destination.id.address === '192.0.2.21' ? 'EINVAL' : null
  const wanted = wantedOf(rs(20), rs(21), rs(22))
  const steps = plan(wanted, stateOf(dataplanes, [emptyDesired]))
    .map(({ step }) => step)
    .filter(isDataplaneStep)
  const batch = steps.filter((step) => step.kind.startsWith('service') || step.kind.startsWith('real'))
  const { done, failure } = await dataplanes.execute(batch)
  expect(done).toEqual([0, 1, 3])
  expect(failure?.at).toBe(2)
  expect(String(failure?.error)).toContain('EINVAL')
})

test('an add that somebody else was faster with is refused, and does not become ours', async () => {
  const dataplanes = await director.start()
  const wanted = wantedOf()
  const steps = plan(wanted, stateOf(dataplanes, [emptyDesired]))
    .map(({ step }) => step)
    .filter(isDataplaneStep)
  setUpByHand(director.kernel)
  const { failure } = await dataplanes.execute(steps.filter((step) => step.kind === 'service.add'))
  expect(String(failure?.error)).toContain('EEXIST')
  expect(stateOf(dataplanes, [wanted]).services).toMatchObject([{ isForeign: true }])
})

test('a restarted agent takes a checked real server with weight 0 for down, and knows its own services', async () => {
  const checked: Desired = {
    ...emptyDesired,
    services: [
      {
        config: { ...web, check: { type: 'tcp', intervalMs: 1000, timeoutMs: 800, rise: 2, fall: 2 } },
        realServers: [rs(20), rs(21)],
      },
    ],
  }
  const first = await director.start()
  await goTo(first, checked, emptyDesired)
  stateOf(first, [checked])
  first.setHealth(key, '192.0.2.20:80', false)
  const second = await director.start()
  const [service] = stateOf(second, [checked]).services
  expect(service).toMatchObject({ isForeign: false })
  expect(service?.realServers.map((one) => [realServerKey(one), one.isUp])).toEqual([
    ['192.0.2.20:80', false],
    ['192.0.2.21:80', true],
  ])
  expect(leftOver(second, checked)).toEqual([])
})

test('after a boot nothing in the kernel is ours, but settings still have their originals', async () => {
  const wanted = { ...wantedOf(rs(20)), settings: [{ name: 'net.ipv4.ip_forward', value: '1' }] }
  await goTo(await director.start(), wanted, emptyDesired)
  const rebooted = await director.start('boot-2')
  const state = stateOf(rebooted, [wanted])
  expect(state.services).toMatchObject([{ isForeign: true }])
  expect(state.settings).toEqual([{ name: 'net.ipv4.ip_forward', value: '1', original: '0' }])
})

test('settings and modules of ours stand in our files, and leave them with the last service', async () => {
  director.loadModule(false)
  const dataplanes = await director.start()
  expect(dataplanes.ipvsOffer().availability).toBe('module-not-loaded')
  const wanted = { ...wantedOf(rs(20)), settings: [{ name: 'net.ipv4.ip_forward', value: '1' }] }
  await goTo(dataplanes, wanted, emptyDesired)
  expect(director.persisted).toEqual({ sysctls: { 'net.ipv4.ip_forward': '1' }, modules: ['ip_vs'] })
  await goTo(dataplanes, emptyDesired, wanted)
  expect(director.persisted).toEqual({ sysctls: {}, modules: [] })
  expect(director.sysctls.get('net.ipv4.ip_forward')).toBe('0')
  expect(dataplanes.ipvsOffer().availability).toBe('module-not-loaded')
})

test('a sysctl that comes with the module goes back to what the module brought, also by undoing the steps', async () => {
  director.loadModule(false)
  const dataplanes = await director.start()
  const wanted = { ...wantedOf(rs(20)), settings: [{ name: 'net.ipv4.vs.conntrack', value: '1' }] }
  const steps = await goTo(dataplanes, wanted, emptyDesired)
  expect(stateOf(dataplanes, [wanted]).settings).toMatchObject([{ value: '1', original: '0' }])
  await run(dataplanes, undoOf(steps))
  expect(director.sysctls.get('net.ipv4.vs.conntrack')).toBe('0')
  await goTo(dataplanes, wanted, emptyDesired)
  await goTo(dataplanes, emptyDesired, wanted)
  expect(director.sysctls.get('net.ipv4.vs.conntrack')).toBe('0')
  expect(director.persisted).toEqual({ sysctls: {}, modules: [] })
})

test('module not loaded, module missing, no permission and an empty table are four answers', async () => {
  const dataplanes = await director.start()
  expect(dataplanes.ipvsOffer()).toMatchObject({ availability: 'ready', reason: null })
  expect(stateOf(dataplanes, []).services).toEqual([])
  director.dropCapabilities()
  expect(dataplanes.ipvsOffer().availability).toBe('no-permission')
  director.loadModule(false)
  expect(dataplanes.ipvsOffer().availability).toBe('module-not-loaded')
  director.removeModuleFiles()
  expect(dataplanes.ipvsOffer().availability).toBe('module-missing')
})
