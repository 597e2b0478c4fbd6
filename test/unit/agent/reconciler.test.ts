import { expect, test } from 'vitest'
import { AppError } from '../../../core/contract/errors.ts'
import { alice, bob, FakeDirector, service, specOf } from '../../fakes/agent.ts'

async function running(): Promise<FakeDirector> {
  const director = new FakeDirector()
  await director.start()
  return director
}
const refusal = async (promise: Promise<unknown>): Promise<AppError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}

test('an apply programs the dataplane before it raises and announces the VIP', async () => {
  const director = await running()
  const result = await director.apply(specOf(service()))
  expect(result).toEqual({ revision: 1, outcome: 'confirmed', failure: null, drift: [] })
  expect(director.kernel.history).toEqual([
    'dataplane.attach eth0',
    'service.add tcp/192.0.2.10:80',
    'realServer.add 192.0.2.20:80',
    'realServer.add 192.0.2.21:80',
    'add 192.0.2.10 eth0',
    'announce 192.0.2.10 eth0',
  ])
})

test('taking the service out of the document takes down exactly what was set up', async () => {
  const director = await running()
  const before = director.kernelState()
  await director.apply(specOf(service()))
  await director.apply(specOf())
  expect(director.kernelState()).toEqual(before)
  expect(director.agent.store.history(10).map(({ revision, touched }) => [revision, touched])).toEqual([
    [2, ['tcp/192.0.2.10:80']],
    [1, ['tcp/192.0.2.10:80']],
  ])
})

test('a drain keeps the weight and takes nothing away', async () => {
  const director = await running()
  await director.apply(specOf(service()))
  const [first, second] = service().realServers
  await director.apply(specOf(service({ realServers: [first, { ...second, state: 'drain' }] })))
  expect(director.kernel.services.get('tcp/192.0.2.10:80')?.realServers[1]).toMatchObject({ weight: 1, state: 'drain' })
  expect(director.kernel.history.at(-1)).toBe('realServer.change 192.0.2.21:80')
})

test('an apply that nobody confirms is taken back at its deadline', async () => {
  const director = await running()
  const before = director.kernelState()
  const result = await director.apply(specOf(service()), { confirmWithinSec: 60 })
  expect(result.outcome).toBe('unconfirmed')
  expect(director.agent.state().progress).toMatchObject({ phase: 'awaiting-confirmation', remainingMs: 60_000 })
  await director.clock.advance(59_000)
  expect(director.kernelState()).not.toEqual(before)
  await director.clock.advance(1_000)
  expect(director.kernelState()).toEqual(before)
  expect(director.agent.store.history(1)).toMatchObject([{ outcome: 'reverted', revertReason: 'deadline' }])
  expect(director.agent.state()).toMatchObject({ revision: 0, progress: null })
})

test('setting the wall clock neither shortens nor lengthens the countdown', async () => {
  for (const hours of [-24, 24]) {
    const director = await running()
    await director.apply(specOf(service()), { confirmWithinSec: 60 })
    director.clock.setWall(hours * 3_600_000)
    await director.clock.advance(59_000)
    expect(director.agent.store.current().revision).toBe(1)
    await director.clock.advance(1_000)
    expect(director.agent.store.current().revision).toBe(0)
  }
})

test('a confirmed apply stays', async () => {
  const director = await running()
  await director.apply(specOf(service()), { confirmWithinSec: 60 })
  await expect(director.agent.reconciler.confirm(1)).resolves.toMatchObject({ revision: 1, outcome: 'confirmed' })
  await director.clock.advance(120_000)
  expect(director.agent.state()).toMatchObject({ revision: 1, progress: null, drift: [] })
})

test('an operator takes an unconfirmed apply back; the revision before it is in force again', async () => {
  const director = await running()
  await director.apply(specOf(service()))
  const before = director.kernelState()
  const more = specOf(
    service({ realServers: [{ address: '192.0.2.22', port: 80, weight: 5 }] }),
    service({ name: 'b', port: 443, realServers: [] }),
  )
  await director.apply(more, { confirmWithinSec: 60 })
  expect(director.kernelState()).not.toEqual(before)
  await expect(director.agent.reconciler.revert(2)).resolves.toMatchObject({ outcome: 'reverted', drift: [] })
  expect(director.kernelState()).toEqual(before)
  expect((await refusal(director.agent.reconciler.confirm(2))).code).toBe('NOT_FOUND')
  // The number of the revision that was taken back is not given out again.
  await expect(director.apply(more)).resolves.toMatchObject({ revision: 3 })
})

