import { expect, test } from 'vitest'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import { FakeDirector, service, specOf } from '../../fakes/agent.ts'
import { settle } from '../../fakes/clock.ts'

const before = specOf(service(), service({ name: 'old', vip: '192.0.2.11' }))
// One service changed, one removed with its VIP, one added: every phase has its steps.
const after = specOf(
  service({
    realServers: [
      { address: '192.0.2.20', port: 80, weight: 7 },
      { address: '192.0.2.22', port: 80 },
    ],
  }),
  service({ name: 'new', port: 8080, vip: '192.0.2.12', realServers: [{ address: '192.0.2.20', port: 8080 }] }),
)

async function directorWith(spec: ClusterSpec): Promise<FakeDirector> {
  const director = new FakeDirector()
  await director.start()
  await director.apply(spec)
  return director
}

/** Lets `work` run until its n-th change of kernel or disk, and kills the agent there. False: it came to its end. */
async function killAt(director: FakeDirector, n: number, work: () => Promise<unknown>): Promise<boolean> {
  let count = 0
  let isDead = false
  const hook = async () => {
    if (isDead || count++ === n) {
      isDead = true
      await new Promise(() => {})
    }
  }
  director.kernel.hook = hook
  director.disk.hook = hook
  void work().catch(() => undefined)
  await settle()
  director.kill()
  return isDead
}

async function stateOf(spec: ClusterSpec) {
  return (await directorWith(spec)).kernelState()
}

/** The ways to lose an agent, and what is left of the kernel afterwards. */
const losses = {
  'kill -9': (_director: FakeDirector) => {},
  'power loss': (director: FakeDirector) => {
    director.kernel.reboot()
    director.clock.reboot('boot-2', 10_000)
  },
}

for (const [loss, happen] of Object.entries(losses)) {
  for (const confirmWithinSec of [null, 60]) {
    const kind = confirmWithinSec === null ? 'confirmed at once' : 'to be confirmed'
    test(`${loss} at any point of an apply ${kind} ends in the old or the new state`, async () => {
      const [oldState, newState] = [await stateOf(before), await stateOf(after)]
      const ends = { old: 0, new: 0 }
      for (let n = 0; ; n++) {
        const director = await directorWith(before)
        const wasKilled = await killAt(director, n, () => director.apply(after, { confirmWithinSec }))
        happen(director)
        await director.start()
        await director.clock.advance(5_000)
        const { revision, progress, drift } = director.agent.state()
        expect(drift).toEqual([])
        expect(director.kernelState()).toEqual(revision === 1 ? oldState : newState)
        if (revision === 1) {
          expect(progress).toBeNull()
          for (const { outcome } of director.agent.store.history(5).filter((one) => one.revision > 1)) {
            expect(['failed', 'reverted']).toContain(outcome)
          }
          ends.old++
        } else {
          expect(progress?.phase ?? null).toBe(confirmWithinSec === null ? null : 'awaiting-confirmation')
          ends.new++
        }
        // It can go on from there.
        if (progress !== null) await director.agent.reconciler.confirm(revision)
        await expect(director.apply(after)).resolves.toMatchObject({ outcome: 'confirmed', drift: [] })
        expect(director.kernelState()).toEqual(newState)
        if (!wasKilled) break
        expect(n).toBeLessThan(200)
      }
      expect(ends.old).toBeGreaterThan(20)
      expect(ends.new).toBeGreaterThan(0)
    })
  }

  test(`${loss} at any point of a revert ends in the old state`, async () => {
    const oldState = await stateOf(before)
    for (let n = 0; ; n++) {
      const director = await directorWith(before)
      await director.apply(after, { confirmWithinSec: 60 })
      const wasKilled = await killAt(director, n, () => director.agent.reconciler.revert(2))
      happen(director)
      await director.start()
      await director.clock.advance(60_000)
      expect(director.agent.state()).toMatchObject({ revision: 1, progress: null, drift: [] })
      expect(director.kernelState()).toEqual(oldState)
      if (!wasKilled) break
      expect(n).toBeLessThan(200)
    }
  })
}

test('an agent that comes back within the time goes on with the countdown', async () => {
  const director = await directorWith(before)
  await director.apply(after, { confirmWithinSec: 60 })
  director.kill()
  await director.clock.advance(20_000)
  await director.start()
  expect(director.agent.state().progress).toMatchObject({
    revision: 2,
    phase: 'awaiting-confirmation',
    remainingMs: 40_000,
    author: { user: 'alice' },
  })
  await director.clock.advance(39_000)
  expect(director.agent.store.current().revision).toBe(2)
  await director.clock.advance(1_000)
  expect(director.agent.state()).toMatchObject({ revision: 1, drift: [] })
})

test('an agent that comes back after the time takes the change back at once', async () => {
  const director = await directorWith(before)
  await director.apply(after, { confirmWithinSec: 60 })
  director.kill()
  await director.clock.advance(61_000)
  await director.start()
  expect(director.agent.state()).toMatchObject({ revision: 1, progress: null, drift: [] })
  expect(director.agent.store.history(1)).toMatchObject([{ outcome: 'reverted', revertReason: 'deadline' }])
})

test('after a boot the wall clock decides on a countdown, and one that was set back reverts at once', async () => {
  for (const [downMs, setMs, revision] of [
    [30_000, 0, 2],
    [61_000, 0, 1],
    [30_000, -3_600_000, 1],
  ] as const) {
    const director = await directorWith(before)
    await director.apply(after, { confirmWithinSec: 60 })
    director.kill()
    director.kernel.reboot()
    director.clock.reboot('boot-2', downMs)
    director.clock.setWall(setMs)
    await director.start()
    expect(director.agent.state()).toMatchObject({ revision, drift: [] })
    expect(director.kernelState()).toEqual(await stateOf(revision === 1 ? before : after))
  }
})

test('after a boot everything comes back, also where an interface comes later than the agent', async () => {
  const director = await directorWith(before)
  const state = director.kernelState()
  director.kill()
  director.kernel.reboot()
  director.clock.reboot('boot-2', 30_000)
  const eth0 = director.kernel.nics.splice(1, 1)
  await director.start()
  expect(director.agent.state().drift.length).toBeGreaterThan(0)
  director.kernel.nics.splice(1, 0, ...eth0)
  await director.clock.advance(4_000)
  expect(director.agent.state().drift).toEqual([])
  expect(director.kernelState()).toEqual(state)
})

test('an address that was raised by us and set up by somebody else after a boot is not ours', async () => {
  const director = await directorWith(before)
  director.kill()
  director.kernel.reboot()
  director.kernel.nics[1]!.addresses.push({ address: '192.0.2.10', prefixLength: 32 })
  director.clock.reboot('boot-2', 30_000)
  await director.start()
  await director.apply(specOf())
  expect(director.kernelState().addresses).toContain('eth0 192.0.2.10/32')
})

test('a restart without a boot touches nothing', async () => {
  const director = await directorWith(before)
  director.kill()
  const done = director.kernel.history.length
  await director.start()
  await director.clock.advance(10_000)
  expect(director.kernel.history.slice(done)).toEqual([])
})
