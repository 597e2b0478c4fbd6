import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redact, redactText } from '../../core/rpc/redact.ts'

test.each([
  'password',
  'Password',
  'sshPassword',
  'passphrase',
  'key_passphrase',
  'token',
  'launchToken',
  'secret',
  'secrets',
  'client-secret',
  'cookie',
  'set-cookie',
  'privateKey',
  'private_key',
  'key',
  'authorization',
])('the value of %s never reaches a log, at any depth', (name) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(redact({ list: [{ [name]: { marker: 'MARK', value } }] }))
      expect(text).not.toContain('MARK')
      expect(text).toContain('[redacted]')
    }),
    { numRuns: 20 },
  )
})

test('what helps and tells nothing stays readable', () => {
  const harmless = { keyFile: '~/.ssh/id_ed25519', keyType: 'ssh-ed25519', monkey: 1, passes: 2, weight: 3 }
  expect(redact(harmless)).toEqual(harmless)
})

test.each([
  ['GET /launch?token=abc&x=1', 'GET /launch?token=[redacted]&x=1'],
  ['password: hunter2', 'password: [redacted]'],
  ['{"passphrase": "a b c"}', '{"passphrase": [redacted]}'],
  ['Cookie: signalbox-1=abc', 'Cookie: [redacted]'],
  ['nothing to hide', 'nothing to hide'],
])('in the text %j', (text, expected) => {
  expect(redactText(text)).toBe(expected)
})

test('a private key in a text is hidden whole, also where its end is cut off', () => {
  const block = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nMORE\n'
  expect(redactText(`a ${block}-----END OPENSSH PRIVATE KEY----- z`)).toBe('a [redacted] z')
  expect(redactText(`a ${block}`)).toBe('a [redacted]')
  expect(redact(new Error(`failed: ${block}`))).toBe('Error: failed: [redacted]')
})

test('a value that contains itself ends', () => {
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  expect(JSON.stringify(redact(loop))).toContain('[nested deeper]')
})
