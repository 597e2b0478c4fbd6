import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../../core/contract/errors.ts'
import { HostFacts } from '../../../core/diagnosis/facts.ts'
import { parseProbe } from '../../../core/diagnosis/parse-probe.ts'
import { nonce, probeAnswer } from './probe-answer.ts'

const facts = parseProbe(probeAnswer, nonce)
const refusal = (text: string): AppError => {
  try {
    parseProbe(text, nonce)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('it was taken as an answer')
}

test('interfaces keep their flags, master and MAC', () => {
  expect(
    facts.interfaces.map(({ name, isUp, isLoopback, isNoArp, master, mac }) => [
      name,
      isUp,
      isLoopback,
      isNoArp,
      master,
      mac,
    ]),
  ).toEqual([
    ['lo', true, true, false, null, null],
    ['eth0', true, false, false, null, '86:55:2d:84:b5:99'],
    ['eth1', false, false, false, 'bond0', '22:06:8d:54:00:cd'],
    ['dummy0', false, false, true, null, '12:34:8d:54:00:cd'],
  ])
})

test('addresses keep all that is needed to put them back', () => {
  const [lo, eth0] = facts.interfaces
  expect(lo?.addresses[1]).toEqual({
    family: 'inet',
    address: '192.0.2.50',
    prefixLength: 24,
    scope: 'host',
    label: 'lo:7',
    broadcast: '192.0.2.255',
    peer: null,
    hasNoPrefixRoute: true,
    isSecondary: false,
  })
  expect(lo?.addresses[2]).toMatchObject({ address: '192.0.2.51', isSecondary: true, label: 'lo' })
  expect(eth0?.addresses[0]).toMatchObject({ address: '192.0.2.11', prefixLength: 24, broadcast: '192.0.2.255' })
  expect(eth0?.addresses[1]).toMatchObject({ address: '10.0.0.1', peer: '10.0.0.2', prefixLength: 30 })
})

test('settings are named as sysctl names them', () => {
  expect(facts.sysctls['net.ipv4.conf.eth0.10.arp_ignore']).toBe('1')
})

test('listeners: every address is *, a mapped address is IPv4, and ss tells that [::]:80 takes IPv6 only', () => {
  expect(facts.listeners).toEqual([
    { address: '192.0.2.11', port: 80 },
    { address: '*', port: 22 },
    { address: '::', port: 80 },
    { address: '192.0.2.12', port: 8080 },
  ])
  const dual = probeAnswer.replace(/^ss .*\[::\]:80 .*$/m, 'ss LISTEN 0      128             *:80              *:*')
  expect(parseProbe(dual, nonce).listeners?.[2]).toEqual({ address: '*', port: 80 })
})

test('without ss the default of the system decides over [::]', () => {
  const withoutSs = probeAnswer.replace(/^(ss .*|done ss)\n/gm, '')
  expect(parseProbe(withoutSs, nonce).listeners?.[2]).toEqual({ address: '*', port: 80 })
  const only = withoutSs.replace('bindv6only:0', 'bindv6only:1')
  expect(parseProbe(only, nonce).listeners?.[2]).toEqual({ address: '::', port: 80 })
})

test('a big-endian machine prints the bytes of /proc the other way round', () => {
  const text = probeAnswer.replace('machine x86_64', 'machine s390x').replace('0B0200C0:0050', 'C000020B:0050')
  expect(parseProbe(text, nonce).listeners?.[0]).toEqual({ address: '192.0.2.11', port: 80 })
})

test('routes: on-link, by a gateway, local, none; the best default route counts', () => {
  expect(facts.routes).toEqual({
    '192.0.2.2': { kind: 'unicast', gateway: null, interface: 'eth0', source: '192.0.2.11' },
    '198.51.100.1': { kind: 'unicast', gateway: '192.0.2.1', interface: 'eth0', source: '192.0.2.11' },
    '192.0.2.50': { kind: 'local', gateway: null, interface: 'lo', source: '192.0.2.50' },
    '203.0.113.9': { kind: 'unreachable', gateway: null, interface: null, source: null },
    default: { kind: 'unicast', gateway: '192.0.2.1', interface: 'eth0', source: '192.0.2.11' },
  })
})

test('neighbours with and without a MAC', () => {
  expect(facts.neighbours).toEqual([
    { address: '192.0.2.2', mac: '02:00:00:00:00:02', interface: 'eth0', state: 'REACHABLE' },
    { address: '192.0.2.9', mac: null, interface: 'eth0', state: 'FAILED' },
    { address: '10.0.0.9', mac: '02:00:00:00:00:01', interface: 'eth0', state: 'STALE' },
  ])
})

test('files come back with their lines', () => {
  expect(facts.files).toEqual({
    '/etc/sysctl.d/60-signalbox-192.0.2.100-arp_ignore.conf': '# Signalbox\nnet.ipv4.conf.all.arp_ignore = 1\n',
  })
})

test('a list that was not finished is not taken for an empty one', () => {
  expect(parseProbe(probeAnswer.replace('done addr\n', ''), nonce).interfaces).toEqual([])
  expect(parseProbe(probeAnswer.replace('done tcp\n', ''), nonce).listeners).toBeNull()
  expect(parseProbe(probeAnswer.replace('done default\n', ''), nonce).routes['default']).toBeUndefined()
  expect(parseProbe(probeAnswer.replace('done route\n', ''), nonce).routes['203.0.113.9']).toBeUndefined()
})

test('banners of login scripts before and after are ignored', () => {
  expect(parseProbe(`Welcome!\n\n${probeAnswer}bye\n`, nonce)).toEqual(facts)
})

test('an answer to another question is refused', () => {
  expect(refusal(probeAnswer.replaceAll(nonce, 'deadbeef')).message).toContain('expected the first line of the probe')
})

test('a line that no tool prints is refused, with its number', () => {
  const error = refusal(probeAnswer.replace('uid 0', 'uid zero'))
  expect(error).toMatchObject({ code: 'BAD_INPUT' })
  expect(error.message).toContain('line 5: "uid zero"')
  expect(refusal(probeAnswer.replace('uid 0', 'constructor 0')).message).toContain('expected a known tag')
  expect(refusal(probeAnswer.replace('hostname rs1', 'hostname \u001b[2Jrs1')).message).toContain('line 2')
  expect(refusal(probeAnswer.replace('sysctl.d/60', 'passwd/60')).message).toContain('what "file" stands for')
})

test('an answer that was cut anywhere is refused', () => {
  const body = probeAnswer.trimEnd()
  fc.assert(
    fc.property(fc.nat(body.length - 1), (length) => {
      expect(refusal(body.slice(0, length)).code).toBe('BAD_INPUT')
    }),
  )
})

test('whatever a host prints, the answer is facts or a refusal', () => {
  const lines = probeAnswer.split('\n')
  const change = fc.record({
    at: fc.nat(lines.length - 1),
    text: fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', 'done link', 'line x', 'link 9: __proto__: <UP> mtu 1'),
    ),
    mode: fc.constantFrom('replace', 'insert', 'drop', 'append'),
  })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 5 }), (changes) => {
      const changed = [...lines]
      for (const { at, text, mode } of changes) {
        if (mode === 'replace') changed[at] = text
        else if (mode === 'insert') changed.splice(at, 0, text)
        else if (mode === 'drop') changed.splice(at, 1)
        else changed[at] = `${changed[at] ?? ''}${text}`
      }
      let answer: HostFacts
      try {
        answer = parseProbe(changed.join('\n'), nonce)
      } catch (error) {
        expect(error).toBeInstanceOf(AppError)
        expect((error as AppError).code).toBe('BAD_INPUT')
        return
      }
      expect(HostFacts.parse(answer)).toEqual(answer)
      expect(Object.getPrototypeOf(answer.sysctls)).toBe(Object.prototype)
    }),
    { numRuns: 500 },
  )
})
