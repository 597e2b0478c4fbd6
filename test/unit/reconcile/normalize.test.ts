import { expect, test } from 'vitest'
import { type ClusterSpec, parseClusterSpec } from '../../../core/model/cluster-spec.ts'
import { formatIssue } from '../../../core/model/issue.ts'
import { type DirectorContext, normalize } from '../../../core/reconcile/normalize.ts'

const nic = (name: string, addresses: [string, number][], isUp = true) => ({
  name,
  index: 1,
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  isUp,
  addresses: addresses.map(([address, prefixLength]) => ({ address, prefixLength })),
})
const director: DirectorContext = {
  interfaces: [
    nic('lo', [['127.0.0.1', 8]]),
    nic('eth0', [['192.0.2.2', 24]]),
    nic('eth1', [['198.51.100.2', 24]]),
    nic('mgmt0', [['198.18.0.2', 24]]),
  ],
  ownVips: [],
  protectedAddresses: ['198.18.0.2'],
  foreignServices: [],
}

function specWith(service: Record<string, unknown>): ClusterSpec {
  const parsed = parseClusterSpec({
    apiVersion: 'signalbox/v1',
    name: 'test',
    services: [{ name: 'web', vip: '192.0.2.10', port: 80, realServers: [], ...service }],
  })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value
}
const sentences = (spec: ClusterSpec, context: DirectorContext) => normalize(spec, context).issues.map(formatIssue)

test('the ingress interface is the one whose network holds the VIP', () => {
  const { interfaces, issues, desired } = normalize(specWith({}), director)
  expect(issues).toEqual([])
  expect(interfaces).toEqual({ 'tcp/192.0.2.10:80': 'eth0' })
  expect(desired.services[0]?.config.interface).toBe('eth0')
})

test('the smaller network wins, and an interface that is up before one that is down', () => {
  const narrow = nic('eth2', [['192.0.2.9', 29]])
  expect(normalize(specWith({}), { ...director, interfaces: [...director.interfaces, narrow] }).interfaces).toEqual({
    'tcp/192.0.2.10:80': 'eth2',
  })
  const down = { ...narrow, isUp: false }
  expect(normalize(specWith({}), { ...director, interfaces: [...director.interfaces, down] }).interfaces).toEqual({
    'tcp/192.0.2.10:80': 'eth0',
  })
})

test('a VIP in no network of the director asks for the interface', () => {
  expect(sentences(specWith({ vip: '203.0.113.1' }), director)).toEqual([
    'services[0].vip: found "203.0.113.1", expected an address in a network of one of the director\'s interfaces, or the field interface',
  ])
  expect(normalize(specWith({ vip: '203.0.113.1', interface: 'eth1' }), director).interfaces).toEqual({
    'tcp/203.0.113.1:80': 'eth1',
  })
})

test('an interface that the director does not have is refused with those that it has', () => {
  expect(sentences(specWith({ interface: 'eth9' }), director)).toEqual([
    'services[0].interface: found "eth9", expected an interface of the director: eth0, eth1, mgmt0',
  ])
})

test('the address that SSH came in by is no VIP, whatever the document says', () => {
  const expected = 'services[0].vip: found "198.18.0.2", expected an address other than the one that SSH came in by'
  expect(sentences(specWith({ vip: '198.18.0.2' }), director)).toEqual([expected])
  expect(sentences(specWith({ vip: '198.18.0.2', allowOwnAddress: true }), director)).toEqual([expected])
})

test("the director's own address is a VIP only where the document says so", () => {
  expect(sentences(specWith({ vip: '192.0.2.2' }), director)).toEqual([
    'services[0].vip: found "192.0.2.2", expected an address that the director does not carry already, or allowOwnAddress: true',
  ])
  const allowed = normalize(specWith({ vip: '192.0.2.2', allowOwnAddress: true }), director)
  expect(allowed.issues).toEqual([])
  expect(allowed.warnings.map((issue) => issue.path)).toEqual([['services', 0, 'vip']])
})

test('a VIP that the agent raised itself is no obstacle', () => {
  const raised = nic('eth0', [
    ['192.0.2.2', 24],
    ['192.0.2.10', 32],
  ])
  const context = { ...director, interfaces: [raised] }
  expect(sentences(specWith({}), context)).toHaveLength(1)
  const own = [{ address: '192.0.2.10', interface: 'eth0' }]
  expect(sentences(specWith({}), { ...context, ownVips: own })).toEqual([])
})

test('a DR real server behind a gateway is refused', () => {
  const spec = specWith({
    realServers: [
      { address: '192.0.2.20', port: 80 },
      { address: '203.0.113.20', port: 80 },
    ],
  })
  expect(sentences(spec, director)).toEqual([
    'services[0].realServers[1].address: found "203.0.113.20", expected an address that the director reaches without a gateway: DR rewrites only the MAC',
  ])
  expect(sentences(spec, { ...director, isOnLink: () => true })).toEqual([])
})

test('a service that somebody else set up is not taken over in silence', () => {
  const context = { ...director, foreignServices: ['tcp/192.0.2.10:80'] }
  expect(sentences(specWith({}), context)).toHaveLength(1)
})

test('a kernel without IPv6 refuses each address of it by its field, and says nothing of interfaces', () => {
  const spec = specWith({
    vip: '2001:db8::10',
    dataplane: 'ipvs',
    forwarding: 'fullnat',
    scheduler: 'rr',
    localAddresses: ['2001:db8::2'],
    realServers: [{ address: '2001:db8::21', port: 80 }],
  })
  const expected = 'IPv4: this kernel has no IPv6 (it was built without, or booted with ipv6.disable=1)'
  expect(sentences(spec, { ...director, families: ['ipv4'] })).toEqual([
    `services[0].vip: found "2001:db8::10", expected ${expected}`,
    `services[0].realServers[0].address: found "2001:db8::21", expected ${expected}`,
    `services[0].localAddresses[0]: found "2001:db8::2", expected ${expected}`,
  ])
  expect(sentences(specWith({}), { ...director, families: ['ipv4'] })).toEqual([])
})
