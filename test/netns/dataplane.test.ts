import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DataplaneReading, DataplaneStep } from '../../agent/dataplane/dataplane.ts'
import type { ConnectionPage } from '../../core/model/connection.ts'
import type { DataplaneHook, ObservedState } from '../../core/model/observed.ts'
import type { RealServerConfig } from '../../core/model/plan.ts'
import type { Flow } from '../../core/model/telemetry.ts'
import { realServerConfig, serviceConfig } from '../fixtures/configs.ts'
import type { ClientRequest } from './dataplane/client.ts'
import type { Request } from './dataplane/director.ts'
import { type HostName, Hosts, type Program, addresses, vip } from './dataplane/hosts.ts'

const port = 80
const service = `tcp/${vip}:${port}`
type DataplaneState = Pick<ObservedState, 'services' | 'attachments'>

const config = serviceConfig({
  vip,
  port,
  check: { type: 'tcp', intervalMs: 1000, timeoutMs: 800, rise: 2, fall: 3 },
})
const realServer = (name: 'rs1' | 'rs2', more: Partial<RealServerConfig> = {}): RealServerConfig =>
  realServerConfig({ address: addresses[name], port, ...more })

interface Answers {
  readonly perServer: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  readonly last: { readonly name: string; readonly client: string; readonly sourcePort: number }
}

/** One set of hosts with servers and a client; directors come and go. */
class Scene {
  readonly hosts: Hosts
  readonly client: Program
  readonly hook: DataplaneHook
  director: Program

  private constructor(hosts: Hosts, client: Program, hook: DataplaneHook, director: Program) {
    this.hosts = hosts
    this.client = client
    this.hook = hook
    this.director = director
  }

  static async set(hook: DataplaneHook): Promise<Scene> {
    const hosts = await Hosts.start()
    if (hook === 'xdp-native') hosts.prepareForXdp()
    for (const name of ['rs1', 'rs2'] as const) await hosts.start(name, 'server.ts', name, '0.0.0.0', String(port))
    const client = await hosts.start('client', 'client.ts', vip, String(port))
    return new Scene(hosts, client, hook, await hosts.start('director', 'director.ts', hook))
  }

  async newDirector(): Promise<void> {
    this.director = await this.hosts.start('director', 'director.ts', this.hook)
  }

  /** The director's answer; a failure of its own is one here. */
  async ask<T>(request: Request): Promise<T> {
    const answer = await this.director.ask(request)
    if (typeof answer === 'object' && answer !== null && 'failed' in answer) throw new Error(JSON.stringify(answer))
    return answer as T
  }

  send<T>(request: ClientRequest): Promise<T> {
    return this.client.ask(request) as Promise<T>
  }

  async execute(...steps: DataplaneStep[]): Promise<void> {
    for (const step of steps) await this.ask({ execute: step })
  }

  build(): Promise<void> {
    return this.execute(
      { kind: 'dataplane.attach', interface: 'eth0' },
      { kind: 'service.add', service, after: config },
      { kind: 'realServer.add', service, dataplane: 'ebpf', after: realServer('rs1') },
      { kind: 'realServer.add', service, dataplane: 'ebpf', after: realServer('rs2') },
    )
  }

