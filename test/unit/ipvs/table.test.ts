import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IpvsClient } from '../../../agent/dataplane/ipvs/client.ts'
import {
  type IpvsDestinationSettings,
  type IpvsOperation,
  type IpvsServiceId,
  type IpvsServiceSettings,
  noTunnel,
} from '../../../agent/dataplane/ipvs/types.ts'
import { FakeIpvsKernel } from '../../fakes/ipvs-kernel.ts'

const ids: readonly IpvsServiceId[] = [
  { family: 'ipv4', protocol: 'tcp', address: '192.0.2.10', port: 80 },
  { family: 'ipv4', fwmark: 7 },
  { family: 'ipv6', protocol: 'tcp', address: '2001:db8::10', port: 80 },
]
const service = (id: IpvsServiceId, scheduler = 'wlc'): IpvsServiceSettings => ({
  id,
  scheduler,
  flags: { persistent: false, onePacket: false, schedulerBits: 0 },
  timeoutSec: 0,
  prefixLength: id.family === 'ipv4' ? 32 : 128,
  engine: null,
})
const realServer = (
  id: IpvsServiceId,
  host: number,
  different: Partial<IpvsDestinationSettings> = {},
): IpvsDestinationSettings => ({
  id: { family: id.family, address: id.family === 'ipv4' ? `192.0.2.${host}` : `2001:db8::${host}`, port: 80 },
  forwarding: 'masq',
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  tunnel: noTunnel,
  ...different,
})

function start() {
  const kernel = new FakeIpvsKernel()
  const client = new IpvsClient(kernel, kernel.glances())
  const change = (...operations: IpvsOperation[]) => client.change(operations)
  /** How many requests a reading took. */
  const cost = () => {
    const before = kernel.sent
    client.table()
    return kernel.sent - before
  }
  return { kernel, client, change, cost }
}

/** Three services with two real servers each, read until nothing is new any more. */
function settled() {
  const all = start()
  for (const id of ids) {
    all.change(
      { kind: 'service.add', service: service(id) },
      { kind: 'destination.add', service: id, destination: realServer(id, 20) },
      { kind: 'destination.add', service: id, destination: realServer(id, 21) },
    )
  }
  all.client.table()
  return all
}

const [web, mark, six] = ids as [IpvsServiceId, IpvsServiceId, IpvsServiceId]

describe('reading the table again', () => {
  test('takes one dump for the services, and one for each service that a glance does not tell', () => {
    const { cost } = settled()
    // The services, and the one of IPv6.
    expect(cost()).toBe(2)
  })

  test('gives what has not changed as the same object, IPv6 too', () => {
    const { client, change } = settled()
    const before = client.table()
    expect(client.table().map((one, i) => one === before[i])).toEqual([true, true, true])
    change({ kind: 'destination.set', service: mark, destination: realServer(mark, 20, { weight: 7 }) })
    expect(client.table().map((one, i) => one === before[i])).toEqual([true, false, true])
  })

  test('sees each field that may change', () => {
    const { client, change } = settled()
    const changes: readonly Partial<IpvsDestinationSettings>[] = [
      { weight: 3 },
      { weight: 3, upperThreshold: 9 },
      { weight: 3, upperThreshold: 9, lowerThreshold: 4 },
      { forwarding: 'droute' },
      { forwarding: 'tunnel' },
      { forwarding: 'tunnel', tunnel: { type: 'gue', port: 6080, checksum: 'csum' } },
      { forwarding: 'tunnel', tunnel: { type: 'gre', port: 0, checksum: 'csum' } },
      { forwarding: 'masq' },
      { forwarding: 'masq', weight: 2 },
    ]
    for (const different of changes) {
      change({ kind: 'destination.set', service: web, destination: realServer(web, 20, different) })
      const seen = client.table()[0]?.destinations.find((one) => one.id.address === '192.0.2.20')
      expect(seen).toMatchObject(different)
    }
    change({ kind: 'service.set', service: service(web, 'rr') })
    expect(client.table()[0]?.scheduler).toBe('rr')
  })

  test('is the same as reading it the first time, after any changes', () => {
    const step = fc.record({
      id: fc.constantFrom(web, mark, six),
      kind: fc.constantFrom(
        'service.add',
        'service.delete',
        'destination.add',
        'destination.set',
        'destination.delete',
      ),
      host: fc.integer({ min: 20, max: 45 }),
      weight: fc.integer({ min: 0, max: 3 }),
      forwarding: fc.constantFrom('masq', 'tunnel', 'droute'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { kernel, client, change } = start()
        for (const { id, kind, host, weight, forwarding } of steps) {
          const destination = realServer(id, host, { weight, forwarding })
          if (kind === 'service.add') change({ kind, service: service(id) })
          else if (kind === 'service.delete') change({ kind, id })
          else if (kind === 'destination.delete') change({ kind, service: id, destination: destination.id })
          else change({ kind, service: id, destination })
          expect(client.table()).toEqual(new IpvsClient(kernel).table())
        }
      }),
    )
  })

  test('finds a real server that a glance passes over: one of another family, behind a tunnel', () => {
    const { client, change } = settled()
    const far: IpvsDestinationSettings = { ...realServer(six, 30), forwarding: 'tunnel' }
    change({ kind: 'destination.add', service: web, destination: far })
    expect(client.table()[0]?.destinations).toHaveLength(3)
    change({ kind: 'destination.set', service: web, destination: { ...far, weight: 9 } })
    expect(client.table()[0]?.destinations.find(({ id }) => id.family === 'ipv6')?.weight).toBe(9)
  })
})
