import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  fingerprintOf,
  formatKnownHost,
  judgeHostKey,
  knownHostName,
  knownKeyTypes,
  parseKnownHosts,
} from '../../main/console/ssh/known-hosts.ts'

const blob = (type: string, fill: number): Buffer => {
  const name = Buffer.from(type)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(name.length)
  return Buffer.concat([length, name, Buffer.alloc(36, fill)])
}
const ed25519 = blob('ssh-ed25519', 1)
const otherEd25519 = blob('ssh-ed25519', 2)
const ecdsa = blob('ecdsa-sha2-nistp256', 3)
const line = (names: string, key: Buffer, type = 'ssh-ed25519') =>
  `${names} ${type} ${key.toString('base64')} comment\n`
const judge = (text: string, name: string, key: Buffer) => judgeHostKey(parseKnownHosts(text, 'f'), name, key).kind

test('a host is named bare on port 22 and in brackets on any other', () => {
  expect(knownHostName('LB1.example', 22)).toBe('lb1.example')
  expect(knownHostName('lb1', 2222)).toBe('[lb1]:2222')
  expect(knownHostName('2001:db8::1', 22)).toBe('2001:db8::1')
  expect(judge(line('lb1', ed25519), '[lb1]:2222', ed25519)).toBe('unknown')
})

test('plain names, lists, wildcards and negation are matched', () => {
  expect(judge(line('other,lb1', ed25519), 'lb1', ed25519)).toBe('known')
  expect(judge(line('*.example,!bad.example', ed25519), 'lb1.example', ed25519)).toBe('known')
  expect(judge(line('*.example,!bad.example', ed25519), 'bad.example', ed25519)).toBe('unknown')
  expect(judge(line('lb?', ed25519), 'lb1', ed25519)).toBe('known')
  // A dot is a dot.
  expect(judge(line('lb.example', ed25519), 'lbxexample', ed25519)).toBe('unknown')
})

test('a hashed name is matched', () => {
  const salt = Buffer.from('01234567890123456789')
  const hash = createHmac('sha1', salt).update('[lb1]:2222').digest('base64')
  const text = line(`|1|${salt.toString('base64')}|${hash}`, ed25519)
  expect(judge(text, '[lb1]:2222', ed25519)).toBe('known')
  expect(judge(text, 'lb1', ed25519)).toBe('unknown')
  expect(judge(line('|1|broken', ed25519), 'lb1', ed25519)).toBe('unknown')
})

test('another key for a pinned host is a changed key, of whatever type', () => {
  expect(judge(line('lb1', ed25519), 'lb1', otherEd25519)).toBe('changed')
  expect(judge(line('lb1', ed25519), 'lb1', ecdsa)).toBe('changed')
  expect(judge(line('lb1', ed25519) + line('lb1', ecdsa, 'ecdsa-sha2-nistp256'), 'lb1', ecdsa)).toBe('known')
})

test('a revoked key is refused even where it is pinned as well', () => {
  expect(judge(line('lb1', ed25519) + `@revoked ${line('*', ed25519)}`, 'lb1', ed25519)).toBe('revoked')
})

test("a certificate authority's key is no host key", () => {
  const lines = parseKnownHosts(`@cert-authority ${line('*', ed25519)}`, 'f')
  expect(judgeHostKey(lines, 'lb1', ed25519)).toEqual({ kind: 'unknown', certAuthority: true })
  expect(knownKeyTypes(lines, 'lb1')).toEqual([])
})

test('lines that are no entry, and entries whose key is of another type than they say, are left out', () => {
  const text = `# comment\n\nlb1\nlb1 ssh-ed25519\nlb1 ssh-ed25519 !!!\n@new lb1 x y\n${line('lb1', ed25519, 'ssh-rsa')}`
  expect(parseKnownHosts(text, 'f')).toEqual([])
})

test('what is written is read again', () => {
  const [read] = parseKnownHosts(formatKnownHost('[lb1]:2222', ed25519), 'f')
  expect(read).toMatchObject({ marker: null, patterns: ['[lb1]:2222'], keyType: 'ssh-ed25519', line: 1 })
  expect(read?.key.equals(ed25519)).toBe(true)
})

test('a fingerprint is what ssh-keygen prints: base64 without padding', () => {
  expect(fingerprintOf(Buffer.from('x'))).toBe('SHA256:LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE')
})