  /** Asks again until the answer suits, for what the kernel does in its own time. */
  async until<T>(request: Request, suits: (answer: T) => boolean): Promise<T> {
    const deadline = Date.now() + 10_000
    for (;;) {
      const answer = await this.ask<T>(request)
      if (suits(answer)) return answer
      if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

const change = (before: RealServerConfig, after: RealServerConfig): DataplaneStep => ({
  kind: 'realServer.change',
  dataplane: 'ebpf',
  service,
  before,
  after,
})

for (const hook of ['tcx', 'clsact', 'xdp-native'] as const) {
  describe(`the dataplane at ${hook}`, () => {
    let scene: Scene

    beforeAll(async () => {
      scene = await Scene.set(hook)
      await scene.build()
    })
    afterAll(() => scene?.hosts.stop())

    test('the maps read back as they were written', async () => {
      const state = await scene.ask<DataplaneState>({ observe: true })
      expect(state.attachments.map((one) => [one.interface, one.hook, one.foreignPrograms])).toEqual([
        ['eth0', hook, []],
      ])
      expect(state.services).toEqual([
        {
          ...config,
          realServers: [
            { ...realServer('rs1'), isUp: true },
            { ...realServer('rs2'), isUp: true },
          ],
          ringDigest: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
          isForeign: false,
        },
      ])
    })

    test('requests are answered by both real servers, which see the client’s own address', async () => {
      const answers = await scene.send<Answers>({ requests: 200, atOnce: 4 })
      expect(answers.failures).toEqual({})
      expect(answers.last.client).toMatch(new RegExp(`${addresses.client}$`))
      const counts = Object.values(answers.perServer)
      expect(counts).toHaveLength(2)
      expect(Math.min(...counts)).toBeGreaterThan(60)
    })

    test('the flow of a client port names the real server that answered it', async () => {
      const held = await scene.send<{ name: 'rs1' | 'rs2'; sourcePort: number }>({ hold: true })
      const flow = await scene.ask<Flow>({ flow: { clientPort: held.sourcePort, vip, port } })
      expect(flow).toMatchObject({
        clientAddress: addresses.client,
        clientPort: held.sourcePort,
        vip,
        port,
        realServer: { address: addresses[held.name], port },
        state: 'established',
      })
      expect(flow.packets).toBeGreaterThanOrEqual(3)
      expect(flow.idleMs).toBeLessThan(5000)
      expect(await scene.ask({ flow: { clientPort: 1, vip, port } })).toBeNull()
    })

    test('the table of connections has that flow, and only those that are asked for', async () => {
      const held = await scene.send<{ name: 'rs1' | 'rs2'; sourcePort: number }>({ hold: true })
      const { rows, matched, total } = await scene.ask<ConnectionPage>({
        connections: { service, realServer: addresses[held.name], state: 'ESTABLISHED', limit: 500 },
      })
      expect(matched).toBeLessThan(total)
      const mine = rows.find(({ clientPort }) => clientPort === held.sourcePort)
      expect(mine).toMatchObject({ clientAddress: addresses.client, vip, port, protocol: 'tcp', dataplane: 'ebpf' })
      expect(mine?.packets).toBeGreaterThanOrEqual(3)
      expect(rows.every(({ realServer: { address } }) => address === addresses[held.name])).toBe(true)
    })

    test('counters count connections by real server as the client does', async () => {
      const before = await scene.ask<DataplaneReading>({ read: true })
      const answers = await scene.send<Answers>({ requests: 50, atOnce: 2 })
      const after = await scene.ask<DataplaneReading>({ read: true })
      const connections = (reading: DataplaneReading, name: 'rs1' | 'rs2') =>
        reading.services[0]!.realServers.find((one) => one.address === addresses[name])!.counters.connections
      for (const name of ['rs1', 'rs2'] as const) {
        expect(connections(after, name) - connections(before, name), name).toBe(answers.perServer[name] ?? 0)
      }
      expect(after.verdicts['LB_FWD']).toBeGreaterThan(before.verdicts['LB_FWD']!)
      expect(after.services[0]!.realServers.map((one) => one.ringShare ?? 0).reduce((a, b) => a + b)).toBeCloseTo(1)
      expect(Object.entries(after.verdicts).filter(([name, count]) => name.startsWith('LB_DROP') && count > 0)).toEqual(
        [],
      )
    })

    test('while new flows are stopped a connection goes on, and no other one comes', async () => {
      const held = await scene.send<{ name: string }>({ hold: true })
      await scene.ask({ newFlows: 'stopped' })
      expect(await scene.send({ onHeld: true })).toMatchObject({ name: held.name })
      const during = await scene.send<Answers>({ requests: 3, atOnce: 3 })
      expect(during.perServer).toEqual({})
      await scene.ask({ newFlows: 'balanced' })
      expect((await scene.send<Answers>({ requests: 4, atOnce: 2 })).failures).toEqual({})
    })

    test('large transfers go through in both directions', async () => {
      const bytes = 50_000_000
      expect(await scene.send({ upload: bytes })).toMatchObject({ taken: bytes })
      expect(await scene.send({ download: bytes })).toMatchObject({ got: expect.any(Number) as number })
    })

    test('a drained server keeps its connection and gets no new one; undrained it does again', async () => {
      const held = await scene.send<{ name: 'rs1' | 'rs2' }>({ hold: true })
      const [enabled, drained] = [realServer(held.name), realServer(held.name, { state: 'drain' })]
      await scene.execute(change(enabled, drained))
      const during = await scene.send<Answers>({ requests: 60, atOnce: 4 })
      expect(during.failures).toEqual({})
      expect(Object.keys(during.perServer)).toEqual([held.name === 'rs1' ? 'rs2' : 'rs1'])
      expect(await scene.send({ onHeld: true })).toMatchObject({ name: held.name })
      await scene.execute(change(drained, enabled))
      const afterwards = await scene.send<Answers>({ requests: 100, atOnce: 4 })
      expect(afterwards.perServer[held.name]).toBeGreaterThan(10)
    })

    test('a server that is down gets no new connection until it is up', async () => {
      const health = (isUp: boolean) => ({ service, realServer: `${addresses.rs1}:${port}`, isUp })
      await scene.ask({ health: health(false) })
      expect(Object.keys((await scene.send<Answers>({ requests: 40, atOnce: 4 })).perServer)).toEqual(['rs2'])
      await scene.ask({ health: health(true) })
      expect(Object.keys((await scene.send<Answers>({ requests: 100, atOnce: 4 })).perServer)).toHaveLength(2)
    })

    test('the loading process dies and another takes over while 1,000 requests run: none fails', async () => {
      const held = await scene.send<{ name: string; sourcePort: number }>({ hold: true })
      const before = await scene.ask<DataplaneState>({ observe: true })
      const counted = await scene.ask<DataplaneReading>({ read: true })
      const running = scene.send<Answers>({ requests: 1000, atOnce: 8 })
      await scene.until<DataplaneReading>(
        { read: true },
        (now) => now.services[0]!.counters.connections > counted.services[0]!.counters.connections + 50,
      )
      await scene.director.kill()
      await scene.newDirector()
      const after = await scene.ask<DataplaneState>({ observe: true })
      const answers = await running
      expect(answers.failures).toEqual({})
      expect(after).toEqual(before)
      const { counterEpoch, services } = await scene.ask<DataplaneReading>({ read: true })
      expect(counterEpoch).toBe(counted.counterEpoch)
      expect(services[0]!.counters.connections).toBe(counted.services[0]!.counters.connections + 1000)
      expect(await scene.send({ onHeld: true })).toMatchObject({ name: held.name })
      expect(await scene.ask({ flow: { clientPort: held.sourcePort, vip, port } })).toMatchObject({
        state: 'established',
      })
    })

    test('the new MAC address of a real server is noticed, and told', async () => {
      await scene.ask({ events: true })
      const mac = '02:00:00:00:00:77'
      scene.hosts.run('rs2', 'ip', 'link', 'set', 'eth0', 'address', mac)
      // A host that takes a new address announces itself; the director's own neighbour table follows.
      scene.hosts.run('rs2', 'arping', '-q', '-A', '-c', '1', '-I', 'eth0', addresses.rs2)
      const told: unknown[] = []
      await scene.until<{ mac: string | null }[]>({ events: true }, (events) => {
        told.push(...events)
        return events.some((event) => event.mac === mac)
      })
      expect(told).toContainEqual({ kind: 'neighbour', address: addresses.rs2, interface: 'eth0', mac })
      expect((await scene.send<Answers>({ requests: 40, atOnce: 4 })).failures).toEqual({})
    })

    test('a removed server gets nothing, and its place comes back when nobody names it', async () => {
      await scene.execute({ kind: 'realServer.remove', service, dataplane: 'ebpf', before: realServer('rs2') })
      const answers = await scene.send<Answers>({ requests: 40, atOnce: 4 })
      expect(answers.failures).toEqual({})
      expect(Object.keys(answers.perServer)).toEqual(['rs1'])
      await scene.until<{ released: number }>({ sweep: true }, ({ released }) => released === 1)
      await scene.execute({ kind: 'realServer.add', service, dataplane: 'ebpf', after: realServer('rs2') })
      expect(Object.keys((await scene.send<Answers>({ requests: 100, atOnce: 4 })).perServer)).toHaveLength(2)
    })

    test('taken down, nothing is left on the kernel', async () => {
      expect(scene.hosts.run('director', 'ls', '/sys/fs/bpf')).toContain('signalbox')
      await scene.ask({ takeDown: true })
      expect(await scene.ask({ observe: true })).toEqual({ services: [], attachments: [] })
      expect(scene.hosts.run('director', 'ls', '/sys/fs/bpf')).not.toContain('signalbox')
      expect(scene.hosts.run('director', 'ip', 'neigh', 'show')).not.toContain('managed')
      expect(scene.hosts.run('director', 'ip', 'link', 'show', 'eth0')).not.toContain('xdp')
      expect(scene.hosts.run('director', 'tc', 'qdisc', 'show', 'dev', 'eth0')).not.toContain('clsact')
      const capabilities = await scene.ask<{ hooks: { reason: string }[] }>({ capabilities: 'eth0' })
      expect(capabilities.hooks.map((one) => one.reason).join()).not.toContain('lb_')
    })
  })
}

describe('a director that somebody else uses too', () => {
  let hosts: Hosts

  beforeAll(async () => {
    hosts = await Hosts.start()
  })
  afterAll(() => hosts?.stop())

  const attach: Request = { execute: { kind: 'dataplane.attach', interface: 'eth0' } }

  test('another XDP program is named and left alone', async () => {
    const object = resolve(import.meta.dirname, '../../dist/agent/bpf/lb.bpf.o')
    hosts.run('director', 'ip', 'link', 'set', 'eth0', 'xdpgeneric', 'obj', object, 'sec', 'xdp')
    const director = await hosts.start('director', 'director.ts', 'xdp-native')
    expect(await director.ask(attach)).toMatchObject({
      failed: { code: 'REFUSED', message: 'Interface eth0 has an XDP program already: lb_xdp.' },
    })
    const capabilities = { capabilities: 'eth0' }
    expect(await director.ask(capabilities)).toMatchObject({
      isAvailable: false,
      hooks: [{ isUsable: false, reason: 'Another XDP program is on the interface: lb_xdp.' }],
    })
    expect(hosts.run('director', 'ls', '/sys/fs/bpf'), 'a refused step leaves nothing').not.toContain('signalbox')
    expect(hosts.run('director', 'ip', 'link', 'show', 'eth0')).toContain('xdpgeneric')
    await director.ask({ takeDown: true })
    await director.kill()
    hosts.run('director', 'ip', 'link', 'set', 'eth0', 'xdpgeneric', 'off')
  })

  test('an interface that goes takes its attachment along; its successor is attached anew', async () => {
    const director = await hosts.start('director', 'director.ts')
    hosts.run('director', 'ip', 'link', 'add', 'try0', 'type', 'veth', 'peer', 'name', 'try1')
    const attachTry: Request = { execute: { kind: 'dataplane.attach', interface: 'try0' } }
    const attached = async () => ((await director.ask({ observe: true })) as DataplaneState).attachments.length
    expect(await director.ask(attachTry)).toBeNull()
    expect(await attached()).toBe(1)
    hosts.run('director', 'ip', 'link', 'del', 'try0')
    expect(await attached()).toBe(0)
    hosts.run('director', 'ip', 'link', 'add', 'try0', 'type', 'veth', 'peer', 'name', 'try1')
    expect(await director.ask(attachTry)).toBeNull()
    expect(await attached()).toBe(1)
    await director.ask({ execute: { kind: 'dataplane.detach', interface: 'try0' } })
    expect(hosts.run('director', 'ls', '/sys/fs/bpf')).not.toContain('signalbox')
    await director.kill()
    hosts.run('director', 'ip', 'link', 'del', 'try0')
  })

  test('pinned maps of another layout are refused, with a way out', async () => {
    const first = await hosts.start('director', 'director.ts')
    expect(await first.ask(attach)).toBeNull()
    await first.kill()
    hosts.run('director', process.execPath, resolve(import.meta.dirname, 'dataplane/spoil-layout.ts'))
    const second = await hosts.start('director', 'director.ts')
    expect(second.greeting).toMatchObject({
      refused: { code: 'REFUSED', message: expect.stringContaining('another layout') as string },
    })
    // What runs goes on: nobody took it off.
    expect(hosts.run('director', 'ls', '/sys/fs/bpf/signalbox')).toContain('link_')
  })
})

describe('ARP of the agent', () => {
  let hosts: Hosts
  let director: Program

  beforeAll(async () => {
    hosts = await Hosts.start()
    director = await hosts.start('director', 'director.ts')
  })
  afterAll(() => hosts?.stop())

  const macOf = (name: HostName) => /link\/ether (\S+)/.exec(hosts.run(name, 'ip', 'link', 'show', 'eth0'))![1]!

  test('a probe gives the MAC addresses that answer', async () => {
    expect(await director.ask({ probe: { address: addresses.rs1, waitMs: 300 } })).toEqual([macOf('rs1')])
    expect(await director.ask({ probe: { address: '10.81.0.99', waitMs: 300 } })).toEqual([])
    hosts.run('rs2', 'ip', 'addr', 'add', '10.81.0.98/32', 'dev', 'eth0')
    hosts.run('client', 'ip', 'addr', 'add', '10.81.0.98/32', 'dev', 'eth0')
    const two = (await director.ask({ probe: { address: '10.81.0.98', waitMs: 300 } })) as string[]
    expect(two.toSorted()).toEqual([macOf('rs2'), macOf('client')].toSorted())
  })

  test('an announcement moves the address in a neighbour’s table', async () => {
    const address = '10.81.0.97'
    hosts.run('client', 'ip', 'neigh', 'replace', address, 'lladdr', '02:00:00:00:00:55', 'dev', 'eth0', 'nud', 'stale')
    await director.ask({ announce: address })
    expect(hosts.run('client', 'ip', 'neigh', 'show', address)).toContain(macOf('director'))
  })
})
