import { describe, expect, test } from 'vitest'
import { parseClusterSpec } from '../../core/model/cluster-spec.ts'
import { Draft, type ServiceForm, type WizardStep } from '../../core/model/draft.ts'
import { formatIssue } from '../../core/model/issue.ts'
import type { VirtualService } from '../../core/model/service.ts'
import type { RealServerAccess } from '../../core/model/ssh.ts'
import { checkRequestOf, dependenciesOf } from '../../renderer/views/wizard/check-request.ts'
import { formOf } from '../../renderer/views/wizard/form-of-service.ts'
import { issuesOfStep } from '../../renderer/views/wizard/form-steps.ts'
import { emptyForm, serviceOf } from '../../renderer/views/wizard/form.ts'
import { rowsOfPaste } from '../../renderer/views/wizard/paste.ts'

const ids = () => {
  let next = 0
  return () => `row-${next++}`
}
const webForm = (paste = '192.0.2.21\n192.0.2.22') => ({
  ...emptyForm(),
  name: 'web',
  vip: '192.0.2.10',
  realServers: rowsOfPaste(paste, ids()).rows,
})
const ipvsForm = (part: Partial<ServiceForm> = {}, paste?: string): ServiceForm => ({
  ...webForm(paste),
  dataplane: 'ipvs',
  scheduler: 'wrr',
  ...part,
})
const issuesAt = (form: ServiceForm, step: WizardStep) => issuesOfStep(form, step).map(formatIssue)

describe('pasted lines', () => {
  test('ten of them become ten rows', () => {
    const text = Array.from({ length: 10 }, (_, i) => `192.0.2.${20 + i}:80 ${i + 1}`).join('\n')
    const { rows, unread } = rowsOfPaste(text, ids())
    expect(rows).toHaveLength(10)
    expect(rows[9]).toMatchObject({ id: 'row-9', address: '192.0.2.29', port: '80', weight: '10' })
    expect(unread).toEqual([])
  })

  test.each([
    ['[2001:db8::1]:80 3', { address: '2001:db8::1', port: '80', weight: '3' }],
    ['[2001:db8::1]:80', { address: '2001:db8::1', port: '80', weight: '' }],
    ['[2001:db8::1] 3', { address: '2001:db8::1', port: '', weight: '3' }],
    ['2001:db8::1', { address: '2001:db8::1', port: '', weight: '' }],
    ['2001:db8::1, 3', { address: '2001:db8::1', port: '', weight: '3' }],
    ['::1', { address: '::1', port: '', weight: '' }],
    ['192.0.2.21:8080', { address: '192.0.2.21', port: '8080', weight: '' }],
    ['192.0.2.21;5', { address: '192.0.2.21', port: '', weight: '5' }],
  ])('%s', (line, row) => {
    expect(rowsOfPaste(line, ids())).toMatchObject({ rows: [row], unread: [] })
  })

  test('what cannot be read is named by its line, the rest is kept', () => {
    expect(rowsOfPaste('# pool\n192.0.2.21 2 # first\n\n1 2 3 4\n[2001:db8::1:80\n', ids())).toMatchObject({
      rows: [{ address: '192.0.2.21', port: '', weight: '2' }],
      unread: [
        { line: 4, text: '1 2 3 4' },
        { line: 5, text: '[2001:db8::1:80' },
      ],
    })
  })
})

test('port and weight left out are those of the service and 1', () => {
  expect(serviceOf(webForm())).toMatchObject({
    ok: true,
    value: { realServers: [{ address: '192.0.2.21', port: 80, weight: 1 }, { port: 80 }] },
  })
})

/** Services that have every field of the form between them. */
const services: Record<string, Record<string, unknown>> = {
  'DR on eBPF': { vip: '192.0.2.10', port: 80, realServers: [{ address: '192.0.2.21', port: 80 }] },
  'NAT with ports, persistence and thresholds': {
    vip: '192.0.2.10',
    port: 443,
    dataplane: 'ipvs',
    forwarding: 'nat',
    scheduler: 'wlc',
    persistence: { timeoutSec: 600, prefixLength: 24 },
    interface: 'eth0',
    announce: 'route',
    allowOwnAddress: true,
    check: { type: 'tcp', intervalMs: 2000, timeoutMs: 900, rise: 3, fall: 4 },
    realServers: [
      { address: '10.0.0.2', port: 8443, weight: 3, name: 'first', upperThreshold: 500, lowerThreshold: 400 },
      { address: '10.0.0.3', port: 443, forwarding: 'dr' },
    ],
  },
  'Tunnel over GUE': {
    vip: '192.0.2.10',
    port: 80,
    dataplane: 'ipvs',
    forwarding: 'tun',
    tunnel: { type: 'gue', port: 5555, checksum: 'remcsum' },
    scheduler: 'mh',
    schedulerFlags: ['fallback', 'port'],
    realServers: [
      { address: '2001:db8::21', port: 80 },
      { address: '2001:db8::22', port: 80, tunnel: { type: 'gue', port: 6666, checksum: 'csum' } },
      { address: '2001:db8::23', port: 80, tunnel: { type: 'ipip' } },
    ],
  },
  'FullNAT with local addresses': {
    vip: '192.0.2.10',
    port: 80,
    dataplane: 'ipvs',
    forwarding: 'fullnat',
    scheduler: 'rr',
    localAddresses: ['10.0.0.8', '10.0.0.9'],
    realServers: [{ address: '10.0.0.2', port: 8080 }],
  },
  'UDP over IPv6, one packet': {
    vip: '2001:db8::10',
    port: 53,
    protocol: 'udp',
    dataplane: 'ipvs',
    forwarding: 'nat',
    scheduler: 'rr',
    onePacket: true,
    realServers: [{ address: '2001:db8::21', port: 5353 }],
  },
  'SIP by its Call-ID': {
    vip: '192.0.2.10',
    port: 5060,
    protocol: 'udp',
    dataplane: 'ipvs',
    scheduler: 'rr',
    persistence: { timeoutSec: 60, engine: 'sip' },
    realServers: [{ address: '192.0.2.21', port: 5060 }],
  },
  'every port': {
    vip: '192.0.2.10',
    port: 0,
    dataplane: 'ipvs',
    scheduler: 'wrr',
    persistence: { timeoutSec: 300 },
    realServers: [{ address: '192.0.2.21', port: 0 }],
  },
  'by mark': {
    fwmark: 4_294_967_295,
    family: 'ipv6',
    dataplane: 'ipvs',
    scheduler: 'wrr',
    announce: 'none',
    realServers: [{ address: '2001:db8::21', port: 0 }],
  },
}

