import { expect, test } from 'vitest'
import { unreadHost } from '../../../core/diagnosis/judge.ts'
import {
  director,
  inet,
  judgeDirector,
  judgeRealServer,
  lo,
  nic,
  preparedRealServer,
  realServer,
  request,
  row,
  vip,
} from './hosts.ts'

const live = { ...request, isLive: true }
const withVip = [
  lo(),
  nic('eth0', null, { mac: '02:00:00:00:00:02', addresses: [inet('192.0.2.2/24'), inet(`${vip}/32`)] }),
]

test('a fresh director passes every row', () => {
  expect(Object.fromEntries(judgeDirector(director()).map(({ rule, status }) => [rule, status]))).toEqual({
    V1: 'ok',
    V2: 'ok',
    DR1: 'ok',
    DR2: 'ok',
    DR7: 'ok',
    'D16-btf': 'ok',
    'D16-bpffs': 'ok',
    'D16-jit': 'ok',
    'D16-programs': 'ok',
  })
})

test('a VIP that the director carries already is refused, allowed with a warning, and never the way SSH came in', () => {
  const facts = director({ interfaces: withVip })
  expect(row(judgeDirector(facts), 'V1')).toMatchObject({ status: 'missing', cause: 'ownAddress' })
  const allowed = { request: { ...request, allowOwnAddress: true } }
  expect(row(judgeDirector(facts, allowed), 'V1')).toMatchObject({ status: 'warning', cause: 'ownAddressAllowed' })
  const lockedOut = director({ interfaces: withVip, extra: { sshServerAddress: vip } })
  expect(row(judgeDirector(lockedOut, allowed), 'V1')).toMatchObject({ status: 'missing', cause: 'managementAddress' })
})

test('a VIP must be a host address of a connected network', () => {
  const judged = (address: string, interfaces = [lo(), nic('eth0', '192.0.2.2/24')]) =>
    row(judgeDirector(director({ interfaces }), { request: { ...request, vip: address } }), 'V2')
  expect(judged('192.0.2.200').status).toBe('ok')
  expect(judged('198.51.100.5')).toMatchObject({ status: 'missing', cause: 'noNetwork', found: 'eth0 192.0.2.2/24' })
  expect(judged('192.0.2.255')).toMatchObject({ status: 'missing', cause: 'broadcastAddress' })
  expect(judged('192.0.2.0')).toMatchObject({ status: 'missing', cause: 'networkAddress' })
  expect(judged('192.0.2.0', [lo(), nic('eth0', '192.0.2.1/31')]).status).toBe('ok')
})

test('once live, the director must carry the VIP where its announcement needs it', () => {
  const judged = (interfaces: ReturnType<typeof nic>[], announce: 'arp' | 'route') =>
    row(judgeDirector(director({ interfaces }), { request: { ...live, announce } }), 'D04')
  const onLo = [lo(inet(`${vip}/32`)), nic('eth0', '192.0.2.2/24')]
  expect(judged(withVip, 'arp')).toMatchObject({ status: 'ok', found: `eth0 ${vip}/32`, expected: `${vip} on eth0` })
  expect(judged(onLo, 'arp')).toMatchObject({ status: 'missing', cause: 'elsewhere' })
  expect(judged(onLo, 'route').status).toBe('ok')
  expect(judged([lo(), nic('eth0', '192.0.2.2/24')], 'arp')).toMatchObject({ status: 'missing', cause: 'absent' })
})

test('rows that do not apply are left out', () => {
  const rules = (change: Partial<typeof request>) =>
    judgeDirector(director({ interfaces: withVip }), { request: { ...live, ...change } }).map(({ rule }) => rule)
  expect(rules({})).not.toContain('V1')
  expect(rules({ announce: 'none' })).not.toContain('D04')
  expect(rules({ announce: 'route' })).not.toContain('DR7')
})

test('a real server behind a gateway is named', () => {
  const facts = director({
    routes: {
      '192.0.2.11': { kind: 'unicast', gateway: null, interface: 'eth0', source: null },
      '192.0.2.12': { kind: 'unicast', gateway: '192.0.2.1', interface: 'eth0', source: null },
    },
  })
  expect(row(judgeDirector(facts), 'DR1')).toMatchObject({
    status: 'missing',
    cause: 'gateway',
    found: '192.0.2.12 via 192.0.2.1',
    params: { servers: '192.0.2.12' },
  })
})

test('a route that was not asked for is unknown, not on-link', () => {
  expect(row(judgeDirector(director({ routes: {} })), 'DR1')).toMatchObject({
    status: 'unknown',
    found: 'not read: ip route get 192.0.2.11',
  })
})

