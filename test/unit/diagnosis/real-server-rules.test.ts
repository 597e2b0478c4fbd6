import { expect, test } from 'vitest'
import { director, inet, judgeRealServer, lo, nic, preparedRealServer, realServer, row, vip } from './hosts.ts'

const statuses = (facts: Parameters<typeof judgeRealServer>[0]) =>
  Object.fromEntries(judgeRealServer(facts).map(({ rule, status }) => [rule, status]))

test('a real server that was never prepared lacks the VIP and both ARP settings, and nothing else', () => {
  expect(statuses(realServer())).toEqual({
    RS1: 'ok',
    DR4: 'missing',
    DR5: 'missing',
    DR6: 'missing',
    DR8: 'ok',
    DR9: 'ok',
    DR10: 'ok',
  })
})

test('a prepared real server passes every row', () => {
  expect(new Set(Object.values(statuses(preparedRealServer())))).toEqual(new Set(['ok']))
})

// DIAGNOSIS §1, the table of ARP requests for a VIP on lo: [all, NIC, lo] → is it answered?
test.each([
  [0, 0, 0, true],
  [0, 0, 1, true],
  [0, 1, 0, false],
  [1, 0, 0, false],
  [0, 2, 0, false],
  [2, 1, 0, false],
  [0, 3, 0, true],
  [0, 8, 0, true], // not answered, but neither is the RIP
])('arp_ignore all=%i NIC=%i lo=%i', (all, own, loopback, isMissing) => {
  const settings = { 'all.arp_ignore': all, 'eth0.arp_ignore': own, 'lo.arp_ignore': loopback }
  const finding = row(judgeRealServer(preparedRealServer({ settings })), 'DR5')
  expect(finding.status).toBe(isMissing ? 'missing' : 'ok')
  expect(finding.found).toContain(`all=${all} eth0=${own}, effective ${Math.max(all, own)}`)
})

test('arp_ignore on lo is named as a setting without effect', () => {
  const settings = { 'all.arp_ignore': 0, 'lo.arp_ignore': 1 }
  const finding = row(judgeRealServer(preparedRealServer({ settings })), 'DR5')
  expect(finding).toMatchObject({ status: 'missing', cause: 'onlyOnLo' })
  expect(finding.found).toBe('all=0 eth0=0, effective 0; lo=1 has no effect')
})

// 1 is not enough: the VIP lies in the subnet of the interface, so the kernel takes it as sender (netns trial).
test.each([
  [0, 0, 'missing'],
  [1, 0, 'missing'],
  [0, 1, 'missing'],
  [2, 0, 'ok'],
  [0, 2, 'ok'],
])('arp_announce all=%i NIC=%i is %s', (all, own, status) => {
  const settings = { 'all.arp_announce': all, 'eth0.arp_announce': own }
  expect(row(judgeRealServer(preparedRealServer({ settings })), 'DR6').status).toBe(status)
})

test('arp_ignore is fixed for all interfaces, and lowered on one where it is too high', () => {
  const settings = { 'all.arp_ignore': 0, 'eth0.arp_ignore': 8 }
  const { fix } = row(judgeRealServer(preparedRealServer({ settings })), 'DR5')
  expect(fix?.commands.slice(0, 2)).toEqual([
    'sysctl -w net.ipv4.conf.all.arp_ignore=1',
    'sysctl -w net.ipv4.conf.eth0.arp_ignore=1',
  ])
  expect(fix?.undo.slice(1)).toEqual([
    'sysctl -w net.ipv4.conf.eth0.arp_ignore=8',
    'sysctl -w net.ipv4.conf.all.arp_ignore=0',
  ])
})

test('ARP settings are judged on interfaces in the network of the VIP, not on a management interface', () => {
  const interfaces = [
    lo(inet(`${vip}/32`)),
    nic('eth0', '192.0.2.11/24'),
    nic('mgmt0', '198.18.0.11/24'),
    nic('eth1', null),
    nic('eth2', null, { isUp: false }),
    nic('eth3', null, { master: 'bond0' }),
    nic('dummy0', null, { isNoArp: true }),
  ]
  const settings = { 'all.arp_ignore': 0, 'eth0.arp_ignore': 1 }
  const finding = row(judgeRealServer(preparedRealServer({ interfaces, settings })), 'DR5')
  // eth1 has no address: nobody can tell which network it is in.
  expect(finding).toMatchObject({ status: 'missing', params: { interfaces: 'eth1' } })
  expect(finding.found).toBe('all=0 eth0=1, effective 1; all=0 eth1=0, effective 0')
})

test('a VLAN interface is written with slashes, since its name has a dot', () => {
  const interfaces = [lo(inet(`${vip}/32`)), nic('eth0.10', '192.0.2.11/24')]
  const settings = { 'all.arp_ignore': 0, 'eth0.10.arp_ignore': 4 }
  const { fix } = row(judgeRealServer(preparedRealServer({ interfaces, settings })), 'DR5')
  expect(fix?.commands[1]).toBe('sysctl -w net/ipv4/conf/eth0.10/arp_ignore=1')
  expect(fix?.undo.at(-2)).toBe('sysctl -w net/ipv4/conf/eth0.10/arp_ignore=4')
})

