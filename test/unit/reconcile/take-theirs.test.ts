import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ClusterSpec, emptySpec, parseClusterSpec } from '../../../core/model/cluster-spec.ts'
import type { ObservedService, ObservedState } from '../../../core/model/observed.ts'
import type { Step } from '../../../core/model/plan.ts'
import { withAdopted } from '../../../core/reconcile/adopt.ts'
import { desiredOf } from '../../../core/reconcile/desired.ts'
import { driftLines, type DriftValue } from '../../../core/reconcile/drift-lines.ts'
import { plan } from '../../../core/reconcile/plan.ts'
import { takeTheirs } from '../../../core/reconcile/take-theirs.ts'
import { foundMany, hostWith } from './found.ts'

const ours = (services: readonly ObservedService[]) => services.map((one) => ({ ...one, isForeign: false }))
const interfaces = Object.fromEntries(
  ['tcp/192.0.2.10:80', 'udp/192.0.2.11:80', 'tcp/192.0.2.12:0', 'fwmark/7/ipv4'].map((key) => [key, 'lo']),
)
const driftOf = (spec: ClusterSpec, observed: ObservedState): Step[] =>
  plan(desiredOf(spec, interfaces), observed).map(({ step }) => step)

test('after taking theirs nothing is left to do, whatever the document and the kernel were', () => {
  fc.assert(
    fc.property(foundMany, foundMany, (written, programmed) => {
      const spec = withAdopted(emptySpec('test'), written)
      const observed = hostWith(ours(programmed))
      const taken = takeTheirs(spec, observed, driftOf(spec, observed))
      expect(taken.left).toEqual([])
      expect(driftOf(taken.spec, observed)).toEqual([])
      expect(parseClusterSpec(taken.spec)).toEqual({ ok: true, value: taken.spec })
    }),
  )
})

test('taking one service leaves the drift of the others, and every drifted service has its lines', () => {
  fc.assert(
    fc.property(foundMany, foundMany, (written, programmed) => {
      const spec = withAdopted(emptySpec('test'), written)
      const observed = hostWith(ours(programmed))
      const drift = driftOf(spec, observed)
      const groups = new Set(driftLines(drift).map(({ group }) => group))
      expect(groups).toEqual(new Set(drift.map((step) => ('service' in step ? step.service : 'director'))))
      for (const group of groups) {
        const rest = driftOf(takeTheirs(spec, observed, drift, group).spec, observed)
        expect(rest).toEqual(drift.filter((step) => !('service' in step) || step.service !== group))
      }
    }),
  )
})

