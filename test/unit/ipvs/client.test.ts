import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { IpvsClient } from '../../../agent/dataplane/ipvs/client.ts'
import { hashingBits } from '../../../agent/dataplane/ipvs/constants.ts'
import { ipvsDestinationKey, ipvsServiceKey } from '../../../agent/dataplane/ipvs/requests.ts'
import {
  type IpvsAddressId,
  type IpvsDestinationSettings,
  type IpvsOperation,
  type IpvsServiceSettings,
  noTunnel,
} from '../../../agent/dataplane/ipvs/types.ts'
import type { KernelError } from '../../../agent/kernel/errno.ts'
import { FakeIpvsKernel, noStats } from '../../fakes/ipvs-kernel.ts'
import * as any from './arbitraries.ts'

const webId: IpvsAddressId = { family: 'ipv4', protocol: 'tcp', address: '192.0.2.10', port: 80 }
const web: IpvsServiceSettings = {
  id: webId,
  scheduler: 'wlc',
  flags: { persistent: false, onePacket: false, schedulerBits: 0 },
  timeoutSec: 0,
  prefixLength: 32,
  engine: null,
}
const realServer = (host: number, different: Partial<IpvsDestinationSettings> = {}): IpvsDestinationSettings => ({
  id: { family: 'ipv4', address: `192.0.2.${host}`, port: 80 },
  forwarding: 'masq',
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  tunnel: noTunnel,
  ...different,
})

/** What the kernel takes beside what the wire can carry. */
const isTaken = ({ id, tunnel, weight, lowerThreshold, upperThreshold }: IpvsDestinationSettings): boolean =>
  ipaddr.parse(id.address).range() !== 'multicast' &&
  (tunnel.type !== 'gue' || tunnel.port > 0) &&
  weight < 2 ** 31 &&
  lowerThreshold <= upperThreshold

function start() {
  const kernel = new FakeIpvsKernel()
  return { kernel, client: new IpvsClient(kernel) }
}

const thrown = (act: () => unknown): KernelError => {
  try {
    act()
  } catch (error) {
    return error as KernelError
  }
  throw new Error('nothing was thrown')
}