test('a wider prefix on lo is named with the network that it swallows, and replaced', () => {
  const finding = row(
    judgeRealServer(preparedRealServer({ interfaces: [lo(inet(`${vip}/24`)), nic('eth0', '192.0.2.11/24')] })),
    'DR4',
  )
  expect(finding).toMatchObject({ status: 'missing', cause: 'wrongPrefix', params: { network: '192.0.2.0/24' } })
  expect(finding.fix?.commands).toEqual([`ip addr del ${vip}/24 dev lo`, `ip addr add ${vip}/32 dev lo`])
  expect(finding.fix?.undo).toEqual([`ip addr flush dev lo to ${vip}/32`, `ip addr replace ${vip}/24 dev lo`])
})

test('addresses that would go with the removed one are put back, and the label of ifconfig times too', () => {
  const interfaces = [
    lo(inet(`${vip}/24`, { label: 'lo:0', broadcast: '192.0.2.255' }), inet('192.0.2.101/24', { isSecondary: true })),
    nic('eth0', '192.0.2.11/24'),
  ]
  const { fix } = row(judgeRealServer(preparedRealServer({ interfaces })), 'DR4')
  expect(fix?.commands).toEqual([
    `ip addr del ${vip}/24 dev lo`,
    'ip addr add 192.0.2.101/24 dev lo',
    `ip addr add ${vip}/32 dev lo`,
  ])
  expect(fix?.undo).toEqual([
    `ip addr flush dev lo to ${vip}/32`,
    'ip addr flush dev lo to 192.0.2.101/32',
    `ip addr replace ${vip}/24 brd 192.0.2.255 dev lo label lo:0 && ip addr replace 192.0.2.101/24 dev lo`,
  ])
})

test('a VIP on a network interface is answered for whatever arp_ignore says, and moves to lo', () => {
  const eth0 = nic('eth0', null, { addresses: [inet('192.0.2.11/24'), inet(`${vip}/24`, { isSecondary: true })] })
  const finding = row(judgeRealServer(preparedRealServer({ interfaces: [lo(), eth0] })), 'DR4')
  expect(finding).toMatchObject({ cause: 'otherInterface', params: { interface: 'eth0' } })
  expect(finding.fix?.commands).toEqual([`ip addr del ${vip}/24 dev eth0`, `ip addr add ${vip}/32 dev lo`])
})

test("a VIP whose removal would take the host's own address along is not offered as a fix", () => {
  const eth0 = nic('eth0', null, { addresses: [inet(`${vip}/24`), inet('192.0.2.11/24', { isSecondary: true })] })
  expect(row(judgeRealServer(preparedRealServer({ interfaces: [lo(), eth0] })), 'DR4').fix).toBeNull()
})

test('the address that SSH came in by is never moved', () => {
  const eth0 = nic('eth0', null, { addresses: [inet('192.0.2.11/24'), inet(`${vip}/32`)] })
  const facts = preparedRealServer({ interfaces: [lo(), eth0], extra: { sshServerAddress: vip } })
  expect(row(judgeRealServer(facts), 'DR4')).toMatchObject({ cause: 'managementAddress', fix: null })
})

test('a VIP on a dummy device is as good as on lo', () => {
  const interfaces = [
    lo(),
    nic('dummy0', null, { isNoArp: true, addresses: [inet(`${vip}/32`)] }),
    nic('eth0', '192.0.2.11/24'),
  ]
  expect(row(judgeRealServer(preparedRealServer({ interfaces })), 'DR4').status).toBe('ok')
})

test('the VIP may be raised only after the ARP settings, and not at all where one of them is not known', () => {
  expect(row(judgeRealServer(realServer()), 'DR4').fix?.requires).toEqual(['DR5@192.0.2.11', 'DR6@192.0.2.11'])
  const half = realServer({ settings: { 'all.arp_ignore': 1 } })
  expect(row(judgeRealServer(half), 'DR4').fix?.requires).toEqual(['DR6@192.0.2.11'])
  const unread = realServer()
  delete unread.sysctls['net.ipv4.conf.eth0.arp_announce']
  expect(row(judgeRealServer(unread), 'DR4')).toMatchObject({ status: 'missing', fix: null })
})

test('where systemd runs a unit raises the VIP at boot, after the settings, and is enabled', () => {
  const { fix } = row(judgeRealServer(realServer({ extra: { systemd: 'yes' } })), 'DR4')
  const unit = `/etc/systemd/system/signalbox-vip-${vip}.service`
  expect(fix).toMatchObject({ files: [unit], survivesReboot: true })
  expect(fix?.commands[1]).toContain(`ExecStart=/usr/sbin/ip addr replace ${vip}/32 dev lo`)
  expect(fix?.commands[1]).toContain('After=systemd-sysctl.service')
  expect(fix?.commands[2]).toBe(`systemctl daemon-reload && systemctl enable signalbox-vip-${vip}.service`)
  expect(fix?.undo).toEqual([
    `rm -f /etc/systemd/system/multi-user.target.wants/signalbox-vip-${vip}.service`,
    `rm -f ${unit} && systemctl daemon-reload`,
    `ip addr flush dev lo to ${vip}/32`,
  ])
})

