import { describe, expect, test } from 'vitest'
import type { NatEntry, RealServerConfig, ServiceConfig, Step } from '../../../core/model/plan.ts'
import { ipvsadmCommands } from '../../../core/reconcile/ipvsadm-commands.ts'
import { natRulesetText } from '../../../core/reconcile/nat-ruleset-text.ts'

const config = (fields: Partial<ServiceConfig> = {}): ServiceConfig => ({
  vip: '192.0.2.10',
  port: 80,
  protocol: 'tcp',
  fwmark: null,
  family: 'ipv4',
  dataplane: 'ipvs',
  forwarding: 'nat',
  scheduler: 'wrr',
  schedulerFlags: [],
  persistence: null,
  onePacket: false,
  localAddresses: [],
  announce: 'arp',
  interface: 'eth0',
  check: { type: 'none' },
  ...fields,
})
const realServer = (fields: Partial<RealServerConfig> = {}): RealServerConfig => ({
  address: '10.0.0.2',
  port: 8080,
  weight: 3,
  state: 'enabled',
  forwarding: 'nat',
  tunnel: null,
  upperThreshold: 0,
  lowerThreshold: 0,
  ...fields,
})
const web = 'tcp/192.0.2.10:80'
const ofIpvs = [
  { vip: '192.0.2.10', dataplane: 'ipvs' },
  { vip: '2001:db8::10', dataplane: 'ipvs' },
] as const
const typed = (...steps: Step[]) => ipvsadmCommands(steps, ofIpvs).map(({ text }) => text)
const added = (service: string, fields: Partial<ServiceConfig>) =>
  typed({ kind: 'service.add', service, after: config(fields) })
const placed = (fields: Partial<RealServerConfig>, service = web) =>
  typed({ kind: 'realServer.add', service, dataplane: 'ipvs', after: realServer(fields) })

/** One step of each kind, with what an operator would type for it. */
const examples: Record<Step['kind'], readonly [Step, readonly string[]]> = {
  'module.load': [{ kind: 'module.load', module: 'ip_vs' }, ['modprobe ip_vs']],
  'module.unload': [
    { kind: 'module.unload', module: 'ip_vs' },
    [`modprobe -r $(awk '/^ip_vs_/ { print $1 }' /proc/modules) ip_vs`],
  ],
  'setting.set': [
    {
      kind: 'setting.set',
      name: 'net.ipv4.vs.sync_threshold',
      before: '3 50',
      after: '0 50',
      wasOurs: false,
      isOurs: true,
    },
    ["sysctl -w 'net.ipv4.vs.sync_threshold=0 50'"],
  ],
  'nat.set': [
    { kind: 'nat.set', before: [], after: [] },
    [
      "nft -f - <<'EOF'\nadd table ip signalbox_fullnat\ndelete table ip signalbox_fullnat\nadd table ip6 signalbox_fullnat\ndelete table ip6 signalbox_fullnat\nEOF",
    ],
  ],
  'sync.start': [
    {
      kind: 'sync.start',
      daemon: { role: 'master', interface: 'eth1', syncId: 7, group: '224.0.0.82', port: 8848, ttl: 1 },
    },
    [
      'ipvsadm --start-daemon master --mcast-interface eth1 --syncid 7 --mcast-group 224.0.0.82 --mcast-port 8848 --mcast-ttl 1',
    ],
  ],
  'sync.stop': [
    { kind: 'sync.stop', daemon: { role: 'backup', interface: 'eth1', syncId: 7, port: 8848, ttl: 1 } },
    ['ipvsadm --stop-daemon backup'],
  ],
  'dataplane.attach': [{ kind: 'dataplane.attach', interface: 'eth0' }, []],
  'dataplane.detach': [{ kind: 'dataplane.detach', interface: 'eth0' }, []],
  'service.adopt': [{ kind: 'service.adopt', service: web, config: config(), realServers: [realServer()] }, []],
  'service.release': [{ kind: 'service.release', service: web, config: config(), realServers: [realServer()] }, []],
  'service.add': [{ kind: 'service.add', service: web, after: config() }, ['ipvsadm -A -t 192.0.2.10:80 -s wrr']],
  'service.change': [
    { kind: 'service.change', service: web, before: config(), after: config({ scheduler: 'mh' }) },
    ['ipvsadm -E -t 192.0.2.10:80 -s mh'],
  ],
  'service.remove': [{ kind: 'service.remove', service: web, before: config() }, ['ipvsadm -D -t 192.0.2.10:80']],
  'realServer.add': [
    { kind: 'realServer.add', service: web, dataplane: 'ipvs', after: realServer() },
    ['ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 3'],
  ],
  'realServer.change': [
    {
      kind: 'realServer.change',
      service: web,
      dataplane: 'ipvs',
      before: realServer(),
      after: realServer({ state: 'drain' }),
    },
    ['ipvsadm -e -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 0'],
  ],
  'realServer.remove': [
    { kind: 'realServer.remove', service: web, dataplane: 'ipvs', before: realServer() },
    ['ipvsadm -d -t 192.0.2.10:80 -r 10.0.0.2:8080'],
  ],
  'drain.wait': [
    {
      kind: 'drain.wait',
      seconds: 10,
      realServers: [{ service: web, dataplane: 'ipvs', realServer: '10.0.0.2:8080' }],
    },
    ['sleep 10'],
  ],
  'vip.raise': [
    { kind: 'vip.raise', address: '192.0.2.10', interface: 'eth0', announce: 'arp' },
    ['ip address add 192.0.2.10/32 dev eth0', 'arping -U -c 2 -I eth0 192.0.2.10'],
  ],
  'vip.lower': [
    { kind: 'vip.lower', address: '192.0.2.10', interface: 'eth0', announce: 'arp' },
    ['ip address del 192.0.2.10/32 dev eth0'],
  ],
}

