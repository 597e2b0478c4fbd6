import { describe, expect, test } from 'vitest'
import { parseClusterSpec } from '../../core/model/cluster-spec.ts'
import type { Connection } from '../../core/model/connection.ts'
import { formatIssue } from '../../core/model/issue.ts'
import { nothingObserved, type ObservedService } from '../../core/model/observed.ts'
import { RealServerConfig, ServiceConfig } from '../../core/model/plan.ts'
import { ServiceKey } from '../../core/model/service.ts'
import { keyOf, slugOf } from '../../renderer/app/paths.ts'
import { countEdits } from '../../renderer/change/count-edits.ts'
import { setSync, setSysctl, setTimeoutSec } from '../../renderer/change/edits.ts'
import { mergeSpec } from '../../renderer/change/merge.ts'
import { placeInSpec } from '../../renderer/change/spec-issues.ts'
import { shownEndpoint } from '../../renderer/format/endpoint.ts'
import { bySeverity, expectedShare, foreignServiceView, serviceView } from '../../renderer/store/service-state.ts'
import { csvOf, everything, pageSize, queryOf } from '../../renderer/views/connections/connection-query.ts'
import { layoutOf } from '../../renderer/views/topology/layout.ts'
import { edgesOf } from '../../renderer/views/topology/map-edges.ts'

const specOf = (services: readonly Record<string, unknown>[], more: Record<string, unknown> = {}) => {
  const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'lab', services, ...more })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value
}

const viewOf = (fields: Record<string, unknown>) => {
  const [service] = specOf([
    { name: 'web', vip: '192.0.2.10', port: 80, dataplane: 'ipvs', scheduler: 'wrr', forwarding: 'nat', ...fields },
  ]).services
  if (service === undefined) throw new Error('no service')
  return serviceView(service, nothingObserved, undefined)
}

const foreign: ObservedService = {
  ...ServiceConfig.parse({
    vip: '2001:db8::90',
    port: 5432,
    protocol: 'tcp',
    family: 'ipv6',
    dataplane: 'ipvs',
    forwarding: 'nat',
    scheduler: 'wrr',
    announce: 'none',
    interface: '',
    check: { type: 'none' },
  }),
  realServers: [
    {
      ...RealServerConfig.parse({
        address: '2001:db8::91',
        port: 5432,
        weight: 3,
        state: 'enabled',
        forwarding: 'tun',
        tunnel: { type: 'gue', port: 6080, checksum: 'nocsum' },
      }),
      isUp: true,
    },
  ],
  ringDigest: null,
  isForeign: true,
}

describe('the path of a service', () => {
  test.each([
    ['tcp/192.0.2.10:80', 'tcp-192.0.2.10-80'],
    ['udp/[2001:db8::1]:53', 'udp-2001:db8::1-53'],
    ['sctp/[2001:db8:1234:5678:9abc:def0:1234:5678]:65535', 'sctp-2001:db8:1234:5678:9abc:def0:1234:5678-65535'],
    ['fwmark/7/ipv4', 'fwmark-7-ipv4'],
    ['fwmark/4294967295/ipv6', 'fwmark-4294967295-ipv6'],
  ])('%s is %s, and the key again', (key, slug) => {
    expect(slugOf(key)).toBe(slug)
    expect(encodeURI(slug)).toBe(slug)
    expect(keyOf(slug)).toBe(key)
    expect(ServiceKey.safeParse(keyOf(slug)).success).toBe(true)
  })

  test('of what is no slug is no key of a service', () => {
    for (const slug of ['', 'tcp', 'tcp-', 'x-1.2.3.4-80', '%2e%2e']) {
      expect(ServiceKey.safeParse(keyOf(slug)).success).toBe(false)
    }
  })
})

test('port 0 of an endpoint is every port; an address alone stays as it is', () => {
  expect(shownEndpoint('192.0.2.10:0')).toBe('192.0.2.10:*')
  expect(shownEndpoint('[2001:db8::1]:0')).toBe('[2001:db8::1]:*')
  expect(shownEndpoint('2001:db8:1:2:3:4:5:0')).toBe('2001:db8:1:2:3:4:5:0')
  expect(shownEndpoint('192.0.2.10:8080')).toBe('192.0.2.10:8080')
})

describe('the expected share', () => {
  const realServers = [
    { address: '192.0.2.20', port: 80, weight: 3 },
    { address: '192.0.2.21', port: 80, weight: 1 },
    { address: '192.0.2.22', port: 80, weight: 0 },
    { address: '192.0.2.23', port: 80, weight: 4, state: 'offline' },
  ]
  const sharesOf = (scheduler: string) => {
    const view = viewOf({ scheduler, realServers })
    return view.realServers.map((server) => expectedShare(server, view))
  }

  test('is by weight where the scheduler shares by weight', () => {
    for (const scheduler of ['wrr', 'wlc', 'mh', 'sh']) expect(sharesOf(scheduler)).toEqual([0.75, 0.25, 0, 0])
  })
  test('is equal with rr, which takes a weight for nothing but 0', () => {
    expect(sharesOf('rr')).toEqual([0.5, 0.5, 0, 0])
  })
  test('is none where the scheduler promises none', () => {
    for (const scheduler of ['fo', 'ovf', 'lc', 'dh']) expect(sharesOf(scheduler)).toEqual([null, null, null, null])
  })
})

test('a foreign service is shown by its address, as it was observed, after one’s own', () => {
  const view = foreignServiceView(foreign, undefined)
  expect(view).toMatchObject({ key: 'tcp/[2001:db8::90]:5432', isForeign: true, isProgrammed: true, status: 'up' })
  expect(view.service.name).toBe('[2001:db8::90]:5432')
  expect(view.realServers[0]).toMatchObject({ forwarding: 'tun', tunnel: { type: 'gue', port: 6080 } })
  const own = viewOf({ realServers: [] })
  expect([view, own].toSorted(bySeverity).map(({ isForeign }) => isForeign)).toEqual([false, true])
})