test('without systemd the fix says that a reboot ends it', () => {
  expect(row(judgeRealServer(realServer()), 'DR4').fix).toMatchObject({ files: [], survivesReboot: false })
  const bare = realServer({ extra: { sysctlDir: 'no' } })
  expect(row(judgeRealServer(bare), 'DR5').fix).toMatchObject({ files: [], survivesReboot: false })
})

test('settings are kept in a file of their own, and a file that was there before comes back', () => {
  const path = `/etc/sysctl.d/60-signalbox-${vip}-arp_ignore.conf`
  const { fix } = row(judgeRealServer(realServer()), 'DR5')
  expect(fix?.files).toEqual([path])
  expect(fix?.commands[1]).toBe(
    `printf '%s\\n' '# Signalbox: for the virtual service address ${vip}' 'net.ipv4.conf.all.arp_ignore = 1' > ${path}`,
  )
  expect(fix?.undo[0]).toBe(`rm -f ${path}`)
  const edited = row(judgeRealServer(realServer({ files: { [path]: '# mine\n' } })), 'DR5')
  expect(edited.fix?.undo[0]).toBe(`printf '%s\\n' '# mine' > ${path}`)
})

test('a listener is good on the VIP or on every address', () => {
  const judged = (listeners: { address: string; port: number }[] | null) =>
    row(judgeRealServer(preparedRealServer({ listeners })), 'DR8')
  expect(judged([{ address: vip, port: 80 }]).status).toBe('ok')
  expect(judged([{ address: '*', port: 80 }]).status).toBe('ok')
  expect(judged([{ address: '192.0.2.11', port: 80 }])).toMatchObject({
    status: 'missing',
    cause: 'otherAddress',
    found: '192.0.2.11:80',
  })
  expect(judged([{ address: '*', port: 8080 }])).toMatchObject({ status: 'missing', cause: 'nobody' })
  expect(judged([{ address: '::', port: 80 }])).toMatchObject({
    status: 'missing',
    cause: 'ipv6Only',
    found: '[::]:80',
  })
  expect(judged(null)).toMatchObject({ status: 'unknown', found: 'not read: /proc/net/tcp' })
})

test('the director as gateway is a warning, unless it accepts its own address as source and forwards', () => {
  const facts = preparedRealServer({
    routes: { default: { kind: 'unicast', gateway: '192.0.2.2', interface: 'eth0', source: null } },
  })
  const judged = (settings: Record<string, number>) =>
    row(judgeRealServer(facts, { director: director({ settings }) }), 'DR9').status
  const forwards = { 'net.ipv4.ip_forward': 1 }
  expect(judged({})).toBe('warning')
  expect(judged({ 'all.accept_local': 1, ...forwards })).toBe('ok')
  expect(judged({ 'eth0.accept_local': 1, 'eth0.rp_filter': 2, ...forwards })).toBe('ok')
  expect(judged({ 'all.accept_local': 1, 'eth0.rp_filter': 1, ...forwards })).toBe('warning')
  expect(judged({ 'all.accept_local': 1 })).toBe('warning')
  expect(row(judgeRealServer(facts, { director: null }), 'DR9')).toMatchObject({
    status: 'unknown',
    found: 'not read: the director',
  })
})

test('strict reverse path filtering is a warning only where replies leave by another interface', () => {
  const interfaces = [lo(inet(`${vip}/32`)), nic('eth0', '192.0.2.11/24'), nic('eth1', '198.51.100.11/24')]
  const judged = (by: string, settings: Record<string, number>) =>
    row(
      judgeRealServer(
        preparedRealServer({
          interfaces,
          settings,
          routes: { default: { kind: 'unicast', gateway: '198.51.100.1', interface: by, source: null } },
        }),
      ),
      'DR10',
    )
  expect(judged('eth0', { 'all.rp_filter': 1 }).status).toBe('ok')
  expect(judged('eth1', { 'all.rp_filter': 0 }).status).toBe('ok')
  expect(judged('eth1', { 'all.rp_filter': 1, 'eth0.rp_filter': 2 }).status).toBe('ok')
  const strict = judged('eth1', { 'all.rp_filter': 1 })
  expect(strict).toMatchObject({ status: 'warning', cause: 'strict' })
  expect(strict.fix?.commands[0]).toBe('sysctl -w net.ipv4.conf.eth0.rp_filter=2')
})

test('a host that does not carry the address of the real server proves nothing, and nothing is offered to change there', () => {
  const findings = judgeRealServer(realServer({ interfaces: [lo(), nic('eth0', '192.0.2.77/24')] }))
  expect(row(findings, 'RS1')).toMatchObject({
    status: 'missing',
    cause: 'otherHost',
    found: 'rs1: eth0 192.0.2.77/24',
  })
  const rest = findings.filter(({ rule }) => rule !== 'RS1')
  expect(new Set(rest.map(({ status }) => status))).toEqual(new Set(['unknown']))
  expect(findings.every(({ fix }) => fix === null)).toBe(true)
})
