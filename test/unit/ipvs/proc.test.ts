import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  connectionLines,
  parseConnTabBits,
  parseConnection,
  parseSysctl,
  parseTotals,
  sysctlsIn,
} from '../../../agent/dataplane/ipvs/proc.ts'
import { MalformedError } from '../../../agent/kernel/bytes.ts'

const header = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData'
const v6 = (last: string) => `2001:0db8:0000:0000:0000:0000:0000:${last}`

describe('/proc/net/ip_vs_conn', () => {
  test('a connection', () => {
    expect(parseConnection('TCP 0A090001 C350 0A090064 0050 0A000002 1F90 ESTABLISHED     899')).toEqual({
      protocol: 'tcp',
      client: { family: 'ipv4', address: '10.9.0.1', port: 50000 },
      virtual: { family: 'ipv4', address: '10.9.0.100', port: 80 },
      fwmark: null,
      realServer: { family: 'ipv4', address: '10.0.0.2', port: 8080 },
      state: 'ESTABLISHED',
      isTemplate: false,
      expiresSec: 899,
      engine: null,
    })
  })

  test('IPv6, and an IPv6 client with a real server of the other family', () => {
    expect(
      parseConnection(`UDP ${v6('0001')} 0035 ${v6('0010')} 0035 ${v6('0020')} 0035 UDP             300`),
    ).toMatchObject({
      protocol: 'udp',
      client: { family: 'ipv6', address: '2001:db8::1', port: 53 },
      virtual: { address: '2001:db8::10' },
      realServer: { address: '2001:db8::20' },
    })
    expect(
      parseConnection(`TCP ${v6('0001')} 0035 ${v6('0010')} 0035 0A000002 0035 CLOSE             9`).realServer,
    ).toEqual({
      family: 'ipv4',
      address: '10.0.0.2',
      port: 53,
    })
  })

  test('a persistence template has client port 0 and its own states', () => {
    const template = parseConnection('TCP 0A090000 0000 0A090064 0000 0A000002 0000 NONE             59')
    expect(template).toMatchObject({ isTemplate: true, client: { address: '10.9.0.0', port: 0 }, virtual: { port: 0 } })
    expect(parseConnection('TCP 0A090000 0000 0A090064 0050 0A000002 0050 ASSURED         359').isTemplate).toBe(true)
    expect(parseConnection('TCP 0A090001 0000 0A090064 0050 0A000002 0050 LISTEN          119').isTemplate).toBe(false)
    expect(parseConnection('TCP 0A090001 C350 0A090064 0050 0A000002 0050 NONE              1').isTemplate).toBe(false)
  })

  test('a template of a service by fwmark carries the mark in place of an address', () => {
    const template = parseConnection('IP  0A090001 0000 00000007 0000 0A000002 0000 NONE             59')
    expect(template).toMatchObject({ protocol: 'ip', fwmark: 7, virtual: null, isTemplate: true })
    const six = parseConnection(
      `IP  ${v6('0001')} 0000 0001:0002:0000:0000:0000:0000:0000:0000 0000 ${v6('0020')} 0000 NONE             59`,
    )
    expect(six).toMatchObject({ fwmark: 0x10002, virtual: null })
  })

  test('what a persistence engine keeps is read to the end of the line', () => {
    const row = 'UDP 0A090001 0000 0A090064 13C4 0A000002 13C4 NONE             59 sip a b@c'
    expect(parseConnection(row).engine).toEqual({ name: 'sip', data: 'a b@c' })
  })

  test('the header and the end are no rows', () => {
    const row = 'TCP 0A090001 C350 0A090064 0050 0A000002 0050 ESTABLISHED     899'
    expect(connectionLines(`${header}\n${row}\n${row}\n`)).toEqual([row, row])
  })

  test('a line of another form is refused with the line', () => {
    for (const line of ['', 'TCP', header, 'TCP 0A09 C350 0A090064 0050 0A000002 0050 ESTABLISHED 899']) {
      expect(() => parseConnection(line)).toThrow(MalformedError)
    }
    fc.assert(
      fc.property(fc.string(), (line) => {
        expect(() => parseConnection(line)).toThrow(MalformedError)
      }),
    )
  })
})

test('totals and rates of /proc/net/ip_vs_stats are hexadecimal', () => {
  const text = [
    '   Total Incoming Outgoing         Incoming         Outgoing',
    '   Conns  Packets  Packets            Bytes            Bytes',
    '      1F       A0        0            1F4A0                0',
    '',
    ' Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s',
    '       2        C        0              1A4                0',
    '',
  ].join('\n')
  expect(parseTotals(text)).toEqual({
    connections: 31,
    inPackets: 160,
    outPackets: 0,
    inBytes: 128_160,
    outBytes: 0,
    connectionsPerSec: 2,
    inPacketsPerSec: 12,
    outPacketsPerSec: 0,
    inBytesPerSec: 420,
    outBytesPerSec: 0,
  })
  expect(() => parseTotals(text.slice(0, 150))).toThrow(/rows of five/)
})

test('the size of the connection table and the settings of the kernel at hand', () => {
  expect(parseConnTabBits('12\n')).toBe(12)
  expect(() => parseConnTabBits('twelve')).toThrow(MalformedError)
  expect(sysctlsIn(['sync_ports', 'conntrack', '..'])).toEqual(['conntrack', 'sync_ports'])
  expect(parseSysctl('3\t50\n')).toBe('3 50')
})