describe('IPVS client', () => {
  test('a table comes back as it was made', () => {
    const services = fc.uniqueArray(any.serviceSettings, { selector: ({ id }) => ipvsServiceKey(id), maxLength: 5 })
    const destinations = fc
      .uniqueArray(any.destinationSettings, { selector: ({ id }) => ipvsDestinationKey(id), maxLength: 5 })
      .map((all) => all.filter(isTaken))
    fc.assert(
      fc.property(services, destinations, (wanted, realServers) => {
        const { kernel, client } = start()
        for (const { scheduler, engine } of wanted) kernel.has(scheduler, engine)
        const made = wanted.map((service) => ({
          service,
          destinations: realServers.filter(
            ({ id, forwarding }) => id.family === service.id.family || forwarding === 'tunnel',
          ),
        }))
        const outcomes = client.change(
          made.flatMap(({ service, destinations: all }): IpvsOperation[] => [
            { kind: 'service.add', service },
            ...all.map((destination) => ({ kind: 'destination.add' as const, service: service.id, destination })),
          ]),
        )
        expect(outcomes.every((outcome) => outcome === null)).toBe(true)
        const live = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0, stats: noStats }
        expect(client.table()).toEqual(
          made.map(({ service, destinations: all }) => ({
            ...service,
            stats: noStats,
            // The kernel gives the newest first.
            destinations: all.toReversed().map((destination) => ({ ...destination, ...live })),
          })),
        )
      }),
    )
  })

  test('many changes take one request, and each has its outcome; a refused one hides no other', () => {
    const { kernel, client } = start()
    const outcomes = client.change([
      { kind: 'service.add', service: web },
      { kind: 'service.add', service: web },
      { kind: 'destination.add', service: webId, destination: realServer(20) },
      { kind: 'destination.set', service: webId, destination: realServer(21) },
      { kind: 'destination.delete', service: { family: 'ipv4', fwmark: 7 }, destination: realServer(20).id },
      { kind: 'destination.set', service: webId, destination: realServer(20, { weight: 5 }) },
    ])
    expect(outcomes.map((outcome) => outcome?.errno ?? null)).toEqual([null, 'EEXIST', null, 'ENOENT', 'ESRCH', null])
    expect(kernel.sent).toBe(1)
    expect(client.destinations(webId)?.map(({ weight }) => weight)).toEqual([5])
  })

  test('an error names the change, the errno, what it means and what remains to be done', () => {
    const { client } = start()
    const [error] = client.change([{ kind: 'destination.add', service: webId, destination: realServer(20) }])
    expect(error?.message).toBe(
      'The kernel refused adding the real server 192.0.2.20:80 of tcp/192.0.2.10:80: ESRCH (the virtual service does not exist).',
    )
    expect(error?.details).toMatchObject({ errno: 'ESRCH', meaning: 'serviceMissing', remedy: 'observe' })
    expect(error?.hint).toMatch(/plan anew/)
  })

  test('a tunnel survives a change of weight, and no change can leave it out', () => {
    const { client } = start()
    const gue = { type: 'gue', port: 6080, checksum: 'csum' } as const
    const through = realServer(20, { forwarding: 'tunnel', tunnel: gue })
    client.change([
      { kind: 'service.add', service: web },
      { kind: 'destination.add', service: webId, destination: through },
      { kind: 'destination.set', service: webId, destination: { ...through, weight: 0 } },
    ])
    expect(client.destinations(webId)).toMatchObject([{ weight: 0, forwarding: 'tunnel', tunnel: gue }])
  })

  test('changing the scheduler keeps the counters', () => {
    const { kernel, client } = start()
    client.change([{ kind: 'service.add', service: web }])
    kernel.count(webId, { ...noStats, connections: 7 })
    const flags = { ...web.flags, schedulerBits: hashingBits.fallback | hashingBits.port }
    client.change([{ kind: 'service.set', service: { ...web, scheduler: 'mh', flags } }])
    expect(client.service(webId)).toMatchObject({ scheduler: 'mh', flags, stats: { connections: 7 } })
    client.zero(webId)
    expect(client.service(webId)?.stats.connections).toBe(0)
  })

  test('an empty list of real servers is told apart from a service that is not there', () => {
    const { client } = start()
    client.change([{ kind: 'service.add', service: web }])
    expect(client.destinations(webId)).toEqual([])
    expect(client.destinations({ family: 'ipv6', fwmark: 9 })).toBeNull()
    expect(client.service({ family: 'ipv6', fwmark: 9 })).toBeNull()
  })

  test('a service that is deleted while the table is read is left out of it', () => {
    const { kernel, client } = start()
    const other: IpvsServiceSettings = { ...web, id: { family: 'ipv6', fwmark: 3 }, prefixLength: 128 }
    client.change([
      { kind: 'service.add', service: web },
      { kind: 'service.add', service: other },
    ])
    kernel.whileDumping = () => {
      kernel.whileDumping = undefined
      client.change([{ kind: 'service.delete', id: webId }])
    }
    expect(client.table().map(({ id }) => id)).toEqual([other.id])
  })

  test('timeouts that are left out stay', () => {
    const { client } = start()
    client.setTimeouts({ udpSec: 10, tcpSec: 0 })
    expect(client.timeouts()).toEqual({ tcpSec: 900, tcpFinSec: 120, udpSec: 10 })
  })

  test('both sync daemons run side by side, start once and stop once', () => {
    const { client } = start()
    client.startDaemon({ state: 'master', interface: 'eth0', syncId: 7 })
    client.startDaemon({ state: 'backup', interface: 'eth0', syncId: 7, group: 'ff02::81', port: 9000, ttl: 3 })
    expect(client.daemons()).toEqual([
      { state: 'master', interface: 'eth0', syncId: 7, maxLength: 1472, group: '224.0.0.81', port: 8848, ttl: 1 },
      { state: 'backup', interface: 'eth0', syncId: 7, maxLength: 1472, group: 'ff02::81', port: 9000, ttl: 3 },
    ])
    const again = thrown(() => client.startDaemon({ state: 'master', interface: 'eth0', syncId: 8 }))
    expect(again.details).toMatchObject({ errno: 'EEXIST', meaning: 'daemonRuns' })
    expect(thrown(() => client.startDaemon({ state: 'master', interface: 'eth0', syncId: 8 })).hint).toMatch(
      /Stop it first/,
    )
    client.stopDaemon('master')
    expect(thrown(() => client.stopDaemon('master')).details).toMatchObject({ remedy: 'done' })
    expect(thrown(() => client.startDaemon({ state: 'master', interface: 'eth9', syncId: 8 })).errno).toBe('ENODEV')
  })

  test('a module that was unloaded is told apart from a scheduler that is missing', () => {
    const { kernel, client } = start()
    const unknown = { ...web, scheduler: 'twos' }
    expect(client.change([{ kind: 'service.add', service: unknown }])[0]?.details?.['meaning']).toBe('schedulerMissing')
    kernel.isLoaded = false
    expect(client.change([{ kind: 'service.add', service: unknown }])[0]?.details?.['meaning']).toBe('familyGone')
    expect(thrown(() => client.table()).details?.['meaning']).toBe('familyGone')
  })
})
