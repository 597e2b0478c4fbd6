import { expect, test } from 'vitest'
import { AppError } from '../../../core/contract/errors.ts'
import { alice, FakeDirector, service, specOf } from '../../fakes/agent.ts'

const nat = (fields: Record<string, unknown> = {}) =>
  service({ dataplane: 'ipvs', forwarding: 'nat', scheduler: 'wlc', ...fields })

async function running(): Promise<FakeDirector> {
  const director = new FakeDirector()
  await director.start()
  return director
}

const key = 'ipvs tcp/192.0.2.10:80'
const addressesOf = (director: FakeDirector) =>
  director.kernel.nics.flatMap((nic) => nic.addresses.map(({ address }) => `${nic.name} ${address}`))

test('a NAT service brings forwarding along, and takes it away with itself', async () => {
  const director = await running()
  expect(await director.apply(specOf(nat()))).toMatchObject({ failure: null, drift: [] })
  expect(director.kernel.settings.get('net.ipv4.ip_forward')).toBe('1')
  expect(director.kernel.attachments.size).toBe(0)
  await director.apply(specOf())
  expect(director.kernel.settings.get('net.ipv4.ip_forward')).toBe('0')
  expect(director.kernel.originalSettings.size).toBe(0)
})

test('a setting that was so already is not ours, and stays', async () => {
  const director = await running()
  director.kernel.settings.set('net.ipv4.ip_forward', '1')
  await director.apply(specOf(nat()))
  await director.apply(specOf())
  expect(director.kernel.settings.get('net.ipv4.ip_forward')).toBe('1')
})

test('what is removed drains first: no new connections, then the wait, then it goes', async () => {
  const director = await running()
  await director.apply(specOf(nat()))
  const { reconciler } = director.agent
  const one = [{ address: '192.0.2.20', port: 80 }]
  const plan = await reconciler.plan({
    spec: specOf(nat({ realServers: one })),
    adopt: [],
    drainSec: 10,
    protectedAddresses: [],
  })
  expect(plan.steps.map(({ phase, step }) => `${phase} ${step.kind}`)).toEqual([
    'drain realServer.change',
    'drain drain.wait',
    'remove realServer.remove',
  ])
})

test('the wait ends with the last connection, not with the time', async () => {
  const director = await running()
  await director.apply(specOf(nat()))
  const flow = { clientAddress: '198.51.100.7', clientPort: 40000, vip: '192.0.2.10', port: 80 }
  const more = { state: 'established' as const, packets: 1, bytes: 60, idleMs: 0 }
  director.kernel.flows.push({ ...flow, ...more, realServer: { address: '192.0.2.21', port: 80 } })
  const request = {
    baseRevision: 1,
    confirmWithinSec: null,
    author: alice,
    message: '',
    adopt: [],
    protectedAddresses: [],
  }
  const spec = specOf(nat({ realServers: [{ address: '192.0.2.20', port: 80 }] }))
  let isDone = false
  const applying = director.agent.reconciler.apply({ ...request, spec, drainSec: 60 }).then((result) => {
    isDone = true
    return result
  })
  await director.clock.advance(5000)
  expect(isDone).toBe(false)
  expect(director.kernel.services.get(key)?.realServers.find((one) => one.address === '192.0.2.21')?.state).toBe(
    'drain',
  )
  director.kernel.flows.length = 0
  await director.clock.advance(1000)
  expect(await applying).toMatchObject({ failure: null, drift: [] })
  expect(director.kernel.services.get(key)?.realServers).toHaveLength(1)
})

test('a director on standby has everything but the VIPs, and a failover by hand raises them', async () => {
  const director = await running()
  const { reconciler } = director.agent
  await reconciler.setRole('standby')
  expect(await director.apply(specOf(nat()))).toMatchObject({ failure: null, drift: [] })
  expect(director.kernel.services.has(key)).toBe(true)
  expect(addressesOf(director)).not.toContain('eth0 192.0.2.10')
  expect(await reconciler.setRole('active')).toEqual({ role: 'active', drift: [] })
  expect(addressesOf(director)).toContain('eth0 192.0.2.10')
  await reconciler.setRole('standby')
  expect(addressesOf(director)).not.toContain('eth0 192.0.2.10')
})

test('the role outlives the agent, and a revert does not forget it', async () => {
  const director = await running()
  await director.agent.reconciler.setRole('standby')
  director.kill()
  await director.start()
  await director.apply(specOf(nat()), { confirmWithinSec: 60 })
  await director.agent.reconciler.revert(1)
  await director.apply(specOf(nat()))
  expect(addressesOf(director)).not.toContain('eth0 192.0.2.10')
  expect(director.agent.state().role).toBe('standby')
})