test('a base that is not the newest is refused with the name of who was first', async () => {
  const director = await running()
  await director.apply(specOf(service()), { author: bob })
  const error = await refusal(director.apply(specOf(), { base: 0 }))
  expect(error.code).toBe('CONFLICT')
  expect(error.details).toMatchObject({ winner: 'bob', winnerRevision: '1', currentRevision: '1' })
})

test('a base that was taken back is refused with the name of who made it', async () => {
  const director = await running()
  await director.apply(specOf(service()), { confirmWithinSec: 60, author: bob })
  await director.agent.reconciler.revert(1)
  const error = await refusal(director.apply(specOf(), { base: 1 }))
  expect(error.details).toMatchObject({ winner: 'bob', winnerRevision: '1', currentRevision: '0' })
})

test('while an apply runs or awaits its confirmation, another is refused', async () => {
  const director = await running()
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  director.kernel.hook = async () => {
    reached.resolve()
    await gate.promise
  }
  const first = director.apply(specOf(service()), { confirmWithinSec: 60 })
  await reached.promise
  expect((await refusal(director.apply(specOf(), { author: bob }))).code).toBe('BUSY')
  gate.resolve()
  await first
  const error = await refusal(director.apply(specOf(), { author: bob }))
  expect([error.code, error.message]).toEqual(['BUSY', 'Revision 1 by alice (console, desk) awaits its confirmation.'])
})

test('of two applies at the same time one wins and the other is told who', async () => {
  const director = await running()
  const [first, second] = await Promise.allSettled([
    director.apply(specOf(service()), { base: 0, author: alice }),
    director.apply(specOf(service({ name: 'other' })), { base: 0, author: bob }),
  ])
  expect(first.status).toBe('fulfilled')
  expect(second.status).toBe('rejected')
  expect(second.status === 'rejected' && second.reason).toMatchObject({
    code: 'CONFLICT',
    details: { winner: 'alice' },
  })
})

test('a step that fails names its errno, and what was done before it is undone, last first', async () => {
  const director = await running()
  const before = director.kernelState()
  director.kernel.hook = async (call, moment) => {
    if (call === 'realServer.add 192.0.2.21:80' && moment === 'before') {
      throw new AppError('KERNEL', 'The map is full.', { details: { errno: 'ENOSPC' } })
    }
  }
  const result = await director.apply(specOf(service()))
  expect(result).toMatchObject({
    outcome: 'failed',
    failure: { stepIndex: 3, errno: 'ENOSPC', message: 'The map is full.', rolledBack: true },
    drift: [],
  })
  expect(director.kernel.history.slice(3)).toEqual([
    'realServer.remove 192.0.2.20:80',
    'service.remove tcp/192.0.2.10:80',
    'dataplane.detach eth0',
  ])
  expect(director.kernelState()).toEqual(before)
  expect(director.agent.store.history(1)).toMatchObject([{ outcome: 'failed', revertReason: 'step-failed' }])
  expect(director.agent.state()).toMatchObject({ revision: 0, progress: null })
})

test('a rollback that cannot go back says so and shows what is left as drift', async () => {
  const director = await running()
  director.kernel.hook = async (call, moment) => {
    if (moment === 'before' && (call.startsWith('add ') || call.startsWith('service.remove'))) {
      throw new AppError('KERNEL', 'No.', { details: { errno: 'EIO' } })
    }
  }
  const result = await director.apply(specOf(service()))
  expect(result).toMatchObject({ outcome: 'failed', failure: { errno: 'EIO', rolledBack: false } })
  expect(result.drift.map((step) => step.kind)).toEqual(['service.remove'])
})

test('a full disk stops an apply and leaves the kernel as it was', async () => {
  for (const file of ['revisions/', 'journal', 'own-vips', 'pending']) {
    const director = await running()
    await director.apply(specOf(service({ port: 443, realServers: [] })))
    const before = director.kernelState()
    director.disk.hook = async (call, moment) => {
      if (moment === 'before' && !call.startsWith('remove') && call.includes(file)) throw new Error('ENOSPC')
    }
    const wanted = specOf(service({ port: 443, realServers: [] }), service({ vip: '192.0.2.11', name: 'b' }))
    const outcome = await director.apply(wanted, { confirmWithinSec: 60 }).then(
      (result) => result.outcome,
      (error: AppError) => error.code,
    )
    expect([file, outcome]).toEqual([
      file,
      file === 'journal' || file === 'revisions/' || file === 'pending' ? 'REFUSED' : 'failed',
    ])
    expect(director.kernelState()).toEqual(before)
    director.disk.hook = async () => {}
    await director.clock.advance(120_000)
    expect(director.kernelState()).toEqual(before)
    await expect(director.apply(wanted)).resolves.toMatchObject({ outcome: 'confirmed', drift: [] })
  }
})