test.each(Object.values(examples).map(([step, lines]) => [step.kind, step, lines] as const))(
  'what is typed for %s',
  (_kind, step, lines) => {
    expect(typed(step)).toEqual(lines)
  },
)

test('the commands are for the director, and say that they are not ours', () => {
  expect(ipvsadmCommands([{ kind: 'module.load', module: 'ip_vs' }], [])).toEqual([
    { host: 'director', kind: 'ipvsadm', text: 'modprobe ip_vs' },
  ])
})

describe('a service', () => {
  test('of UDP, SCTP and IPv6 has its own option and brackets', () => {
    expect(added('udp/[2001:db8::10]:53', { protocol: 'udp', family: 'ipv6', onePacket: true })).toEqual([
      "ipvsadm -A -u '[2001:db8::10]:53' -s wrr -o",
    ])
    expect(added('sctp/192.0.2.10:9', { protocol: 'sctp' })).toEqual(['ipvsadm -A --sctp-service 192.0.2.10:9 -s wrr'])
  })

  test('by mark names the mark, and IPv6 where it is', () => {
    expect(added('fwmark/7/ipv4', {})).toEqual(['ipvsadm -A -f 7 -s wrr'])
    expect(added('fwmark/7/ipv6', { family: 'ipv6' })).toEqual(['ipvsadm -A -f 7 -6 -s wrr'])
  })

  test('with flags of its scheduler has them under the names of ipvsadm', () => {
    expect(added(web, { scheduler: 'sh', schedulerFlags: ['fallback', 'port'] })).toEqual([
      'ipvsadm -A -t 192.0.2.10:80 -s sh -b sh-fallback,sh-port',
    ])
  })

  test('with persistence has time, engine and a granularity: a mask for IPv4, a length for IPv6', () => {
    const persistence = { timeoutSec: 300, prefixLength: 24, engine: 'sip' } as const
    expect(added('udp/192.0.2.10:5060', { persistence })).toEqual([
      'ipvsadm -A -u 192.0.2.10:5060 -s wrr -p 300 -M 255.255.255.0 --pe sip',
    ])
    expect(
      added('tcp/[2001:db8::10]:80', { family: 'ipv6', persistence: { timeoutSec: 60, prefixLength: 64 } }),
    ).toEqual(["ipvsadm -A -t '[2001:db8::10]:80' -s wrr -p 60 -M 64"])
  })

  test('whose check alone changes is no affair of IPVS', () => {
    const after = config({ check: { type: 'tcp', intervalMs: 500, timeoutMs: 400, rise: 2, fall: 2 } })
    expect(typed({ kind: 'service.change', service: web, before: config(), after })).toEqual([])
  })
})

describe('a real server', () => {
  test.each([
    ['dr', '-g'],
    ['local', '-g'],
    ['nat', '-m'],
    ['fullnat', '-m'],
    ['tun', '-i'],
  ] as const)('reached by %s has %s', (forwarding, flag) => {
    expect(placed({ forwarding })).toEqual([`ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.2:8080 ${flag} -w 3`])
  })

  test('behind a tunnel has its type, port and checksum; IPIP needs no word', () => {
    const head = 'ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.2:8080 -i'
    expect(placed({ forwarding: 'tun', tunnel: { type: 'gue', port: 6080, checksum: 'remcsum' } })).toEqual([
      `${head} --tun-type gue --tun-port 6080 --tun-remcsum -w 3`,
    ])
    expect(placed({ forwarding: 'tun', tunnel: { type: 'gre', checksum: 'csum' } })).toEqual([
      `${head} --tun-type gre --tun-csum -w 3`,
    ])
    expect(placed({ forwarding: 'tun', tunnel: { type: 'ipip', checksum: 'nocsum' } })).toEqual([`${head} -w 3`])
  })

  test('has its thresholds, and brackets around IPv6', () => {
    const fields = { address: '2001:db8::21', port: 53, upperThreshold: 500, lowerThreshold: 400 }
    expect(placed(fields, 'udp/[2001:db8::10]:53')).toEqual([
      "ipvsadm -a -u '[2001:db8::10]:53' -r '[2001:db8::21]:53' -m -w 3 -x 500 -y 400",
    ])
  })

  test('that goes from drained to offline stays as it is in IPVS', () => {
    const [before, after] = [realServer({ state: 'drain' }), realServer({ state: 'offline' })]
    expect(typed({ kind: 'realServer.change', service: web, dataplane: 'ipvs', before, after })).toEqual([])
  })
})

