import { expect, test } from 'vitest'
import type { VirtualService } from '../../../core/model/service.ts'
import { parseClusterSpec } from '../../../core/model/cluster-spec.ts'
import { tunnelRoom } from '../../../core/reconcile/tunnel-room.ts'

function serviceWith(fields: object): VirtualService {
  const parsed = parseClusterSpec({
    apiVersion: 'signalbox/v1',
    name: 'test',
    services: [
      {
        name: 'web',
        vip: '192.0.2.10',
        port: 80,
        dataplane: 'ebpf',
        forwarding: 'tun',
        realServers: [{ address: '198.51.100.7', port: 80 }],
        ...fields,
      },
    ],
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.value.services[0]!
}

test('the outer header leaves so much, and the segment size that real servers announce is that less the inner headers', () => {
  expect(tunnelRoom(serviceWith({}))).toEqual({ bytes: 1480, mss: 1440 })
  expect(tunnelRoom(serviceWith({ tunnel: { type: 'gue', port: 5555 } }))).toEqual({ bytes: 1468, mss: 1428 })
})

test('the largest outer header of the real servers counts, and the family of the VIP is the inner one', () => {
  const realServers = [
    { address: '198.51.100.7', port: 80 },
    { address: '2001:db8::7', port: 80 },
  ]
  expect(tunnelRoom(serviceWith({ realServers }))).toEqual({ bytes: 1460, mss: 1420 })
  expect(tunnelRoom(serviceWith({ vip: '2001:db8::10', realServers }))).toEqual({ bytes: 1460, mss: 1400 })
})

test('IPVS answers by itself, and other methods have no outer header', () => {
  expect(tunnelRoom(serviceWith({ dataplane: 'ipvs' }))).toBeNull()
  expect(tunnelRoom(serviceWith({ forwarding: 'dr' }))).toBeNull()
})
