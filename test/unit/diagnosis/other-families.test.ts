import { expect, test } from 'vitest'
import { rules } from '../../../core/diagnosis/catalogue.ts'
import { judgeHost, unreadHost } from '../../../core/diagnosis/judge.ts'
import type { CheckParameters } from '../../../core/diagnosis/rule.ts'
import { describeFinding } from '../../../core/diagnosis/sentences.ts'
import { dataplaneOffers } from '../../../core/model/dataplane.ts'
import { director, preparedRealServer, request } from './hosts.ts'

const onIpvs: CheckParameters = { ...request, dataplane: 'ipvs' }
const ofIpv6: CheckParameters = {
  ...onIpvs,
  vip: '2001:db8::10',
  realServers: [{ address: '2001:db8::21', port: 80 }],
}

function judge(parameters: CheckParameters, host: string) {
  return judgeHost({
    request: parameters,
    host,
    facts: host === 'director' ? director() : preparedRealServer(),
    director: director(),
    realServers: new Map(),
    arp: { kind: 'notAsked', reason: 'ARP is of IPv4' },
  })
}

test('no rule passes what it cannot judge: every row of an IPv6 service reads not checked', () => {
  for (const host of ['director', '2001:db8::21']) {
    const findings = judge(ofIpv6, host)
    expect(findings.length).toBeGreaterThan(0)
    expect(findings.filter(({ status }) => status !== 'notChecked')).toEqual([])
    expect(findings.map((one) => describeFinding(one, 'en').message)).toContain(
      'Not checked: this version judges it for ipv4 alone.',
    )
  }
})

test('an IPv6 real server behind a tunnel from IPv4 is not judged by its IPv4 facts', () => {
  const mixed: CheckParameters = { ...onIpvs, forwarding: 'tun', realServers: ofIpv6.realServers }
  expect(judge(mixed, '2001:db8::21').map(({ status }) => status)).toEqual(['notChecked'])
})

test('a UDP service is not judged by listening TCP sockets', () => {
  const dns: CheckParameters = { ...onIpvs, protocol: 'udp', port: 53 }
  const row = judge(dns, '192.0.2.11').find(({ rule }) => rule === 'DR8')
  expect(row).toMatchObject({ status: 'notChecked', cause: 'otherProtocol', found: 'judged for tcp alone' })
})

test('a service of every port has no port to listen on', () => {
  const rows = judge({ ...onIpvs, port: 0, realServers: [{ address: '192.0.2.11', port: 0 }] }, '192.0.2.11')
  expect(rows.map(({ rule }) => rule)).not.toContain('DR8')
})

test('every dataplane, method, family and protocol that is offered is judged without a defect', () => {
  for (const [dataplane, offer] of Object.entries(dataplaneOffers)) {
    for (const forwarding of offer.forwarding) {
      for (const protocol of offer.protocols) {
        for (const base of [onIpvs, ofIpv6]) {
          for (const isLive of [true, false]) {
            const parameters = { ...base, dataplane, forwarding, protocol, isLive } as CheckParameters
            for (const host of ['director', parameters.realServers[0]?.address ?? '']) judge(parameters, host)
            unreadHost(parameters, 'director', 'unknown', 'the director')
          }
        }
      }
    }
  }
})

test("IPVS has the real servers' rules of DR, and none of the eBPF dataplane's own", () => {
  const rows = judge(onIpvs, 'director').map(({ rule }) => rule)
  expect(rows).toContain('DR1')
  expect(rows.filter((rule) => rule.startsWith('D16'))).toEqual([])
  expect(judge(onIpvs, '192.0.2.11').map(({ rule }) => rule)).toContain('DR5')
})

test('a VIP that somebody else raises may stand on the director already', () => {
  const row = judge({ ...onIpvs, announce: 'none', vip: '192.0.2.2' }, 'director').find(({ rule }) => rule === 'V1')
  expect(row?.status).toBe('ok')
})

test('every rule says what it holds for', () => {
  expect(rules.filter((rule) => rule.families.length === 0 || rule.protocols.length === 0)).toEqual([])
})