function modelOf(fields: Record<string, unknown>): VirtualService {
  const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'x', services: [{ name: 'x', ...fields }] })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value.services[0]!
}

test.each(Object.keys(services))('a service goes into the form and comes out as it was: %s', (name) => {
  const service = modelOf(services[name]!)
  expect(serviceOf(formOf(service))).toEqual({ ok: true, value: service })
})

describe('an issue lands on the step that has the field', () => {
  const wrong: readonly [string, WizardStep, Partial<ServiceForm>, string][] = [
    ['name', 'what', { name: '' }, 'name: found nothing, expected a value; the field is missing'],
    ['port', 'what', { port: '8o' }, 'port: found "8o", expected a whole number from 1 to 65535, or 0 for every port'],
    [
      'port 0 without persistence',
      'what',
      { port: '0' },
      'port: found 0, expected a port from 1 to 65535, or persistence: a service of every port needs it',
    ],
    ['no mark', 'what', { matchBy: 'fwmark' }, 'fwmark: found nothing, expected a value; the field is missing'],
    [
      'a mark that is none',
      'what',
      { matchBy: 'fwmark', fwmark: '4294967296' },
      'fwmark: found 4294967296, expected a whole number from 1 to 4294967295',
    ],
    [
      'FullNAT by mark',
      'mode',
      { matchBy: 'fwmark', fwmark: '7', forwarding: 'fullnat' },
      'forwarding: found "fullnat", expected a method other than fullnat: a service by fwmark has no VIP to tell its connections by',
    ],
    [
      'persistence of no time',
      'dataplane',
      { persistence: { isOn: true, timeoutSec: '0', prefixLength: '', isSip: false } },
      'persistence.timeoutSec: found 0, expected a whole number from 1 to 2678400',
    ],
    [
      'granularity of the other family',
      'dataplane',
      { persistence: { isOn: true, timeoutSec: '60', prefixLength: '64', isSip: false } },
      'persistence.prefixLength: found 64, expected a prefix length from 1 to 32',
    ],
    [
      'one packet of TCP',
      'dataplane',
      { onePacket: true },
      'onePacket: found true, expected left out: one-packet scheduling is for UDP or fwmark services',
    ],
    [
      'GUE without a port',
      'dataplane',
      { forwarding: 'tun', tunnel: { type: 'gue', port: '', checksum: 'nocsum' } },
      'tunnel.port: found nothing, expected the UDP port of the GUE tunnel, from 1 to 65535',
    ],
    [
      'a local address of the other family',
      'dataplane',
      { forwarding: 'fullnat', localAddresses: ['2001:db8::1'] },
      'localAddresses[0]: found "2001:db8::1", expected an address of the virtual service\'s family, ipv4: only tunnels mix families',
    ],
    [
      'VIP',
      'addresses',
      { vip: '192.0.2' },
      'vip: found "192.0.2", expected an IPv4 or IPv6 address such as 192.0.2.10 or 2001:db8::10',
    ],
  ]
  test.each(wrong)('%s', (_name, step, part, sentence) => {
    expect(issuesAt(ipvsForm(part), step)).toEqual([sentence])
  })

  test('limits and ports of real servers are where these are entered', () => {
    const form = ipvsForm({}, '192.0.2.21:8080')
    const [row] = form.realServers
    const realServers = [{ ...row!, upperThreshold: '10', lowerThreshold: '20' }]
    expect(issuesAt({ ...form, realServers }, 'addresses')).toEqual([
      'realServers[0].port: found 8080, expected the port of the virtual service, 80: only NAT and FullNAT translate ports',
      'realServers[0].lowerThreshold: found 20, expected at most the upper threshold, 10',
    ])
  })
})

