import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parseClusterText } from '../../core/formats/yaml/parse.ts'
import { writeClusterYaml } from '../../core/formats/yaml/write.ts'
import { service, specOf } from '../fakes/agent.ts'
import { ServedAgent, signalbox } from '../fakes/agent-server.ts'

// Each command is a program of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

let served: ServedAgent
let files: string
beforeAll(async () => {
  served = await ServedAgent.start()
  files = mkdtempSync(join(tmpdir(), 'signalbox-files-'))
})
afterAll(async () => {
  await served.remove()
  rmSync(files, { recursive: true, force: true })
})

const cli = (args: string[], input: string | readonly string[] = '', env: Record<string, string> = {}) =>
  signalbox(args, { input, env: { SIGNALBOX_SOCKET: served.socket, ...env } })
const good = writeClusterYaml(specOf(service()))

test('plan, apply, confirm, history, export: the way of a document', async () => {
  const plan = await cli(['plan', '-'], good)
  expect(plan).toMatchObject({ code: 0, stderr: '' })
  expect(plan.stdout.split('\n').slice(0, 3)).toEqual([
    'On revision 0:',
    '   1. Attach the eBPF dataplane to eth0',
    '   2. Add virtual service tcp/192.0.2.10:80 on eth0: eBPF, DR, mh',
  ])
  const applied = await cli(['apply', '-', '--message', 'first light', '--confirm-within', '60'], good)
  expect(applied).toMatchObject({ code: 0, stderr: '' })
  expect(applied.stdout).toContain('It reverts by itself in 60 s. To keep it: signalbox confirm 1')
  expect((await cli(['status'])).stdout).toMatch(/Revision 1 by \S+ reverts by itself in \d+ s at /)
  const busy = await cli(['apply', '-'], good)
  expect([busy.code, busy.stderr]).toEqual([1, expect.stringContaining('awaits its confirmation')])
  expect(await cli(['confirm'])).toMatchObject({ code: 0, stdout: 'Revision 1 is confirmed.\n' })
  const history = await cli(['history', '--json'])
  expect(JSON.parse(history.stdout)).toMatchObject([{ revision: 1, message: 'first light', outcome: 'confirmed' }])
  const exported = await cli(['export'])
  expect(exported.stdout).toBe(good)
  const asJson = await cli(['export', '--format', 'json'])
  expect(parseClusterText(asJson.stdout)).toEqual({ ok: true, value: specOf(service()) })
  // What was exported is what is there.
  expect((await cli(['plan', '-'], exported.stdout)).stdout).toContain('Nothing to do')
  expect((await cli(['apply', '-'], exported.stdout)).code).toBe(0)
})

test('an unconfirmed apply is taken back on demand', async () => {
  const base = JSON.parse((await cli(['status', '--json'])).stdout) as { state: { revision: number } }
  const empty = writeClusterYaml(specOf())
  expect((await cli(['apply', '-', '--confirm-within', '60'], empty)).code).toBe(0)
  expect(served.kernel.services.size).toBe(0)
  const reverted = await cli(['revert', '--json'])
  expect(JSON.parse(reverted.stdout)).toMatchObject({ outcome: 'reverted', drift: [] })
  const now = JSON.parse((await cli(['status', '--json'])).stdout) as { state: { revision: number } }
  expect(now.state.revision).toBe(base.state.revision)
  const again = await cli(['revert'])
  expect([again.code, again.stderr]).toEqual([1, 'signalbox: No revision waits for its confirmation.\n'])
})

