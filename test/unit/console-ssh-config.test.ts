import { expect, test } from 'vitest'
import { listHosts, resolveTarget } from '../../main/console/ssh/ssh-config-file.ts'

const home = '/home/op'
const target = { host: 'lb1', port: 22, user: 'root' }

test('a host that the configuration does not name is taken as it is', () => {
  expect(resolveTarget('', target, home)).toEqual({
    ...target,
    keyFiles: [],
    onlyTheseKeys: false,
    alias: null,
    jump: null,
  })
})

test('name, port, keys and jump host come from the configuration; the profile wins', () => {
  const config = `
Host gate
  HostName gate.example
  User jumper
  Port 2200
Host lb1
  HostName lb1.internal
  Port 2222
  IdentityFile ~/.ssh/lb
  IdentityFile ~/.ssh/%r@%h
  ProxyJump gate
`
  expect(resolveTarget(config, target, home)).toMatchObject({
    host: 'lb1.internal',
    alias: 'lb1',
    port: 2222,
    user: 'root',
    keyFiles: ['/home/op/.ssh/lb', '/home/op/.ssh/root@lb1.internal'],
    onlyTheseKeys: false,
    jump: { host: 'gate.example', user: 'jumper', port: 2200 },
  })
  expect(
    resolveTarget(
      config,
      { ...target, port: 2323, keyFile: '~/mine', jump: { host: '192.0.2.9', port: 22, user: 'op' } },
      home,
    ),
  ).toMatchObject({
    port: 2323,
    keyFiles: ['/home/op/mine'],
    onlyTheseKeys: true,
    jump: { host: '192.0.2.9', user: 'op', port: 22 },
  })
})

test('a jump host is written in every way that ssh takes', () => {
  const jumpOf = (text: string) => resolveTarget(`Host lb1\n  ProxyJump ${text}\n`, target, home).jump
  expect(jumpOf('op@gate:2200')).toMatchObject({ host: 'gate', user: 'op', port: 2200 })
  expect(jumpOf('ssh://op@[2001:db8::9]:2200')).toMatchObject({ host: '2001:db8::9', user: 'op', port: 2200 })
  expect(jumpOf('none')).toBe(null)
  expect(() => jumpOf('a,b')).toThrow('several jump hosts')
})

test('Match exec starts no program', () => {
  const config = `Match host lb1 exec "touch /tmp/console-match-exec"\n  User evil\n  HostName elsewhere\n`
  expect(resolveTarget(config, target, home).host).toBe('lb1')
})

test('hosts to pick from: names only, each once, with what is configured', () => {
  const config = `
Host *
  ServerAliveInterval 5
Host lb1 lb2
  User root
  Port 2222
Host web-* !web-1 -x
  User web
Host lb1
  IdentityFile ~/.ssh/lb
Host far
  User op
  ProxyJump a,b
`
  expect(listHosts(config, home)).toEqual([
    { alias: 'lb1', target: { host: 'lb1', user: 'root', port: 2222, keyFile: '/home/op/.ssh/lb' } },
    { alias: 'lb2', target: { host: 'lb2', user: 'root', port: 2222 } },
  ])
})
