import { describe, expect, test } from 'vitest'
import { decodeDestination } from '../../../agent/dataplane/ipvs/codec-destination.ts'
import { decodeService } from '../../../agent/dataplane/ipvs/codec-service.ts'
import { decodeDaemon, decodeInfo, decodeTimeouts } from '../../../agent/dataplane/ipvs/codec-settings.ts'
import { command } from '../../../agent/dataplane/ipvs/constants.ts'
import type { IpvsDestination, IpvsStats } from '../../../agent/dataplane/ipvs/types.ts'
import { tables } from '../../fixtures/ipvs-scenarios.ts'
import { golden, over } from './golden.ts'

const noTraffic: IpvsStats = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
  connectionsPerSec: 0,
  inPacketsPerSec: 0,
  outPacketsPerSec: 0,
  inBytesPerSec: 0,
  outBytesPerSec: 0,
}

const decodeAny = over((words, start, end) => decodeDestination(words, start, end, 'ipv4'))

describe('what Linux 6.1 answers', () => {
  test('services: the commands set 10.0.0.1:80 to rr, and left 10.0.0.1:82 at wlc', () => {
    const messages = golden('services-6.1')
    expect(messages.map((message) => message.command)).toEqual([command.newService, command.newService])
    const service = (port: number, scheduler: string) => ({
      id: { family: 'ipv4', protocol: 'tcp', address: '10.0.0.1', port },
      scheduler,
      flags: { persistent: false, onePacket: false, schedulerBits: 0 },
      timeoutSec: 0,
      prefixLength: 32,
      engine: null,
      stats: noTraffic,
    })
    expect(messages.map(({ attributes }) => over(decodeService)(attributes))).toEqual([
      service(82, 'wlc'),
      service(80, 'rr'),
    ])
  })

  test('real servers, the newest first: weight, port, method and tunnel as they were set', () => {
    const messages = golden('destinations-6.1')
    expect(new Set(messages.map((message) => message.command))).toEqual(new Set([command.newDestination]))
    const realServer = (host: number, different: Partial<IpvsDestination> & { port?: number }): IpvsDestination => {
      const { port = 80, ...rest } = different
      return {
        id: { family: 'ipv4', address: `10.0.0.${host}`, port },
        forwarding: 'droute',
        weight: 1,
        upperThreshold: 0,
        lowerThreshold: 0,
        tunnel: { type: 'ipip', port: 0, checksum: 'nocsum' },
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
        stats: noTraffic,
        ...rest,
      }
    }
    expect(messages.map(({ attributes }) => decodeAny(attributes))).toEqual([
      realServer(6, { weight: 70000 }),
      realServer(5, {}),
      realServer(4, { forwarding: 'tunnel', tunnel: { type: 'gre', port: 0, checksum: 'nocsum' } }),
      realServer(3, { port: 8080 }),
      realServer(2, { forwarding: 'tunnel', weight: 2 }),
    ])
  })

  test('facts: version and size of the connection table', () => {
    const [message] = golden('info-6.1')
    expect(message?.command).toBe(command.setInfo)
    expect(over(decodeInfo)(message!.attributes)).toEqual({ version: '1.2.1', connectionTableSize: 4096 })
  })

  test('every attribute, both families, marks and mixed families: recorded after the tables of ipvs-scenarios.ts', () => {
    const services = golden('all-services-6.1').map(({ attributes }) => over(decodeService)(attributes))
    const destinations = golden('all-destinations-6.1').map(({ attributes }) => decodeAny(attributes))
    expect(services).toHaveLength(tables.length)
    for (const { service } of tables) expect(services).toContainEqual({ ...service, stats: noTraffic })
    const live = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0, stats: noTraffic }
    const wanted = tables.flatMap((table) => table.destinations)
    expect(destinations).toHaveLength(wanted.length)
    for (const destination of wanted) expect(destinations).toContainEqual({ ...destination, ...live })
  })

  test('daemons and timeouts', () => {
    expect(golden('all-daemons-6.1').map(({ attributes }) => over(decodeDaemon)(attributes))).toEqual([
      { state: 'master', interface: 'sync0', syncId: 7, maxLength: 1472, group: '224.0.0.81', port: 8848, ttl: 1 },
      { state: 'backup', interface: 'sync0', syncId: 255, maxLength: 1024, group: '239.1.2.3', port: 9000, ttl: 3 },
    ])
    expect(golden('all-timeouts-6.1').map(({ attributes }) => over(decodeTimeouts)(attributes))).toEqual([
      { tcpSec: 900, tcpFinSec: 120, udpSec: 300 },
    ])
  })
})
