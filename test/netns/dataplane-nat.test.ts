import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DataplaneReading, DataplaneStep } from '../../agent/dataplane/dataplane.ts'
import type { IpFamily } from '../../core/model/address.ts'
import type { DataplaneHook, ObservedState } from '../../core/model/observed.ts'
import { serviceKey } from '../../core/model/service.ts'
import { realServerConfig, serviceConfig } from '../fixtures/configs.ts'
import type { ClientRequest } from './dataplane/client.ts'
import type { Request } from './dataplane/director.ts'
import type { Hosts, Program } from './dataplane/hosts.ts'
import { prepareRoutedForXdp, routed, startRouted } from './dataplane/routed.ts'
import type { UdpAnswers, UdpRequest } from './dataplane/udp-client.ts'

const families = ['ipv4', 'ipv6'] as const
const port = { tcp: 80, udp: 53 } as const
const realPort = { tcp: 8080, udp: 5353 } as const
type Protocol = keyof typeof port

interface Answers {
  readonly perServer: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  readonly last: { readonly client: string }
}

const config = (family: IpFamily, protocol: Protocol) =>
  serviceConfig({
    vip: routed.vip[family],
    family,
    protocol,
    port: port[protocol],
    forwarding: 'nat',
    announce: 'none',
    interface: 'eth1',
  })
const keyOf = (family: IpFamily, protocol: Protocol): string => serviceKey(config(family, protocol))

/** The hosts, a director with a service of each family and protocol, and clients for all of them. */
class Scene {
  readonly hosts: Hosts
  readonly hook: DataplaneHook
  readonly #clients = new Map<string, Program>()
  director: Program

  private constructor(hosts: Hosts, hook: DataplaneHook, director: Program) {
    this.hosts = hosts
    this.hook = hook
    this.director = director
  }

  static async set(hook: DataplaneHook): Promise<Scene> {
    const hosts = await startRouted()
    try {
      if (hook === 'xdp-native') prepareRoutedForXdp(hosts)
      for (const name of ['rs1', 'rs2'] as const) {
        await hosts.start(name, 'server.ts', name, '::', String(realPort.tcp))
        for (const family of families) {
          await hosts.start(name, 'udp-server.ts', name, routed[name][family], String(realPort.udp))
        }
      }
      const scene = new Scene(hosts, hook, await hosts.start('director', 'director.ts', hook))
      await scene.build()
      for (const family of families) {
        const { [family]: vip } = routed.vip
        scene.#clients.set(`tcp ${family}`, await hosts.start('client', 'client.ts', vip, String(port.tcp)))
        scene.#clients.set(`udp ${family}`, await hosts.start('client', 'udp-client.ts', vip, String(port.udp)))
      }
      return scene
    } catch (error) {
      await hosts.stop()
      throw error
    }
  }

  async build(): Promise<void> {
    await this.execute({ kind: 'dataplane.attach', interface: 'eth1' })
    for (const family of families) {
      for (const protocol of ['tcp', 'udp'] as const) {
        const service = keyOf(family, protocol)
        await this.execute(
          { kind: 'service.add', service, after: config(family, protocol) },
          ...(['rs1', 'rs2'] as const).map((name): DataplaneStep => {
            const address = routed[name][family]
            const after = realServerConfig({ address, port: realPort[protocol], forwarding: 'nat' })
            return { kind: 'realServer.add', service, dataplane: 'ebpf', after }
          }),
        )
      }
    }
  }

  async ask<T>(request: Request): Promise<T> {
    const answer = await this.director.ask(request)
    if (typeof answer === 'object' && answer !== null && 'failed' in answer) throw new Error(JSON.stringify(answer))
    return answer as T
  }

  async execute(...steps: DataplaneStep[]): Promise<void> {
    for (const step of steps) await this.ask({ execute: step })
  }

  tcp<T>(family: IpFamily, request: ClientRequest): Promise<T> {
    return this.#clients.get(`tcp ${family}`)!.ask(request) as Promise<T>
  }

  udp(family: IpFamily, request: UdpRequest): Promise<UdpAnswers> {
    return this.#clients.get(`udp ${family}`)!.ask(request) as Promise<UdpAnswers>
  }
}

