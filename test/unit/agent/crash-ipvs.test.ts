// An apply of 200 steps on IPVS, cut off at every change of kernel or disk: the agent's own dataplane on a kernel with
// state. The guest lane does the same to a real kernel, at random moments.
import { afterEach, expect, test } from 'vitest'
import { Agent } from '../../../agent/agent.ts'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import { alice } from '../../fakes/agent.ts'
import { FakeClock, settle } from '../../fakes/clock.ts'
import { FakeKernel, fakeRing } from '../../fakes/kernel.ts'
import { crashDocuments } from '../../fixtures/crash-documents.ts'
import { IpvsDirector } from '../ipvs/director.ts'

const { before, after } = crashDocuments({ front: '192.0.2', back: '192.0.2' })

/** What survives the agent, and the agent that runs now. */
class Host {
  readonly ipvs = new IpvsDirector()
  readonly network = new FakeKernel()
  readonly clock = new FakeClock()
  agent: Agent | undefined
  #isDead = false

  async start(): Promise<Agent> {
    this.#isDead = false
    this.ipvs.kernel.refuse = () => null
    this.ipvs.disk.hook = async () => {}
    this.network.hook = async () => {}
    this.agent = await Agent.start({
      version: '0.0.0',
      hostname: 'director',
      disk: this.ipvs.disk,
      clock: this.clock,
      dataplane: await this.ipvs.start(this.clock.bootId),
      network: this.network,
      probe: async () => ({ isUp: true, latencyMs: 1 }),
      ringOf: fakeRing,
      log: () => {},
      random: () => 0.5,
    })
    await settle()
    return this.agent
  }

  apply(spec: ClusterSpec) {
    const { reconciler, store } = this.agent!
    return reconciler.apply({
      spec,
      baseRevision: store.current().revision,
      confirmWithinSec: null,
      author: alice,
      message: '',
      protectedAddresses: [],
      adopt: [],
      drainSec: 0,
    })
  }

  /** From its n-th change on nothing of what the agent does takes effect, and nothing comes back to it. */
  killAt(n: number): void {
    let count = 0
    const isOver = () => (this.#isDead ||= count++ >= n)
    const hook = async () => {
      if (isOver()) await new Promise(() => {})
    }
    this.ipvs.disk.hook = hook
    this.network.hook = hook
    this.ipvs.kernel.refuse = () => (isOver() ? 'EIO' : null)
  }

  get isDead(): boolean {
    return this.#isDead
  }

  bury(): void {
    this.agent = undefined
    this.clock.forgetTimers()
  }

  losePower(): void {
    this.clock.reboot('boot-2', 10_000)
    this.network.reboot()
    this.ipvs.reboot()
  }

  /** All that a packet or an operator would notice. */
  state() {
    const { kernel, sysctls, natEntries, persisted, disk } = this.ipvs
    const { services, adopted, settings } = JSON.parse(disk.files.get('own-objects.json') ?? '{}') as {
      services: string[]
      adopted: object
      settings: object
    }
    return {
      table: kernel
        .table()
        .map(({ destinations, ...one }) => ({
          ...one,
          destinations: destinations.map((each) => JSON.stringify(each)).toSorted(),
        }))
        .map((one) => JSON.stringify(one))
        .toSorted(),
      addresses: this.network.nics.flatMap(({ name, addresses }) =>
        addresses.map(({ address }) => `${name} ${address}`),
      ),
      sysctls: Object.fromEntries(sysctls),
      natEntries: natEntries.map((entry) => JSON.stringify(entry)).toSorted(),
      persisted,
      own: { services: services.toSorted(), adopted, settings },
    }
  }
}

const hosts: Host[] = []
afterEach(() => {
  for (const { ipvs } of hosts.splice(0)) ipvs.remove()
})
async function hostWith(spec: ClusterSpec): Promise<Host> {
  const host = new Host()
  hosts.push(host)
  await host.start()
  await host.apply(spec)
  return host
}

const losses = { 'kill -9': () => {}, 'power loss': (host: Host) => host.losePower() }

for (const [loss, happen] of Object.entries(losses)) {
  test(`${loss} at any point of an apply of 200 steps ends in the old or the new state`, {
    timeout: 120_000,
  }, async () => {
    const [oldState, newState] = [(await hostWith(before)).state(), (await hostWith(after)).state()]
    const ends = { old: 0, new: 0 }
    // Every point of the beginning and the end, where the files are written, and some of those between them.
    for (let n = 0; ; n += n > 30 && n < 210 ? 7 : 1) {
      const host = await hostWith(before)
      host.killAt(n)
      void host.apply(after).catch(() => undefined)
      await settle()
      const wasKilled = host.isDead
      host.bury()
      happen(host)
      const agent = await host.start()
      await host.clock.advance(5_000)
      const { revision, drift, lastResult } = agent.state()
      expect(drift, `killed at ${n}: ${JSON.stringify(lastResult?.failure)}`).toEqual([])
      expect(host.state(), `killed at ${n}`).toEqual(revision === 1 ? oldState : newState)
      ends[revision === 1 ? 'old' : 'new']++
      if (n % 20 === 0) {
        await expect(host.apply(after)).resolves.toMatchObject({ outcome: 'confirmed', failure: null, drift: [] })
        expect(host.state()).toEqual(newState)
      }
      agent.stop()
      if (!wasKilled) break
      expect(n).toBeLessThan(2000)
    }
    expect(ends.old).toBeGreaterThan(50)
    expect(ends.new).toBeGreaterThan(0)
  })
}

test('the apply that is cut off has 200 steps', async () => {
  const host = await hostWith(before)
  const plan = await host.agent!.reconciler.plan({ spec: after, adopt: [], drainSec: 0, protectedAddresses: [] })
  expect(plan.steps.length).toBeGreaterThanOrEqual(200)
})
