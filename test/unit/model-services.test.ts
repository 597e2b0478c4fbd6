import { expect, test } from 'vitest'
import { parseClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue } from '../../core/model/issue.ts'
import { serviceAddress, serviceKey } from '../../core/model/service.ts'

const realServer = (address: string, more = {}) => ({ address, port: 80, ...more })
const web = (more = {}) => ({
  name: 'web',
  vip: '192.0.2.10',
  port: 80,
  dataplane: 'ipvs',
  forwarding: 'nat',
  scheduler: 'rr',
  realServers: [realServer('192.0.2.21')],
  ...more,
})
const specOf = (service: unknown, more = {}) => ({
  apiVersion: 'signalbox/v1',
  name: 'edge',
  services: [service],
  ...more,
})
const errorsOf = (input: unknown) => {
  const parsed = parseClusterSpec(input)
  return parsed.ok ? [] : parsed.issues.map(formatIssue)
}
const parsedService = (input: unknown) => {
  const parsed = parseClusterSpec(specOf(input))
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value.services[0]!
}

test.each([
  ['NAT to another port', web({ realServers: [realServer('192.0.2.21', { port: 8080 })] })],
  ['a Tunnel by GUE', web({ forwarding: 'tun', tunnel: { type: 'gue', port: 6080, checksum: 'csum' } })],
  ['an IPv6 service in capitals', web({ vip: '2001:DB8::10', realServers: [realServer('2001:db8::21')] })],
  [
    'an IPv4 VIP with an IPv6 real server behind a tunnel',
    web({ forwarding: 'tun', realServers: [realServer('2001:db8::21')] }),
  ],
  [
    'every port, with persistence',
    web({ port: 0, persistence: { timeoutSec: 300 }, realServers: [realServer('192.0.2.21', { port: 0 })] }),
  ],
  [
    'a fwmark',
    {
      ...web({
        vip: undefined,
        port: undefined,
        fwmark: 7,
        family: 'ipv6',
        realServers: [realServer('2001:db8::21', { port: 0 })],
      }),
    },
  ],
  ['UDP packet by packet', web({ protocol: 'udp', onePacket: true })],
  ['sh with both flags', web({ scheduler: 'sh', schedulerFlags: ['fallback', 'port'] })],
  ['FullNAT with local addresses', web({ forwarding: 'fullnat', localAddresses: ['192.0.2.2', '192.0.2.3'] })],
  [
    'one real server on the director itself',
    web({ realServers: [realServer('192.0.2.2', { forwarding: 'local' }), realServer('192.0.2.21')] }),
  ],
  [
    'a SIP service',
    web({
      protocol: 'udp',
      port: 5060,
      realServers: [realServer('192.0.2.21', { port: 5060 })],
      persistence: { timeoutSec: 60, engine: 'sip' },
    }),
  ],
  ['thresholds', web({ realServers: [realServer('192.0.2.21', { upperThreshold: 100, lowerThreshold: 80 })] })],
])('IPVS takes %s', (_what, service) => {
  expect(errorsOf(specOf(service))).toEqual([])
})

