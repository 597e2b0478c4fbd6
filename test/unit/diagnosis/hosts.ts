import { HostFacts } from '../../../core/diagnosis/facts.ts'
import type { CheckParameters, CheckSubject } from '../../../core/diagnosis/rule.ts'
import { judgeHost } from '../../../core/diagnosis/judge.ts'
import type { Finding } from '../../../core/diagnosis/finding.ts'
import type { z } from 'zod'

/** A small cluster on paper: director .2, real servers .11 and .12, VIP .100 in 192.0.2.0/24, a router on .1. */
export const vip = '192.0.2.100'

type Input = z.input<typeof HostFacts>
type InputInterface = Input['interfaces'][number]

export function nic(name: string, address: string | null, more: Partial<InputInterface> = {}): InputInterface {
  return {
    name,
    index: 2,
    mac: '02:00:00:00:00:01',
    mtu: 1500,
    isUp: true,
    isLoopback: false,
    addresses: address === null ? [] : [inet(address)],
    ...more,
  }
}

export function inet(
  text: string,
  more: Partial<InputInterface['addresses'][number]> = {},
): InputInterface['addresses'][number] {
  const [address = '', length = '32'] = text.split('/')
  return { family: 'inet', address, prefixLength: Number(length), scope: 'global', label: null, ...more }
}

export function lo(...addresses: InputInterface['addresses']): InputInterface {
  return nic('lo', null, {
    isLoopback: true,
    mac: null,
    addresses: [inet('127.0.0.1/8', { scope: 'host' }), ...addresses],
  })
}

/** Every interface's settings as a fresh kernel has them, then those named: `{'eth0.arp_ignore': 1}`. */
export function conf(
  interfaces: readonly { name: string }[],
  values: Record<string, number> = {},
): Record<string, string> {
  const names = ['arp_ignore', 'arp_announce', 'rp_filter', 'accept_local', 'promote_secondaries', 'forwarding']
  const fresh = ['all', ...interfaces.map(({ name }) => name)].flatMap((own) =>
    names.map((name) => [`net.ipv4.conf.${own}.${name}`, '0'] as const),
  )
  const own = Object.entries(values).map(([key, value]) => [
    key.startsWith('net.') ? key : `net.ipv4.conf.${key}`,
    String(value),
  ])
  return Object.fromEntries([...fresh, ['net.ipv4.ip_forward', '0'], ...own]) as Record<string, string>
}

const unix = { sysctlPath: '/usr/sbin/sysctl', ipPath: '/usr/sbin/ip', sysctlDir: 'yes', systemd: 'no' }

export interface HostChange extends Partial<Omit<Input, 'sysctls'>> {
  readonly settings?: Record<string, number>
}

export function realServer(change: HostChange = {}, address = '192.0.2.11'): HostFacts {
  const { settings = {}, ...facts } = change
  const interfaces = facts.interfaces ?? [
    lo(),
    nic('eth0', `${address}/24`, { mac: `02:00:00:00:00:${address.slice(-2)}` }),
  ]
  return HostFacts.parse({
    hostname: 'rs1',
    kernel: '6.1.0',
    uid: 0,
    routes: { default: { kind: 'unicast', gateway: '192.0.2.1', interface: 'eth0', source: null } },
    listeners: [{ address: '*', port: 80 }],
    neighbours: [],
    ...facts,
    interfaces,
    extra: { ...unix, sshServerAddress: address, ...facts.extra },
    sysctls: conf(interfaces, settings),
  })
}

/** A real server to which nothing needs to be done. */
export function preparedRealServer(change: HostChange = {}): HostFacts {
  return realServer({
    interfaces: [lo(inet(`${vip}/32`)), nic('eth0', '192.0.2.11/24', { mac: '02:00:00:00:00:11' })],
    ...change,
    settings: { 'all.arp_ignore': 1, 'all.arp_announce': 2, ...change.settings },
  })
}

export function director(change: HostChange = {}): HostFacts {
  const { settings = {}, ...facts } = change
  const interfaces = facts.interfaces ?? [lo(), nic('eth0', '192.0.2.2/24', { mac: '02:00:00:00:00:02' })]
  return HostFacts.parse({
    hostname: 'director',
    kernel: '6.18.0',
    uid: 0,
    routes: {
      '192.0.2.11': { kind: 'unicast', gateway: null, interface: 'eth0', source: '192.0.2.2' },
      '192.0.2.12': { kind: 'unicast', gateway: null, interface: 'eth0', source: '192.0.2.2' },
    },
    listeners: [],
    neighbours: [],
    ...facts,
    interfaces,
    extra: {
      ...unix,
      sshServerAddress: '198.18.0.2',
      btf: 'yes',
      bpffs: 'yes',
      bpfJit: 'always',
      xdp: 'read',
      tc: 'read',
      ...facts.extra,
    },
    sysctls: conf(interfaces, settings),
  })
}

export const request: CheckParameters = {
  vip,
  port: 80,
  protocol: 'tcp',
  forwarding: 'dr',
  dataplane: 'ebpf',
  announce: 'arp',
  isLive: false,
  allowOwnAddress: false,
  realServers: [
    { address: '192.0.2.11', port: 80 },
    { address: '192.0.2.12', port: 80 },
  ],
}

export function judgeRealServer(facts: HostFacts, change: Partial<CheckSubject> = {}): Finding[] {
  return judgeHost({
    request,
    host: '192.0.2.11',
    facts,
    director: director(),
    realServers: new Map(),
    arp: { kind: 'notAsked', reason: 'only the director asks' },
    ...change,
  })
}

export function judgeDirector(facts: HostFacts, change: Partial<CheckSubject> = {}): Finding[] {
  return judgeHost({
    request,
    host: 'director',
    facts,
    director: facts,
    realServers: new Map(),
    arp: { kind: 'answers', interface: 'eth0', macs: [] },
    ...change,
  })
}

export function row(findings: readonly Finding[], rule: string): Finding {
  const found = findings.find((finding) => finding.rule === rule)
  if (found === undefined) throw new Error(`no row ${rule} among ${findings.map((finding) => finding.rule).join(', ')}`)
  return found
}