const changed = (from: string, to: string) => good.replace(from, to)
test.each([
  [
    'port 70000',
    changed('    port: 80', '    port: 70000'),
    'line 6: services[0].port: found 70000, expected a whole number from 1 to 65535, or 0 for every port',
  ],
  [
    'a VIP that is no address',
    changed('192.0.2.10', 'web'),
    'line 5: services[0].vip: found "web", expected an IPv4 or IPv6 address such as 192.0.2.10 or 2001:db8::10',
  ],
  [
    'a VIP equal to a real server',
    changed('192.0.2.20', '192.0.2.10'),
    'services[0].realServers[0].address: found "192.0.2.10", expected an address other than the VIP',
  ],
  [
    'a real server twice',
    changed('192.0.2.21', '192.0.2.20'),
    'services[0].realServers[1].address: found "192.0.2.20", expected each real server once; it stands already at realServers[0]',
  ],
  [
    'DR with another port',
    changed('        port: 80', '        port: 81'),
    'services[0].realServers[0].port: found 81, expected the port of the virtual service, 80: only NAT and FullNAT translate ports',
  ],
  ['an empty file', '', 'document: found nothing, expected a document; the file is empty'],
  ['malformed YAML', changed('  - name: web', '  - name: [web'), /line \d+: document: found .*, expected YAML or JSON/],
  [
    'the address that SSH came in by',
    changed('192.0.2.10', '198.18.0.2'),
    'line 5: services[0].vip: found "198.18.0.2", expected an address other than the one that SSH came in by',
  ],
  [
    "the director's own address",
    changed('192.0.2.10', '192.0.2.2'),
    'line 5: services[0].vip: found "192.0.2.2", expected an address that the director does not carry already, or allowOwnAddress: true',
  ],
  [
    "the last address of the director's network",
    changed('192.0.2.10', '192.0.2.255'),
    'line 5: services[0].vip: found "192.0.2.255", expected a unicast address that one host can own, not the last address of a connected network, its broadcast address',
  ],
  [
    'an address without a zone that needs one',
    changed('192.0.2.10', 'fe80::1'),
    'line 5: services[0].vip: found "fe80::1", expected a unicast address that one host can own, not a link-local address',
  ],
  ['no document at all', 'null\n', 'document: found nothing, expected a document; the file is empty'],
])('%s: refused with field, found and expected; the state stays what it was', async (_name, text, sentence) => {
  const before = served.kernel.history.length
  const file = join(files, 'cluster.yaml')
  writeFileSync(file, text)
  const env = { SSH_CONNECTION: '198.18.0.1 50000 198.18.0.2 22' }
  for (const result of await Promise.all(['plan', 'apply'].map((command) => cli([command, file], '', env)))) {
    expect(result).toMatchObject({ code: 2, stdout: '' })
    if (typeof sentence === 'string') expect(result.stderr).toContain(`${sentence}\n`)
    else expect(result.stderr).toMatch(sentence)
  }
  expect(served.kernel.history.length).toBe(before)
})

test('with --json an error is one JSON value on stderr', async () => {
  const result = await cli(['apply', '-', '--json'], changed('    port: 80', '    port: 70000'))
  expect([result.code, result.stdout]).toEqual([2, ''])
  expect(JSON.parse(result.stderr)).toMatchObject({
    code: 'BAD_INPUT',
    issues: [{ path: ['services', 0, 'port'], found: '70000', expectation: 'portOrAny', line: 6 }],
  })
})

test('a document is read whole, however slowly it comes; what has no end or is no text is refused', async () => {
  const file = join(files, 'odd.yaml')
  const slowly = await cli(['plan', '-'], [good.slice(0, 40), good.slice(40)])
  expect(slowly).toMatchObject({ code: 0, stderr: '' })
  expect((await cli(['plan', '/dev/zero'])).stderr).toBe(
    'signalbox: document: found more than 8388608 bytes, expected a document of at most 8388608 bytes\n',
  )
  expect((await cli(['plan', files])).stderr).toBe(
    `signalbox: ${files} cannot be read: found a directory, expected a file (EISDIR)\n`,
  )
  writeFileSync(file, Buffer.from(good.replace('name: web', 'name: web\xff'), 'latin1'))
  expect((await cli(['plan', file])).stderr).toBe(
    'signalbox: line 4: document: found bytes that are not UTF-8, expected text in UTF-8\n',
  )
})

test('an outdated base is refused with the name of who was first', async () => {
  const result = await cli(['apply', '-', '--base', '0', '--json'], writeClusterYaml(specOf()))
  expect(result.code).toBe(1)
  expect(JSON.parse(result.stderr)).toMatchObject({ code: 'CONFLICT', details: { currentRevision: '1' } })
})

test('bad usage is exit code 2, no agent is exit code 3', async () => {
  const codes = await Promise.all(
    [
      ['plan'],
      ['frobnicate'],
      ['apply', '-', '--confirm-within', 'soon'],
      ['apply', '-', '--confirm-within', '2'],
      ['plan', join(files, 'missing.yaml')],
      ['--help'],
    ].map(async (args) => (await cli(args, good)).code),
  )
  expect(codes).toEqual([2, 2, 2, 2, 2, 0])
  const nobody = await cli(['status', '--socket', join(files, 'no.sock')])
  expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining('No agent listens on')])
})

test('the schema is the published one', async () => {
  const published: unknown = JSON.parse(readFileSync('docs/cluster-spec.schema.json', 'utf8'))
  expect(JSON.parse((await cli(['schema'])).stdout)).toEqual(published)
})