test('a form without real servers asks for one where they are entered', () => {
  expect(issuesAt(webForm(''), 'addresses')).toEqual([
    'realServers: found nothing, expected a value; the field is missing',
  ])
})

test('what the chosen dataplane, scheduler or mode has no place for stays in the form, out of the service', () => {
  const form = ipvsForm({
    schedulerFlags: ['port'],
    persistence: { isOn: true, timeoutSec: '60', prefixLength: '', isSip: false },
    tunnel: { type: 'gre', port: '', checksum: 'csum' },
    localAddresses: ['10.0.0.8'],
  })
  const parsed = serviceOf({ ...form, dataplane: 'ebpf', scheduler: 'mh' })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  expect(parsed.value).not.toHaveProperty('persistence')
  expect(parsed.value).not.toHaveProperty('tunnel')
  expect(parsed.value).not.toHaveProperty('localAddresses')
  expect(parsed.value.schedulerFlags).toEqual([])
})

test('a draft that was stored before the form knew IPVS still opens', () => {
  const form = {
    name: 'web',
    port: '80',
    placement: 'sameNetwork',
    needsClientAddress: true,
    portsDiffer: false,
    hasWindows: false,
    forwarding: 'dr',
    dataplane: 'ebpf',
    scheduler: 'mh',
    announce: 'arp',
    interface: '',
    vip: '192.0.2.10',
    allowOwnAddress: false,
    check: { type: 'tcp', intervalMs: '1000', timeoutMs: '800', rise: '2', fall: '2' },
    realServers: [
      { id: 'row-0', address: '192.0.2.21', port: '', weight: '', name: '', access: { kind: 'direct' } },
      { id: 'row-1', address: '192.0.2.22', port: '', weight: '', name: '', access: { kind: 'direct' } },
    ],
    confirmWithinSec: '60',
    message: '',
  }
  const draft = Draft.parse({
    id: 'a',
    directorId: 'lab',
    step: 'addresses',
    form,
    accepted: [],
    appliedRevision: null,
    updatedAtMs: 1,
  })
  expect(draft.form).toEqual(webForm())
})

test('a tunnel of one real server is judged by its own fields, and left out where the row is not reached by tunnel', () => {
  const form = ipvsForm({ forwarding: 'tun' })
  const [first, second] = form.realServers
  if (first === undefined || second === undefined) throw new Error('two rows')
  const gue = { ...second, tunnel: { type: 'gue', port: '', checksum: 'nocsum' } }
  expect(issuesAt({ ...form, realServers: [first, gue] }, 'addresses')).toEqual([
    'realServers[1].tunnel.port: found nothing, expected the UDP port of the GUE tunnel, from 1 to 65535',
  ])
  expect(serviceOf({ ...form, forwarding: 'dr', realServers: [first, gue] }).ok).toBe(true)
})

describe('the checks of the hosts', () => {
  const direct = (): RealServerAccess => ({ kind: 'direct' })

  test('a changed VIP makes every host stale, a changed real server only itself and the director', () => {
    const before = checkRequestOf(webForm(), 'lb1', direct)
    const vip = checkRequestOf({ ...webForm(), vip: '192.0.2.11' }, 'lb1', direct)
    const server = checkRequestOf(webForm('192.0.2.21\n192.0.2.23'), 'lb1', direct)
    if (before === null || vip === null || server === null) throw new Error('the forms are complete')
    const stale = (now: typeof before, host: string) => dependenciesOf(before, host) !== dependenciesOf(now, host)
    expect(['director', '192.0.2.21', '192.0.2.22'].map((host) => stale(vip, host))).toEqual([true, true, true])
    expect(['director', '192.0.2.21'].map((host) => stale(server, host))).toEqual([true, false])
  })

  test('another way to a real server makes it stale: it is read again by that way', () => {
    const accesses: Record<string, RealServerAccess> = { '192.0.2.22': { kind: 'throughDirector' } }
    const before = checkRequestOf(webForm(), 'lb1', direct)
    const after = checkRequestOf(webForm(), 'lb1', (address) => accesses[address] ?? direct())
    if (before === null || after === null) throw new Error('the form is complete')
    expect(after.realServers.map(({ access }) => access.kind)).toEqual(['direct', 'throughDirector'])
    expect(dependenciesOf(after, '192.0.2.22')).not.toBe(dependenciesOf(before, '192.0.2.22'))
    for (const host of ['192.0.2.21', 'director'])
      expect(dependenciesOf(after, host)).toBe(dependenciesOf(before, host))
  })

  test('are asked for with dataplane, method and protocol', () => {
    const form = ipvsForm({ forwarding: 'nat', protocol: 'udp', check: { ...emptyForm().check, type: 'none' } })
    expect(checkRequestOf(form, 'lb1', direct)).toMatchObject({ dataplane: 'ipvs', forwarding: 'nat', protocol: 'udp' })
  })

  test('have nothing to look for without a VIP', () => {
    expect(checkRequestOf(ipvsForm({ matchBy: 'fwmark', fwmark: '7' }), 'lb1', direct)).toBeNull()
  })
})