test('a timeout leaves the other two as they are', () => {
  const set = (name: string): Step => ({
    kind: 'setting.set',
    name,
    before: '900',
    after: '600',
    wasOurs: false,
    isOurs: true,
  })
  expect(typed(set('ipvs.timeout.tcp'), set('ipvs.timeout.tcpfin'), set('ipvs.timeout.udp'))).toEqual([
    'ipvsadm --set 600 0 0',
    'ipvsadm --set 0 600 0',
    'ipvsadm --set 0 0 600',
  ])
})

test('an IPv6 VIP is raised without duplicate address detection, and never as a source', () => {
  expect(typed({ kind: 'vip.raise', address: '2001:db8::10', interface: 'eth0', announce: 'arp' })).toEqual([
    'ip address add 2001:db8::10/128 dev eth0 preferred_lft 0 nodad',
  ])
})

test('the module goes last, after settings that go with it; one whose former value is unknown is left', () => {
  const back = (name: string, after: string): Step => ({
    kind: 'setting.set',
    name,
    before: '1',
    after,
    wasOurs: true,
    isOurs: false,
  })
  const unload: Step = { kind: 'module.unload', module: 'ip_vs' }
  const lines = typed(unload, back('net.ipv4.vs.conntrack', '0'), back('net.ipv4.vs.sync_threshold', ''))
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['sysctl', 'modprobe'])
})

test('what the eBPF dataplane does has no such words, its VIP neither', () => {
  const steps: Step[] = [
    { kind: 'service.add', service: web, after: config({ dataplane: 'ebpf', forwarding: 'dr', scheduler: 'mh' }) },
    { kind: 'realServer.add', service: web, dataplane: 'ebpf', after: realServer({ forwarding: 'dr' }) },
    { kind: 'vip.raise', address: '192.0.2.10', interface: 'eth0', announce: 'arp' },
  ]
  expect(ipvsadmCommands(steps, [{ vip: '192.0.2.10', dataplane: 'ebpf' }])).toEqual([])
})

test("FullNAT's table: one rule for each protocol and pool of local addresses, in a table of its family", () => {
  const entry = (fields: Partial<NatEntry>): NatEntry => ({
    family: 'ipv4',
    protocol: 'tcp',
    vip: '192.0.2.10',
    port: 80,
    address: '10.0.0.2',
    realPort: 8080,
    localAddresses: [],
    ...fields,
  })
  const text = natRulesetText([
    entry({}),
    entry({ address: '10.0.0.3', localAddresses: ['10.0.0.9', '10.0.0.1'] }),
    entry({ protocol: 'udp', vip: '192.0.2.11', port: 0, address: '10.0.0.4', realPort: 0 }),
    entry({ family: 'ipv6', vip: '2001:db8::10', address: '2001:db8::21', localAddresses: ['2001:db8::2'] }),
  ])
  const told = (line: string) => /^(?:add|delete|table)|^ {4}meta|^ {6}/.test(line)
  expect(text.split('\n').filter(told)).toEqual([
    'add table ip signalbox_fullnat',
    'delete table ip signalbox_fullnat',
    'table ip signalbox_fullnat {',
    '      192.0.2.10 . 80 . 10.0.0.2 . 8080',
    '      192.0.2.10 . 80 . 10.0.0.3 . 8080',
    '      192.0.2.11 . 10.0.0.4',
    '    meta l4proto tcp ct original ip daddr . ct original proto-dst . ip daddr . th dport @tcp0 masquerade',
    '    meta l4proto tcp ct original ip daddr . ct original proto-dst . ip daddr . th dport @tcp1 snat to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.9 }',
    '    meta l4proto udp ct original ip daddr . ip daddr @udp2 masquerade',
    'add table ip6 signalbox_fullnat',
    'delete table ip6 signalbox_fullnat',
    'table ip6 signalbox_fullnat {',
    '      2001:db8::10 . 80 . 2001:db8::21 . 8080',
    '    meta l4proto tcp ct original ip6 daddr . ct original proto-dst . ip6 daddr . th dport @tcp0 snat to 2001:db8::2',
  ])
})