describe('edits of the settings of IPVS', () => {
  const daemon = { interface: 'eth0', syncId: 7, roles: ['master' as const], port: 8848, ttl: 1 }
  const none = specOf([])
  const some = specOf([], { ipvs: { timeouts: { tcpSec: 600 }, sysctls: { conntrack: '1', sync_ports: '4' } } })

  test('that are taken back give the very same document, whatever their order', () => {
    expect(setSysctl('conntrack', undefined)(setSysctl('conntrack', '1')(none))).toEqual(none)
    const there = setSysctl('conntrack', undefined)(some)
    expect(JSON.stringify(setSysctl('conntrack', '1')(there))).toBe(JSON.stringify(some))
    expect(setTimeoutSec('tcpSec', undefined)(setTimeoutSec('tcpSec', 60)(none))).toEqual(none)
    expect(setSync(undefined)(setSync(daemon)(none))).toEqual(none)
  })

  test('are documents that the model takes', () => {
    const edited = setSync(daemon)(setTimeoutSec('udpSec', 30)(setSysctl('sync_threshold', '3 50')(some)))
    expect(parseClusterSpec(edited)).toMatchObject({ ok: true, value: { ipvs: edited.ipvs } })
  })

  test('count one each', () => {
    const edited = setSync(daemon)(setTimeoutSec('tcpSec', 30)(setSysctl('conntrack', undefined)(some)))
    expect(countEdits(some, edited)).toBe(3)
    expect(countEdits(some, some)).toBe(0)
  })

  test('are kept on a newer revision, with what that changed beside them', () => {
    const mine = setSysctl('conntrack', '0')(setTimeoutSec('udpSec', 30)(some))
    const theirs = setSync(daemon)(setSysctl('conntrack', undefined)(some))
    const { spec, clashes } = mergeSpec(some, mine, theirs)
    expect(spec.ipvs).toEqual({
      timeouts: { tcpSec: 600, udpSec: 30 },
      sync: daemon,
      sysctls: { conntrack: '0', sync_ports: '4' },
    })
    expect(clashes.map(({ place }) => place)).toEqual(['ipvs sysctls.conntrack'])
  })

  test('that are refused are found by their path', () => {
    const path = ['input', 'spec', 'ipvs', 'sync', 'interface']
    expect(placeInSpec(some, path)).toMatchObject({ isIpvs: true, service: undefined, field: 'sync.interface' })
  })
})

describe('the reply on the map', () => {
  const edges = (...services: Record<string, unknown>[]) => {
    const views = services.map((fields, i) =>
      viewOf({ name: `s${i}`, port: 80 + i, ...fields, realServers: [{ address: `192.0.2.${20 + i}`, port: 80 + i }] }),
    )
    const layout = layoutOf(views.map(({ key, realServers }) => ({ key, count: realServers.length })))
    const drawn = views.map((view) => ({ view, rate: 5, isDimmed: false }))
    return edgesOf(drawn, layout, true).filter(({ type }) => type !== 'flow')
  }

  test('goes past the director in DR and Tunnel, with one trunk for all', () => {
    const past = edges({ forwarding: 'dr' }, { forwarding: 'tun' })
    expect(past.map(({ type, target }) => `${type} ${target}`)).toEqual(['reply clients', 'reply clients'])
    expect(past.map(({ data }) => data !== undefined && 'hasTrunk' in data && data.hasTrunk)).toEqual([false, true])
  })

  test('comes back through it in NAT and FullNAT: pool, VIP, director, clients', () => {
    const back = edges({ forwarding: 'nat' })
    const key = 'tcp/192.0.2.10:80'
    expect(back.map(({ source, target }) => [source, target])).toEqual([
      ['director', 'clients'],
      [`pool ${key}`, `vip ${key}`],
      [`vip ${key}`, 'director'],
    ])
    expect(edges({ forwarding: 'fullnat' }).every(({ type }) => type === 'back')).toBe(true)
  })
})

describe('the question for connections', () => {
  test('has the page and no empty filter', () => {
    expect(queryOf({ ...everything, page: 2 })).toEqual({
      templates: true,
      sortBy: 'client',
      descending: false,
      offset: 2 * pageSize,
      limit: pageSize,
    })
    expect(queryOf({ ...everything, client: ' 2001:db8: ', state: 'ESTABLISHED' })).toMatchObject({
      client: '2001:db8:',
      state: 'ESTABLISHED',
    })
  })

  test('is none where the client is no beginning of an address', () => {
    expect(queryOf({ ...everything, client: 'example.net' })).toBeNull()
  })
})

test('a page as CSV has a head, one line for each connection, and CRLF', () => {
  const row: Connection = {
    dataplane: 'ipvs',
    protocol: 'udp',
    clientAddress: '2001:db8::7',
    clientPort: 40_000,
    vip: '2001:db8::1',
    port: 53,
    fwmark: null,
    realServer: { address: '2001:db8::21', port: 53 },
    state: 'UDP',
    isTemplate: false,
    packets: 12,
    bytes: null,
    expiresSec: 299,
  }
  const lines = csvOf([row]).split('\r\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]?.split(',')).toHaveLength(lines[1]?.split(',').length ?? 0)
  expect(lines[1]).toBe('ipvs,udp,2001:db8::7,40000,2001:db8::1,53,,2001:db8::21,53,UDP,false,12,,299')
})
