// Real TCP and UDP in both families through the dataplane, on both hooks: the same requests, four services.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DataplaneReading } from '../../agent/dataplane/dataplane.ts'
import type { IpFamily } from '../../core/model/address.ts'
import type { DataplaneHook } from '../../core/model/observed.ts'
import { serviceKey } from '../../core/model/service.ts'
import { realServerConfig, serviceConfig } from '../fixtures/configs.ts'
import type { ClientRequest } from './dataplane/client.ts'
import type { Request } from './dataplane/director.ts'
import { Hosts, type Program, addresses, addresses6, vip, vip6 } from './dataplane/hosts.ts'
import type { UdpAnswers, UdpRequest } from './dataplane/udp-client.ts'

const port = 80
const vips = { ipv4: vip, ipv6: vip6 } as const
const hostsOf = { ipv4: addresses, ipv6: addresses6 } as const
const families: readonly IpFamily[] = ['ipv4', 'ipv6']
const protocols = ['tcp', 'udp'] as const

for (const hook of ['tcx', 'clsact', 'xdp-native'] as const satisfies readonly DataplaneHook[]) {
  describe(`TCP and UDP in both families at ${hook}`, () => {
    let hosts: Hosts
    let director: Program
    const clients = new Map<string, Program>()

    const ask = async <T>(request: Request): Promise<T> => {
      const answer = await director.ask(request)
      if (typeof answer === 'object' && answer !== null && 'failed' in answer) throw new Error(JSON.stringify(answer))
      return answer as T
    }
    const client = (name: string): Program => {
      const found = clients.get(name)
      if (found === undefined) throw new Error(`no client ${name}`)
      return found
    }
    const tcp = <T>(family: IpFamily, request: ClientRequest) => client(`tcp ${family}`).ask(request) as Promise<T>
    const udp = (family: IpFamily, request: UdpRequest) => client(`udp ${family}`).ask(request) as Promise<UdpAnswers>
    const dropped = async () => {
      const { verdicts } = await ask<DataplaneReading>({ read: true })
      return Object.entries(verdicts).filter(([name, count]) => name.startsWith('LB_DROP') && count > 0)
    }

    beforeAll(async () => {
      hosts = await Hosts.start()
      if (hook === 'xdp-native') hosts.prepareForXdp()
      for (const family of families) {
        for (const name of ['rs1', 'rs2'] as const) {
          await hosts.start(name, 'server.ts', name, family === 'ipv4' ? '0.0.0.0' : vip6, String(port))
          await hosts.start(name, 'udp-server.ts', name, vips[family], String(port))
        }
        clients.set(`tcp ${family}`, await hosts.start('client', 'client.ts', vips[family], String(port)))
        clients.set(`udp ${family}`, await hosts.start('client', 'udp-client.ts', vips[family], String(port)))
      }
      director = await hosts.start('director', 'director.ts', hook)
      await ask({ execute: { kind: 'dataplane.attach', interface: 'eth0' } })
      for (const family of families) {
        for (const protocol of protocols) {
          const config = serviceConfig({ vip: vips[family], family, port, protocol })
          const service = serviceKey({ vip: vips[family], port, protocol })
          await ask({ execute: { kind: 'service.add', service, after: config } })
          for (const name of ['rs1', 'rs2'] as const) {
            const after = realServerConfig({ address: hostsOf[family][name], port })
            await ask({ execute: { kind: 'realServer.add', service, dataplane: 'ebpf', after } })
          }
        }
      }
    })
    afterAll(() => hosts?.stop())

    for (const family of families) {
      test(`${family}: TCP requests are answered by both real servers, which see the client’s own address`, async () => {
        const answers = await tcp<{ perServer: Record<string, number>; failures: object; last: { client: string } }>(
          family,
          { requests: 100, atOnce: 4 },
        )
        expect(answers.failures).toEqual({})
        expect(answers.last.client.endsWith(hostsOf[family].client)).toBe(true)
        expect(Object.keys(answers.perServer).toSorted()).toEqual(['rs1', 'rs2'])
      })

      test(`${family}: large transfers over TCP go through in both directions`, async () => {
        const bytes = 20_000_000
        expect(await tcp(family, { upload: bytes })).toMatchObject({ taken: bytes })
        expect(await tcp(family, { download: bytes })).toMatchObject({ got: expect.any(Number) as number })
      })

      test(`${family}: datagrams of a socket stay on one real server, sockets are spread over both`, async () => {
        const answers = await udp(family, { sockets: 40, datagrams: 3, bytes: 1000 })
        expect(answers).toMatchObject({ split: 0, lost: 0, sizes: [1000], clients: [hostsOf[family].client] })
        expect(Object.keys(answers.perServer).toSorted()).toEqual(['rs1', 'rs2'])
      })
    }

    test('flows of both families and protocols are listed as their packets made them', async () => {
      const observed = await ask<{ services: { vip: string; family: string; protocol: string }[] }>({ observe: true })
      expect(observed.services.map((one) => `${one.protocol} ${one.family} ${one.vip}`).toSorted()).toEqual(
        families.flatMap((family) => protocols.map((each) => `${each} ${family} ${vips[family]}`)).toSorted(),
      )
      const { services } = await ask<DataplaneReading>({ read: true })
      const connections = services.map((one) => one.counters.connections)
      expect([connections[0], connections[2]]).toEqual([102, 102])
      // The kernel may give a later socket the port of an earlier one: that is one flow.
      for (const at of [1, 3]) expect(connections[at]).toSatisfy((count: number) => count > 30 && count <= 40)
    })

    test('nothing was dropped', async () => {
      expect(await dropped()).toEqual([])
    })
  })
}