test('a service that somebody else set up is refused by name, and taken over when that is asked for', async () => {
  const director = await running()
  await director.apply(specOf(nat({ announce: 'none' })))
  // Forgotten by us, as if somebody else had made it.
  const found = director.kernel.services.get(key)!
  found.isForeign = true
  const spec = specOf(nat({ announce: 'none' }))
  const request = {
    spec,
    baseRevision: 1,
    confirmWithinSec: null,
    author: alice,
    message: '',
    drainSec: 0,
    protectedAddresses: [],
  }
  const { reconciler } = director.agent
  const refused = await reconciler.apply({ ...request, adopt: [] }).catch((error: unknown) => error as AppError)
  expect(refused).toBeInstanceOf(AppError)
  expect((refused as AppError).issues).toMatchObject([{ path: ['services', 0, 'vip'], expectation: 'notForeign' }])

  const before = director.kernel.history.length
  await reconciler.apply({ ...request, adopt: ['tcp/192.0.2.10:80'] })
  expect(director.kernel.history.slice(before)).toEqual(['service.adopt tcp/192.0.2.10:80'])
  expect(found.isForeign).toBe(false)
})

test('nothing is taken over while another program rules IPVS', async () => {
  const director = await running()
  await director.apply(specOf(nat({ announce: 'none' })))
  director.kernel.services.get(key)!.isForeign = true
  director.kernel.ipvs = { ...director.kernel.ipvs, writers: [{ name: 'keepalived', pid: 4711 }] }
  const refused = await director.agent.reconciler
    .apply({
      spec: specOf(nat({ announce: 'none' })),
      baseRevision: 1,
      confirmWithinSec: null,
      author: alice,
      message: '',
      adopt: ['tcp/192.0.2.10:80'],
      drainSec: 0,
      protectedAddresses: [],
    })
    .catch((error: unknown) => error as AppError)
  expect((refused as AppError).issues).toMatchObject([
    { expectation: 'notManagedBy', params: { writer: 'keepalived', pid: 4711 } },
  ])
})

test('what keepalived manages too is not changed, and left out of the document it goes to keepalived as it is', async () => {
  const director = await running()
  await director.apply(specOf(nat({ announce: 'none' }), nat({ name: 'other', port: 8080, announce: 'none' })))
  const writers = [{ name: 'keepalived', pid: 4711, manages: ['tcp/192.0.2.10:80'] }]
  director.kernel.ipvs = { ...director.kernel.ipvs, writers }
  const edited = specOf(nat({ announce: 'none', scheduler: 'rr' }))
  await expect(director.apply(edited)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    issues: [
      { path: ['services', 0, 'vip'], expectation: 'notManagedBy', params: { writer: 'keepalived', pid: 4711 } },
    ],
  })
  const found = director.kernel.services.get(key)!
  const before = structuredClone(found.realServers)
  // What it does not manage is still the agent's to change.
  await director.apply(specOf(nat({ name: 'other', port: 8080, announce: 'none', scheduler: 'rr' })))
  expect(director.kernel.services.get(key)).toMatchObject({ isForeign: true, scheduler: 'wlc', realServers: before })
  expect(director.kernel.services.get('ipvs tcp/192.0.2.10:8080')).toMatchObject({ scheduler: 'rr' })
})

test.each([['module-missing'], ['no-permission']] as const)(
  'IPVS that is %s refuses the document, and nothing is tried',
  async (availability) => {
    const director = await running()
    director.kernel.ipvs = { ...director.kernel.ipvs, availability }
    const refused = await director.apply(specOf(nat())).catch((error: unknown) => error as AppError)
    expect(refused).toMatchObject({ code: 'REFUSED' })
    expect(director.kernel.history).toEqual([])
  },
)

test('a scheduler that this kernel lacks is refused at its field before anything is tried', async () => {
  const director = await running()
  const refused = await director.apply(specOf(nat({ scheduler: 'twos' }))).catch((error: unknown) => error as AppError)
  expect((refused as AppError).issues).toMatchObject([
    { path: ['services', 0, 'scheduler'], found: '"twos"', expectation: 'schedulerOfKernel' },
  ])
})

test('a service that moves from eBPF to IPVS is there all the time', async () => {
  const director = await running()
  await director.apply(specOf(service()))
  const plan = await director.agent.reconciler.plan({
    spec: specOf(nat()),
    adopt: [],
    drainSec: 0,
    protectedAddresses: [],
  })
  const kinds = plan.steps.map(({ step }) => step.kind)
  expect(kinds.indexOf('service.add')).toBeLessThan(kinds.indexOf('service.remove'))
  expect(await director.apply(specOf(nat()))).toMatchObject({ failure: null, drift: [] })
  expect([...director.kernel.services.keys()]).toEqual([key])
})