for (const hook of ['tcx', 'xdp-native'] as const) {
  describe(`NAT on the wire at ${hook}`, () => {
    let scene: Scene

    beforeAll(async () => {
      scene = await Scene.set(hook)
    })
    afterAll(() => scene?.hosts.stop())

    test('it is attached where answers come in too, without a word, and the maps read back', async () => {
      const state = await scene.ask<Pick<ObservedState, 'services' | 'attachments'>>({ observe: true })
      expect(state.attachments.map((one) => [one.interface, one.hook, one.isForReplies])).toEqual([
        ['eth0', hook, true],
        ['eth1', hook, false],
      ])
      expect(state.services.map((one) => [one.vip, one.protocol, one.forwarding, one.realServers.length])).toEqual(
        expect.arrayContaining([
          [routed.vip.ipv4, 'tcp', 'nat', 2],
          [routed.vip.ipv6, 'udp', 'nat', 2],
        ]),
      )
    })

    for (const family of families) {
      test(`${family}: requests on another port are answered by both real servers, which see the client itself`, async () => {
        const answers = await scene.tcp<Answers>(family, { requests: 200, atOnce: 4 })
        expect(answers.failures).toEqual({})
        expect(answers.last.client.replace('::ffff:', '')).toBe(routed.client[family])
        expect(Math.min(...Object.values(answers.perServer))).toBeGreaterThan(60)
        expect(Object.keys(answers.perServer)).toHaveLength(2)
      })

      test(`${family}: large bodies go through both ways`, async () => {
        const bytes = 30_000_000
        expect(await scene.tcp(family, { upload: bytes })).toMatchObject({ taken: bytes })
        expect(await scene.tcp(family, { download: bytes })).toMatchObject({ got: expect.any(Number) as number })
      })

      test(`${family}: datagrams come back whole from one server for each socket`, async () => {
        const answer = await scene.udp(family, { sockets: 60, datagrams: 5, bytes: 1200 })
        expect(answer).toMatchObject({ lost: 0, split: 0, clients: [routed.client[family]] })
        expect(Object.keys(answer.perServer)).toHaveLength(2)
      })
    }

    test('answers are counted beside what came in, and nothing was dropped', async () => {
      const { services, verdicts } = await scene.ask<DataplaneReading>({ read: true })
      const tcp = services.find(({ key }) => key === keyOf('ipv4', 'tcp'))!.counters
      expect(tcp.connections).toBeGreaterThanOrEqual(202)
      expect(tcp.bytesIn).toBeGreaterThan(30_000_000)
      expect(tcp.bytesOut).toBeGreaterThan(30_000_000)
      expect(verdicts['LB_FWD_REPLY']).toBeGreaterThan(1000)
      const allowed = hook === 'xdp-native' ? ['LB_DROP_NO_NEIGHBOUR'] : []
      const dropped = Object.entries(verdicts).filter(([name, count]) => name.startsWith('LB_DROP') && count > 0)
      expect(dropped.filter(([name]) => !allowed.includes(name))).toEqual([])
    })

    test('the director itself reaches the real servers’ ports: answers to it are not taken', async () => {
      const own = await scene.hosts.start('director', 'client.ts', routed.rs1.ipv4, String(realPort.tcp))
      expect(await own.ask({ requests: 5, atOnce: 1 })).toMatchObject({ perServer: { rs1: 5 }, failures: {} })
      await own.kill()
    })

    test('the agent is started anew under traffic: none of 1,000 requests fails', async () => {
      const held = await scene.tcp<{ name: string }>('ipv4', { hold: true })
      const before = await scene.ask({ observe: true })
      const running = scene.tcp<Answers>('ipv6', { requests: 1000, atOnce: 8 })
      await new Promise((resolve) => setTimeout(resolve, 100))
      await scene.director.kill()
      scene.director = await scene.hosts.start('director', 'director.ts', hook)
      expect(await scene.ask({ observe: true })).toEqual(before)
      expect((await running).failures).toEqual({})
      expect(await scene.tcp('ipv4', { onHeld: true })).toMatchObject({ name: held.name })
    })

    test('the last real server in NAT mode takes the interface of answers along; nothing is left when it is taken down', async () => {
      for (const family of families) {
        for (const protocol of ['tcp', 'udp'] as const) {
          for (const name of ['rs1', 'rs2'] as const) {
            const before = realServerConfig({
              address: routed[name][family],
              port: realPort[protocol],
              forwarding: 'nat',
            })
            await scene.execute({
              kind: 'realServer.remove',
              service: keyOf(family, protocol),
              dataplane: 'ebpf',
              before,
            })
          }
        }
      }
      const { attachments } = await scene.ask<Pick<ObservedState, 'attachments'>>({ observe: true })
      expect(attachments.map((one) => one.interface)).toEqual(['eth1'])
      await scene.ask({ takeDown: true })
      expect(scene.hosts.run('director', 'ls', '/sys/fs/bpf')).not.toContain('signalbox')
    })
  })
}