test('a document that changes nothing makes no revision', async () => {
  const director = await running()
  await director.apply(specOf(service()))
  await expect(director.apply(specOf(service()))).resolves.toMatchObject({ revision: 1, outcome: 'confirmed' })
  expect(director.agent.store.history(10)).toHaveLength(1)
})

test('an address that was there before stays through apply, revert and removal', async () => {
  const director = await running()
  director.kernel.nics[1]!.addresses.push({ address: '192.0.2.10', prefixLength: 32 })
  const before = director.kernelState()
  const error = await refusal(director.apply(specOf(service())))
  expect([error.code, error.issues?.[0]?.expectation]).toEqual(['BAD_INPUT', 'notOwnAddress'])
  await director.apply(specOf(service({ allowOwnAddress: true })), { confirmWithinSec: 60 })
  await director.agent.reconciler.revert(1)
  expect(director.kernelState()).toEqual(before)
  await director.apply(specOf(service({ allowOwnAddress: true })))
  await director.apply(specOf())
  expect(director.kernelState()).toEqual(before)
})

test('a VIP that is gone, and a service that is gone, are drift; nothing is done about them until an apply', async () => {
  const director = await running()
  await director.apply(specOf(service()))
  await director.kernel.removeAddress({ address: '192.0.2.10', interface: 'eth0' })
  director.kernel.services.clear()
  await director.clock.advance(2_000)
  const state = director.agent.state()
  expect(state.drift.map((step) => step.kind)).toEqual(['service.add', 'realServer.add', 'realServer.add', 'vip.raise'])
  expect(state.events.map((event) => event.message)).toContain('drift.found')
  await director.clock.advance(10_000)
  expect(director.kernel.services.size).toBe(0)
  await expect(director.apply(specOf(service()))).resolves.toMatchObject({ revision: 2, drift: [] })
})

test.each([
  [
    'the VIP is the address that SSH came in by',
    service({ vip: '198.18.0.2', allowOwnAddress: true }),
    'services.0.vip',
    'notManagementAddress',
  ],
  ["the VIP is the director's own address", service({ vip: '192.0.2.2' }), 'services.0.vip', 'notOwnAddress'],
  ['no interface has the VIP', service({ vip: '203.0.113.9' }), 'services.0.vip', 'interfaceForVip'],
  ['there is no such interface', service({ interface: 'eth7' }), 'services.0.interface', 'interfaceOfDirector'],
  [
    'a real server is behind a gateway',
    service({ realServers: [{ address: '203.0.113.9', port: 80 }] }),
    'services.0.realServers.0.address',
    'onLink',
  ],
])('refused, and the state stays what it was: %s', async (_name, bad, path, expectation) => {
  const director = await running()
  await director.apply(specOf(service({ vip: '192.0.2.50' })))
  const before = director.kernelState()
  const request = {
    spec: specOf(bad),
    baseRevision: 1,
    confirmWithinSec: null,
    author: alice,
    message: '',
    adopt: [],
    drainSec: 0,
  }
  const error = await refusal(director.agent.reconciler.apply({ ...request, protectedAddresses: ['198.18.0.2'] }))
  expect(error.code).toBe('BAD_INPUT')
  expect(error.issues?.map((issue) => [issue.path.join('.'), issue.expectation])).toContainEqual([path, expectation])
  expect(director.kernelState()).toEqual(before)
  expect(director.agent.state()).toMatchObject({ revision: 1, drift: [] })
})

test('without the dataplane an apply is refused with what is missing', async () => {
  const director = await running()
  director.kernel.isAvailable = false
  const error = await refusal(director.apply(specOf(service())))
  expect([error.code, error.message]).toEqual(['REFUSED', 'The eBPF dataplane cannot run here: this kernel has no BTF'])
})

test('retirement takes everything of ours down, also what awaits its confirmation', async () => {
  const director = await running()
  const before = director.kernelState()
  await director.apply(specOf(service()))
  await director.apply(specOf(service(), service({ vip: '192.0.2.11', name: 'b' })), { confirmWithinSec: 60 })
  await expect(director.agent.reconciler.retire()).resolves.toEqual({ detached: true, vipsLowered: ['192.0.2.10'] })
  expect(director.kernelState()).toEqual(before)
})