test.each([
  [
    'a method that eBPF lacks',
    web({ dataplane: 'ebpf', scheduler: 'mh', forwarding: 'fullnat' }),
    'services[0].forwarding: found "fullnat", expected dr, nat, tun: that is what the ebpf dataplane offers in this version',
  ],
  [
    'GUE without a port',
    web({ forwarding: 'tun', tunnel: { type: 'gue' } }),
    'services[0].tunnel.port: found nothing, expected the UDP port of the GUE tunnel, from 1 to 65535',
  ],
  [
    'a tunnel that nothing goes through',
    web({ tunnel: { type: 'ipip' } }),
    'services[0].tunnel: found {"type":"ipip"}, expected left out: only the forwarding method tun has a tunnel',
  ],
  [
    'another family without a tunnel',
    web({ realServers: [realServer('2001:db8::21')] }),
    'services[0].realServers[0].address: found "2001:db8::21", expected an address of the virtual service\'s family, ipv4: only tunnels mix families',
  ],
  [
    'every port without persistence',
    web({ port: 0, realServers: [realServer('192.0.2.21', { port: 0 })] }),
    'services[0].port: found 0, expected a port from 1 to 65535, or persistence: a service of every port needs it',
  ],
  [
    'a fwmark with a VIP',
    web({ fwmark: 7 }),
    'services[0].vip: found "192.0.2.10", expected nothing: a service by fwmark has no vip',
  ],
  [
    'a family where the VIP tells it',
    web({ family: 'ipv4' }),
    'services[0].family: found "ipv4", expected nothing: only a service by fwmark names its family',
  ],
  [
    'one-packet TCP',
    web({ onePacket: true }),
    'services[0].onePacket: found true, expected left out: one-packet scheduling is for UDP or fwmark services',
  ],
  [
    'flags that rr does not read',
    web({ schedulerFlags: ['port'] }),
    'services[0].schedulerFlags: found ["port"], expected no flag: the scheduler rr reads none',
  ],
  [
    'a prefix that is too long',
    web({ persistence: { timeoutSec: 60, prefixLength: 64 } }),
    'services[0].persistence.prefixLength: found 64, expected a prefix length from 1 to 32',
  ],
  [
    'local addresses without FullNAT',
    web({ localAddresses: ['192.0.2.2'] }),
    'services[0].localAddresses: found ["192.0.2.2"], expected left out: only FullNAT has local addresses',
  ],
  [
    'FullNAT by fwmark',
    {
      ...web({
        vip: undefined,
        port: undefined,
        fwmark: 7,
        forwarding: 'fullnat',
        realServers: [realServer('192.0.2.21', { port: 0 })],
      }),
    },
    'services[0].forwarding: found "fullnat", expected a method other than fullnat: a service by fwmark has no VIP to tell its connections by',
  ],
  [
    'a lower threshold above the upper',
    web({ realServers: [realServer('192.0.2.21', { upperThreshold: 5, lowerThreshold: 9 })] }),
    'services[0].realServers[0].lowerThreshold: found 9, expected at most the upper threshold, 5',
  ],
  [
    'a link-local VIP',
    web({ vip: 'fe80::1' }),
    'services[0].vip: found "fe80::1", expected a unicast address that one host can own, not a link-local address',
  ],
  [
    'a VIP with a zone',
    web({ vip: 'fe80::1%eth0' }),
    'services[0].vip: found "fe80::1%eth0", expected an IPv4 or IPv6 address such as 192.0.2.10 or 2001:db8::10',
  ],
])('%s is refused with field, found and expected', (_what, service, sentence) => {
  expect(errorsOf(specOf(service))).toContain(sentence)
})

test('an address has one text, so that the same service is the same service', () => {
  const service = parsedService(web({ vip: '2001:0DB8:0:0::10', realServers: [realServer('2001:DB8::0:21')] }))
  expect(serviceKey(service)).toBe('tcp/[2001:db8::10]:80')
  expect(service.realServers[0]?.address).toBe('2001:db8::21')
  expect(serviceAddress(service)).toBe('[2001:db8::10]:80')
})

test('a check is made where there is a TCP port to check, and nowhere else by default', () => {
  expect(parsedService(web()).check.type).toBe('tcp')
  expect(parsedService(web({ protocol: 'udp' })).check.type).toBe('none')
  const everyPort = web({
    port: 0,
    persistence: { timeoutSec: 60 },
    realServers: [realServer('192.0.2.21', { port: 0 })],
  })
  expect(parsedService(everyPort).check.type).toBe('none')
})

test('the sync daemon excludes real servers of another family, as the kernel does', () => {
  const service = web({ forwarding: 'tun', realServers: [realServer('2001:db8::21')] })
  const sync = { interface: 'eth0', syncId: 7 }
  expect(errorsOf(specOf(service, { ipvs: { sync } }))).toEqual([
    'services[0].realServers[0].address: found "2001:db8::21", expected an address of the virtual service\'s family, ipv4: the sync daemon refuses mixed families',
  ])
})

test.each([
  [
    'a sysctl that may not be set',
    { sysctls: { debug_level: 3 } },
    /ipvs\.sysctls\.debug_level: found 3, expected one of the known fields/,
  ],
  [
    'a value that the sysctl does not take',
    { sysctls: { sync_ports: 3 } },
    /ipvs\.sysctls\.sync_ports: found 3, expected a whole number/,
  ],
  [
    'a timeout of 0',
    { timeouts: { tcpSec: 0 } },
    /ipvs\.timeouts\.tcpSec: found 0, expected a time from 1 to 2678400 s/,
  ],
  [
    'a sync id of 300',
    { sync: { interface: 'eth0', syncId: 300 } },
    /ipvs\.sync\.syncId: found 300, expected a whole number from 0 to 255/,
  ],
  [
    'a group that is no group',
    { sync: { interface: 'eth0', syncId: 3, group: '192.0.2.1' } },
    /ipvs\.sync\.group: found "192\.0\.2\.1", expected a multicast address/,
  ],
])('%s is refused by field, found and expected', (_what, ipvs, sentence) => {
  expect(errorsOf(specOf(web(), { ipvs })).join('\n')).toMatch(sentence)
})