const specWith = (fields: object, realServers: object[]): ClusterSpec => {
  const parsed = parseClusterSpec({
    apiVersion: 'signalbox/v1',
    name: 'test',
    services: [
      { name: 'web', vip: '192.0.2.10', port: 80, dataplane: 'ipvs', announce: 'none', realServers, ...fields },
    ],
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.value
}

/** The host after the document was applied, with a change by hand. */
function changed(spec: ClusterSpec, change: (service: ObservedService) => ObservedService): ObservedState {
  const programmed = desiredOf(spec, interfaces).services.map(({ config, realServers }) => ({
    ...config,
    realServers: realServers.map((one) => ({ ...one, isUp: true })),
    ringDigest: null,
    isForeign: false,
  }))
  return hostWith(programmed.map(change))
}

test('what is written beside the kernel stays: names, notes, order, words that say the same', () => {
  const spec = specWith({ notes: 'do not touch', forwarding: 'tun', tunnel: { type: 'gre' } }, [
    { address: '192.0.2.30', port: 80, name: 'last', weight: 2 },
    { address: '192.0.2.20', port: 80, name: 'first', tunnel: { type: 'gre' } },
  ])
  const observed = changed(spec, (service) => ({
    ...service,
    realServers: service.realServers.map((one) => (one.address === '192.0.2.30' ? { ...one, weight: 7 } : one)),
  }))
  const { spec: taken } = takeTheirs(spec, observed, driftOf(spec, observed))
  const [service] = spec.services
  expect(taken.services).toEqual([
    { ...service, realServers: [{ ...service?.realServers[0], weight: 7 }, service?.realServers[1]] },
  ])
})

test('a weight by hand is one line: the kernel’s value and the revision’s', () => {
  const spec = specWith({}, [{ address: '192.0.2.20', port: 80, weight: 3 }])
  const observed = changed(spec, (service) => ({
    ...service,
    scheduler: 'wrr',
    realServers: service.realServers.map((one) => ({ ...one, weight: 5 })),
  }))
  expect(driftLines(driftOf(spec, observed))).toEqual([
    {
      group: 'tcp/192.0.2.10:80',
      name: '',
      subject: 'scheduler',
      kernel: { text: 'wrr' },
      revision: { text: 'mh' },
    },
    {
      group: 'tcp/192.0.2.10:80',
      name: '192.0.2.20:80',
      subject: 'weight',
      kernel: { text: '5' },
      revision: { text: '3' },
    },
  ])
})

test('a service that is gone from the kernel leaves the document', () => {
  const spec = specWith({}, [{ address: '192.0.2.20', port: 80 }])
  const observed = hostWith([])
  expect(takeTheirs(spec, observed, driftOf(spec, observed)).spec.services).toEqual([])
})

test('settings by hand are taken where the document has a word for them', () => {
  const spec: ClusterSpec = {
    ...specWith({}, []),
    ipvs: { timeouts: { tcpSec: 900 }, sysctls: { expire_nodest_conn: '1' } },
  }
  const observed: ObservedState = {
    ...changed(spec, (service) => service),
    settings: [
      { name: 'ipvs.timeout.tcp', value: '60', original: '900' },
      { name: 'net.ipv4.vs.expire_nodest_conn', value: '0', original: '0' },
      { name: 'net.ipv4.vs.sloppy_tcp', value: '1', original: '0' },
    ],
  }
  const taken = takeTheirs(spec, observed, driftOf(spec, observed))
  expect(taken.left).toEqual([])
  expect(taken.spec.ipvs).toEqual({
    timeouts: { tcpSec: 60 },
    sysctls: { expire_nodest_conn: '0', sloppy_tcp: '1' },
  })
  expect(driftOf(taken.spec, observed)).toEqual([])
})

test('what a service needs of the host, and what no document can say, is left to restoring', () => {
  const spec = specWith({ forwarding: 'fullnat', vip: '192.0.2.10', announce: 'arp' }, [
    { address: '192.0.2.20', port: 80 },
  ])
  const observed: ObservedState = {
    ...changed(spec, (service) => service),
    settings: [
      { name: 'net.ipv4.ip_forward', value: '1', original: '0' },
      { name: 'net.ipv4.vs.conntrack', value: '0', original: '0' },
    ],
  }
  const drift = driftOf(spec, observed)
  const taken = takeTheirs(spec, observed, drift)
  expect(taken.spec).toEqual(spec)
  expect(taken.left).toEqual(drift)
  expect(drift.map((step) => step.kind)).toEqual(['setting.set', 'nat.set', 'vip.raise'])
})

test('the sync daemon that runs is the one that the document gets; none is none', () => {
  const sync = { interface: 'eth0', syncId: 5, port: 8848, ttl: 1 }
  const spec: ClusterSpec = { ...specWith({}, []), ipvs: { sync: { ...sync, roles: ['master', 'backup'] } } }
  const host = changed(spec, (service) => service)
  const withDaemons = (roles: ('master' | 'backup')[]): ObservedState => ({
    ...host,
    ipvs: { ...host.ipvs, syncDaemons: roles.map((role) => ({ ...sync, interface: 'eth1', role, isOurs: true })) },
  })
  for (const [roles, wanted] of [
    [['master'], { sync: { ...sync, interface: 'eth1', roles: ['master'] } }],
    [['master', 'backup'], { sync: { ...sync, interface: 'eth1', roles: ['backup', 'master'] } }],
    [[], undefined],
  ] as const) {
    const observed = withDaemons([...roles])
    const taken = takeTheirs(spec, observed, driftOf(spec, observed))
    expect(taken.spec.ipvs).toEqual(wanted)
    expect(driftOf(taken.spec, observed)).toEqual([])
  }
})

test('what the director has once is said line by line too', () => {
  const sync = { role: 'master', interface: 'eth0', syncId: 5, port: 8848, ttl: 1 } as const
  const steps: Step[] = [
    { kind: 'module.load', module: 'ip_vs' },
    { kind: 'setting.set', name: 'net.ipv4.ip_forward', before: '0', after: '1', wasOurs: true, isOurs: true },
    { kind: 'setting.set', name: 'ipvs.timeout.udp', before: '', after: '10', wasOurs: false, isOurs: true },
    { kind: 'nat.set', before: [], after: [] },
    { kind: 'sync.start', daemon: sync },
    { kind: 'dataplane.detach', interface: 'eth1' },
    { kind: 'vip.raise', address: '192.0.2.10', interface: 'eth0', announce: 'arp' },
    { kind: 'drain.wait', seconds: 10, realServers: [] },
  ]
  const words = (value: DriftValue) => ('text' in value ? value.text : value.word)
  expect(
    driftLines(steps).map(({ group, subject, name, kernel, revision }) =>
      [group, subject, name, words(kernel), words(revision)].join(' | '),
    ),
  ).toEqual([
    'director | module | ip_vs | absent | present',
    'director | setting | net.ipv4.ip_forward | 0 | 1',
    'director | setting | ipvs.timeout.udp | absent | 10',
    'director | natTable |  | 0 | 0',
    'director | syncDaemon | master | absent | eth0 id 5',
    'director | hook | eth1 | present | absent',
    'director | vip | 192.0.2.10 | absent | eth0',
  ])
})

test('a real server with a tunnel of its own loses it with the method', () => {
  const written = { forwarding: 'tun' as const, tunnel: { type: 'gre' as const, checksum: 'csum' as const } }
  const spec = specWith({ forwarding: 'tun' }, [{ address: '192.0.2.20', port: 80, tunnel: written.tunnel }])
  const [config] = desiredOf(spec, interfaces).services
  const programmed: ObservedService = {
    ...config!.config,
    forwarding: 'dr',
    realServers: [{ ...config!.realServers[0]!, forwarding: 'dr', tunnel: null, isUp: true }],
    ringDigest: null,
    isForeign: false,
  }
  const observed = hostWith([programmed])
  const { spec: taken } = takeTheirs(spec, observed, driftOf(spec, observed))
  expect(taken.services[0]).toMatchObject({ forwarding: 'dr' })
  expect(taken.services[0]?.realServers[0]).not.toHaveProperty('tunnel')
  expect(parseClusterSpec(taken)).toEqual({ ok: true, value: taken })
})
