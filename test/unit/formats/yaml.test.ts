import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { clusterSpecSchemaText } from '../../../core/formats/yaml/json-schema.ts'
import { parseClusterText } from '../../../core/formats/yaml/parse.ts'
import { writeClusterJson, writeClusterYaml } from '../../../core/formats/yaml/write.ts'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import { formatIssue } from '../../../core/model/issue.ts'

const good = `apiVersion: signalbox/v1
name: edge
services:
  - name: web
    vip: 192.0.2.10
    port: 80
    realServers:
      - address: 192.0.2.20
        port: 80
      - { address: 192.0.2.21, port: 80, weight: 3 }
`
function read(text: string): ClusterSpec {
  const parsed = parseClusterText(text)
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value
}
function complaints(text: string): string[] {
  const parsed = parseClusterText(text)
  return parsed.ok ? [] : parsed.issues.map(formatIssue)
}

test('YAML, JSON and JSON with tabs read the same', () => {
  const spec = read(good)
  expect(spec.services[0]?.realServers[1]).toEqual({ address: '192.0.2.21', port: 80, weight: 3, state: 'enabled' })
  expect(read(JSON.stringify(spec))).toEqual(spec)
  expect(read(JSON.stringify(spec, null, '\t'))).toEqual(spec)
  expect(read(`\uFEFF${good}`)).toEqual(spec)
  expect(read(good.replaceAll('\n', '\r\n'))).toEqual(spec)
})

test('what is written reads back as the same document', () => {
  const spec = read(good)
  const [service] = spec.services
  spec.services[0] = {
    ...service!,
    name: '- "x": #y & *z',
    notes: `it's 100 % ${'long '.repeat(60)}`,
    allowOwnAddress: true,
  }
  expect(read(writeClusterYaml(spec))).toEqual(spec)
  expect(read(writeClusterJson(spec))).toEqual(spec)
})

test.each([
  [
    'port 70000',
    good.replace('port: 80', 'port: 70000'),
    'line 6: services[0].port: found 70000, expected a whole number from 1 to 65535, or 0 for every port',
  ],
  [
    'a VIP that is no address',
    good.replace('192.0.2.10', 'web.example'),
    'line 5: services[0].vip: found "web.example", expected an IPv4 or IPv6 address such as 192.0.2.10 or 2001:db8::10',
  ],
  [
    'a VIP equal to a real server',
    good.replace('192.0.2.21', '192.0.2.10'),
    'line 10: services[0].realServers[1].address: found "192.0.2.10", expected an address other than the VIP',
  ],
  [
    'a real server twice',
    good.replace('192.0.2.21', '192.0.2.20'),
    'line 10: services[0].realServers[1].address: found "192.0.2.20", expected each real server once; it stands already at realServers[0]',
  ],
  [
    'DR with another port',
    good.replace('21, port: 80', '21, port: 8080'),
    'line 10: services[0].realServers[1].port: found 8080, expected the port of the virtual service, 80: only NAT and FullNAT translate ports',
  ],
  [
    'an unknown field',
    good.replace('port: 80', 'prot: 80'),
    'line 6: services[0].prot: found 80, expected one of the known fields: name, vip, port, protocol, fwmark, family, dataplane, forwarding, tunnel, scheduler, schedulerFlags, persistence, onePacket, localAddresses, announce, interface, allowOwnAddress, check, realServers, notes',
  ],
  [
    'a missing field',
    good.replace('    vip: 192.0.2.10\n', ''),
    'line 4: services[0].vip: found nothing, expected a value; the field is missing',
  ],
  ['an empty file', '', 'document: found nothing, expected a document; the file is empty'],
  ['a file of comments', '# nothing\n\n', 'document: found nothing, expected a document; the file is empty'],
  ['a list instead of a document', '- a\n', 'line 1: document: found ["a"], expected a mapping of fields to values'],
])('%s is refused by field, found and expected', (_name, text, sentence) => {
  expect(complaints(text)).toContain(sentence)
})

test.each([
  ['a broken list', good.replace('  - name: web', '  - name: [web'), 5],
  ['a tab as indentation', good.replace('    vip', '\tvip'), 5],
  ['a field twice', good.replace('port: 80\n    real', 'port: 80\n    port: 81\n    real'), 7],
  ['JSON without a comma', '{\n  "apiVersion": "signalbox/v1"\n  "name": "edge"\n}', 3],
  ['two documents', `${good}---\n${good}`, 12],
  ['a tag that nobody knows', good.replace('name: web', 'name: !!js/function "web"'), 4],
  ['a nesting without end', good.replace('name: web', `name: ${'['.repeat(5000)}`), 4],
])('malformed YAML names the line: %s', (_name, text, line) => {
  const parsed = parseClusterText(text)
  expect(parsed.ok).toBe(false)
  if (!parsed.ok) expect(parsed.issues.map((issue) => [issue.line, issue.expectation])).toEqual([[line, 'syntax']])
})

test('aliases do not unfold without end', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((name, i) => {
      const below = 'abcdefg'[i]
      return `${name}: &${name} [${Array.from({ length: 10 }, () => `*${below}`).join(',')}]`
    }),
  ].join('\n')
  expect(complaints(bomb)).toEqual([
    'document: found aliases (Excessive alias count indicates a resource exhaustion attack), expected a document that says each thing itself',
  ])
})

test('a number that JSON has no word for is shown as what it is', () => {
  const found = ['.inf', '-.inf', '.nan', '1e400'].map(
    (text) => complaints(good.replace('port: 80', `port: ${text}`))[0],
  )
  expect(found.map((text) => /found (\S+),/.exec(text ?? '')?.[1])).toEqual([
    'Infinity',
    '-Infinity',
    'NaN',
    'Infinity',
  ])
})

test('names of object properties are unknown fields like any other', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    expect(complaints(`${good}${name}: { x: 1 }\n`)[0]).toContain(`line 11: ${name}: found {"x":1}`)
  }
})

test('the published schema is the one of the model', () => {
  // By value: the file is formatted like the rest of the checkout.
  const published: unknown = JSON.parse(readFileSync('docs/cluster-spec.schema.json', 'utf8'))
  expect(published).toEqual(JSON.parse(clusterSpecSchemaText()))
})