test('another port on a real server is refused', () => {
  const realServers = [{ address: '192.0.2.11', port: 8080 }]
  expect(row(judgeDirector(director(), { request: { ...request, realServers } }), 'DR2')).toMatchObject({
    status: 'missing',
    found: '192.0.2.11:8080',
  })
})

const answered = (...macs: string[]) => ({ kind: 'answers', interface: 'eth0', macs }) as const

test('who answers ARP for the VIP is named by the MACs of the real servers', () => {
  const realServers = new Map([['192.0.2.11', realServer()]])
  expect(row(judgeDirector(director(), { realServers, arp: answered('02:00:00:00:00:11') }), 'DR7')).toMatchObject({
    status: 'missing',
    cause: 'realServer',
    found: '02:00:00:00:00:11 answers: 192.0.2.11',
    params: { servers: '192.0.2.11' },
  })
})

test("without SSH to the real server its MAC is known from the director's neighbour table", () => {
  const neighbours = [
    { address: vip, mac: '02:00:00:00:00:12', interface: 'eth0', state: 'STALE' },
    { address: '192.0.2.12', mac: '02:00:00:00:00:12', interface: 'eth0', state: 'STALE' },
  ]
  const finding = row(judgeDirector(director({ neighbours }), { arp: answered('02:00:00:00:00:12') }), 'DR7')
  expect(finding).toMatchObject({ cause: 'realServer', params: { servers: '192.0.2.12' } })
})

test('an answer from a stranger means that the address is taken, one from another interface of the director is named too', () => {
  expect(row(judgeDirector(director(), { arp: answered('02:00:00:00:00:99') }), 'DR7')).toMatchObject({
    status: 'missing',
    cause: 'stranger',
    params: { macs: '02:00:00:00:00:99' },
  })
  const interfaces = [...withVip, nic('eth1', '203.0.113.2/24', { mac: '02:00:00:00:00:03' })]
  const finding = row(
    judgeDirector(director({ interfaces }), { request: live, arp: answered('02:00:00:00:00:03') }),
    'DR7',
  )
  expect(finding).toMatchObject({ cause: 'director', params: { interface: 'eth1' } })
})

test('an ARP question that could not be asked is unknown, with the reason', () => {
  const finding = row(
    judgeDirector(director(), { arp: { kind: 'notAsked', reason: 'the director is not connected' } }),
    'DR7',
  )
  expect(finding.status).toBe('unknown')
  expect(finding.found).toContain('the director is not connected')
})

test('what the eBPF dataplane needs is read, and what cannot be read is unknown', () => {
  const judged = (extra: Record<string, string>, settings = {}) => judgeDirector(director({ extra, settings }))
  expect(row(judged({ btf: 'no' }), 'D16-btf').status).toBe('missing')
  expect(row(judged({ bpffs: 'no' }), 'D16-bpffs').status).toBe('missing')
  expect(row(judged({}, { 'net.core.bpf_jit_enable': 1 }), 'D16-jit').status).toBe('ok')
  const off = row(judged({}, { 'net.core.bpf_jit_enable': 0 }), 'D16-jit')
  expect(off).toMatchObject({
    status: 'warning',
    fix: { undo: [`rm -f ${off.fix?.files[0]}`, 'sysctl -w net.core.bpf_jit_enable=0'] },
  })
  expect(row(judged({ bpfJit: 'unknown' }), 'D16-jit')).toMatchObject({
    status: 'unknown',
    found: 'not read: net.core.bpf_jit_enable',
  })
  const other = row(judged({ 'xdp:eth0': 'id 33 name xdp_drop', 'tc:eth0': 'x.o:[tc] id 7' }), 'D16-programs')
  expect(other).toMatchObject({ status: 'warning', found: 'eth0: XDP id 33 name xdp_drop; tc x.o:[tc] id 7' })
})

test('a host without any facts has unknown rows only, never ok', () => {
  const nothing = { interfaces: [], sysctls: {}, routes: {}, listeners: null, extra: {} }
  const empty = { ...director(), ...nothing }
  for (const finding of judgeDirector(empty, { arp: { kind: 'notAsked', reason: 'offline' } })) {
    // Equal ports are read from the request itself.
    if (finding.rule !== 'DR2') expect(finding.status, finding.rule).toBe('unknown')
  }
  for (const finding of judgeRealServer({ ...preparedRealServer(), ...nothing })) {
    expect(finding.status, finding.rule).toBe('unknown')
  }
})

test('without SSH every row of the role reads not checked', () => {
  const rows = unreadHost(request, '192.0.2.11', 'notChecked', 'no SSH access')
  expect(rows.map(({ rule }) => rule)).toEqual(judgeRealServer(realServer()).map(({ rule }) => rule))
  expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['notChecked']))
})
