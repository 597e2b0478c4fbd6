import { expect, test } from 'vitest'
import { parseClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue } from '../../core/model/issue.ts'

const realServer = (address: string, more = {}) => ({ address, port: 80, ...more })
const web = (more = {}) => ({
  name: 'web',
  vip: '192.0.2.10',
  port: 80,
  realServers: [realServer('192.0.2.21'), realServer('192.0.2.22')],
  ...more,
})
const specOf = (...services: unknown[]) => ({ apiVersion: 'signalbox/v1', name: 'edge', services })
const errorsOf = (input: unknown) => {
  const parsed = parseClusterSpec(input)
  return parsed.ok ? [] : parsed.issues.map(formatIssue)
}

test('a minimal service gets the defaults of its mode', () => {
  const parsed = parseClusterSpec(specOf(web()))
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      services: [
        {
          protocol: 'tcp',
          dataplane: 'ebpf',
          forwarding: 'dr',
          scheduler: 'mh',
          announce: 'arp',
          check: { type: 'tcp' },
        },
      ],
    },
  })
})

test.each([
  [
    'port 70000',
    web({ port: 70000 }),
    'services[0].port: found 70000, expected a whole number from 1 to 65535, or 0 for every port',
  ],
  [
    'port as text',
    web({ port: '80' }),
    'services[0].port: found "80", expected a whole number from 1 to 65535, or 0 for every port',
  ],
  [
    'VIP not an address',
    web({ vip: '10.1.2' }),
    'services[0].vip: found "10.1.2", expected an IPv4 or IPv6 address such as 192.0.2.10 or 2001:db8::10',
  ],
  [
    'multicast VIP',
    web({ vip: '224.0.0.81' }),
    'services[0].vip: found "224.0.0.81", expected a unicast address that one host can own, not a multicast address',
  ],
  [
    'VIP equal to a real server',
    web({ realServers: [realServer('192.0.2.10')] }),
    'services[0].realServers[0].address: found "192.0.2.10", expected an address other than the VIP',
  ],
  [
    'a real server twice',
    web({ realServers: [realServer('192.0.2.21'), realServer('192.0.2.21')] }),
    'services[0].realServers[1].address: found "192.0.2.21", expected each real server once; it stands already at realServers[0]',
  ],
  [
    'DR with another port',
    web({ realServers: [realServer('192.0.2.21', { port: 8080 })] }),
    'services[0].realServers[0].port: found 8080, expected the port of the virtual service, 80: only NAT and FullNAT translate ports',
  ],
  [
    'a forwarding method named constructor',
    web({ forwarding: 'constructor' }),
    'services[0].forwarding: found "constructor", expected dr, nat, tun, fullnat or local',
  ],
  [
    'a timeout longer than the interval',
    web({ check: { type: 'tcp', intervalMs: 500, timeoutMs: 800 } }),
    'services[0].check.timeoutMs: found 800, expected at most the interval, 500 ms',
  ],
  ['an unknown check', web({ check: { type: 'ping' } }), 'services[0].check.type: found "ping", expected tcp or none'],
  ['a missing VIP', web({ vip: undefined }), 'services[0].vip: found nothing, expected a value; the field is missing'],
  [
    'a weight below 0',
    web({ realServers: [realServer('192.0.2.21', { weight: -1 })] }),
    'services[0].realServers[0].weight: found -1, expected a whole number from 0 to 65535',
  ],
  [
    'a real server that is no mapping',
    web({ realServers: ['192.0.2.21'] }),
    'services[0].realServers[0]: found "192.0.2.21", expected a mapping of fields to values',
  ],
])('%s is refused with field, found and expected', (_what, service, sentence) => {
  expect(errorsOf(specOf(service))).toEqual([sentence])
})

test('an unknown field is refused with the fields that exist', () => {
  expect(errorsOf(specOf(web({ vpi: '192.0.2.11' })))).toEqual([
    expect.stringMatching(
      /^services\[0\]\.vpi: found "192\.0\.2\.11", expected one of the known fields: name, vip, port,/,
    ),
  ])
})

test('an own key of an object prototype is not a field', () => {
  expect(
    errorsOf(JSON.parse('{"apiVersion":"signalbox/v1","name":"x","services":[],"__proto__":{"a":1}}')),
  ).toHaveLength(1)
})

test('an empty document says so', () => {
  expect(errorsOf(null)).toEqual(['document: found nothing, expected a document; the file is empty'])
})

test('a VIP that is a real server of another service is refused at the VIP', () => {
  expect(
    errorsOf(
      specOf(
        web(),
        web({ name: 'mail', vip: '192.0.2.21', port: 25, realServers: [realServer('192.0.2.30', { port: 25 })] }),
      ),
    ),
  ).toEqual([
    'services[1].vip: found "192.0.2.21", expected an address other than that of a real server (services[0].realServers[0])',
  ])
})

test('the same VIP and port twice is refused, another port is not', () => {
  expect(errorsOf(specOf(web(), web({ name: 'two' })))).toEqual([
    'services[1].port: found 80, expected each VIP, protocol and port once; it stands already at services[0]',
  ])
  expect(
    errorsOf(specOf(web(), web({ name: 'two', port: 443, realServers: [realServer('192.0.2.21', { port: 443 })] }))),
  ).toEqual([])
})
