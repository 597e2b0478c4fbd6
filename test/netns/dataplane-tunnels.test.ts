// Real TCP and UDP through tunnels: each pair of families, IPIP and GUE, on both hooks. The real servers take the outer
// headers off by a program of the test, since not every kernel has the modules.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DataplaneReading } from '../../agent/dataplane/dataplane.ts'
import type { IpFamily } from '../../core/model/address.ts'
import type { DataplaneHook } from '../../core/model/observed.ts'
import type { RealServerConfig } from '../../core/model/plan.ts'
import { serviceKey } from '../../core/model/service.ts'
import { realServerConfig, serviceConfig } from '../fixtures/configs.ts'
import type { ClientRequest } from './dataplane/client.ts'
import type { Request } from './dataplane/director.ts'
import { Hosts, type Program, addresses, addresses6, vip, vip6 } from './dataplane/hosts.ts'
import type { UdpAnswers, UdpRequest } from './dataplane/udp-client.ts'

const port = 80
const guePort = 6080
const vips = { ipv4: vip, ipv6: vip6 } as const
const hostsOf = { ipv4: addresses, ipv6: addresses6 } as const
const families: readonly IpFamily[] = ['ipv4', 'ipv6']
const protocols = ['tcp', 'udp'] as const
const names = ['rs1', 'rs2'] as const
const tunnels = { ipip: { type: 'ipip' }, gue: { type: 'gue', port: guePort } } as const

const folder = mkdtempSync(join(tmpdir(), 'decap-'))
const object = join(folder, 'decap.o')

beforeAll(() => {
  const source = resolve(import.meta.dirname, 'dataplane/decap.bpf.c')
  const headers = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
  execFileSync('clang', ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-I', headers, '-c', source, '-o', object])
})
afterAll(() => rmSync(folder, { recursive: true }))

for (const hook of ['tcx', 'xdp-native'] as const satisfies readonly DataplaneHook[]) {
  describe(`tunnels at ${hook}`, () => {
    let hosts: Hosts
    let director: Program
    const clients = new Map<string, Program>()
    const client = (name: string): Program => {
      const found = clients.get(name)
      if (found === undefined) throw new Error(`no client ${name}`)
      return found
    }
    const ask = async <T>(request: Request): Promise<T> => {
      const answer = await director.ask(request)
      if (typeof answer === 'object' && answer !== null && 'failed' in answer) throw new Error(JSON.stringify(answer))
      return answer as T
    }
    const verdicts = async () => (await ask<DataplaneReading>({ read: true })).verdicts

    beforeAll(async () => {
      hosts = await Hosts.start()
      hosts.widen()
      if (hook === 'xdp-native') hosts.prepareForXdp()
      for (const name of names) {
        hosts.run(name, 'tc', 'qdisc', 'add', 'dev', 'eth0', 'clsact')
        hosts.run(name, 'tc', 'filter', 'add', 'dev', 'eth0', 'ingress', 'bpf', 'da', 'obj', object, 'sec', 'tc')
      }
      for (const family of families) {
        for (const name of names) {
          await hosts.start(name, 'server.ts', name, family === 'ipv4' ? '0.0.0.0' : vip6, String(port))
          await hosts.start(name, 'udp-server.ts', name, vips[family], String(port))
        }
        clients.set(`tcp ${family}`, await hosts.start('client', 'client.ts', vips[family], String(port)))
        clients.set(`udp ${family}`, await hosts.start('client', 'udp-client.ts', vips[family], String(port)))
      }
      director = await hosts.start('director', 'director.ts', hook)
      await ask({ execute: { kind: 'dataplane.attach', interface: 'eth0' } })
    })
    afterAll(() => hosts?.stop())

    for (const family of families) {
      for (const outer of families) {
        for (const type of ['ipip', 'gue'] as const) {
          describe(`${family} in ${type} over ${outer}`, () => {
            const services = protocols.map((protocol) => ({
              service: serviceKey({ vip: vips[family], port, protocol }),
              config: serviceConfig({ vip: vips[family], family, port, protocol, forwarding: 'tun' }),
            }))
            const realServers: readonly RealServerConfig[] = names.map((name) =>
              realServerConfig({
                address: hostsOf[outer][name],
                port,
                forwarding: 'tun',
                tunnel: { ...tunnels[type], checksum: 'nocsum' },
              }),
            )

            beforeAll(async () => {
              for (const { service, config } of services) {
                await ask({ execute: { kind: 'service.add', service, after: config } })
                for (const after of realServers) {
                  await ask({ execute: { kind: 'realServer.add', service, dataplane: 'ebpf', after } })
                }
              }
            })
            afterAll(async () => {
              for (const { service, config } of services) {
                await ask({ execute: { kind: 'service.remove', service, before: config } })
              }
            })

            test('what is observed is what was asked for', async () => {
              const { services: observed } = await ask<{ services: { realServers: RealServerConfig[] }[] }>({
                observe: true,
              })
              for (const { realServers: found } of observed) {
                expect(found).toEqual(realServers.map((one) => ({ ...one, isUp: true })))
              }
            })

            test('requests, transfers and datagrams are answered by both real servers', async () => {
              const before = await verdicts()
              const answers = (await client(`tcp ${family}`).ask({
                requests: 40,
                atOnce: 4,
              } satisfies ClientRequest)) as {
                perServer: object
                failures: object
                last: { client: string }
              }
              expect(answers.failures).toEqual({})
              expect(Object.keys(answers.perServer).toSorted()).toEqual(['rs1', 'rs2'])
              expect(answers.last.client.endsWith(hostsOf[family].client)).toBe(true)
              const bytes = 10_000_000
              expect(await client(`tcp ${family}`).ask({ upload: bytes })).toMatchObject({ taken: bytes })
              const asked: UdpRequest = { sockets: 16, datagrams: 2, bytes: 1000 }
              const datagrams = (await client(`udp ${family}`).ask(asked)) as UdpAnswers
              expect(datagrams).toMatchObject({ lost: 0, split: 0, clients: [hostsOf[family].client] })
              expect(Object.keys(datagrams.perServer).toSorted()).toEqual(['rs1', 'rs2'])
              const after = await verdicts()
              const grown = Object.keys(after).filter((name) => (after[name] ?? 0) > (before[name] ?? 0))
              expect(grown.filter((name) => name.startsWith('LB_DROP'))).toEqual([])
            })
          })
        }
      }
    }
  })
}
