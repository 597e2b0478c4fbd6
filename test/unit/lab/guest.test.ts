import { expect, test } from 'vitest'
import { parseLdd, placeInGuest } from '../../lab/guest/host-files.ts'
import { parseKernel } from '../../lab/guest/kernel.ts'
import { qemuCommand } from '../../lab/guest/qemu.ts'
import { quote } from '../../lab/guest/ssh-connection.ts'
import { topologyHosts, topologyScript } from '../../lab/guest/topology.ts'
import { parseAnswers } from '../../lab/guest/traffic.ts'

test('the kernel is the one that the meta package depends on', () => {
  const shown =
    'Package: linux-image-cloud-amd64\nVersion: 6.1.9-2\nDepends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.9-2)\n'
  expect(parseKernel(shown)).toEqual({ release: '6.1.0-56-cloud-amd64', version: '6.1.9-2' })
  expect(parseKernel('')).toBeUndefined()
})

test('libraries are read from ldd once each, without the virtual one', () => {
  const printed = [
    '/usr/bin/a:',
    '\tlinux-vdso.so.1 (0x00007ffc)',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f5e)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f5f)',
    '/usr/bin/b:',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f5e)',
    '\tnot a dynamic executable',
  ]
  const found = parseLdd(printed.join('\n'))
  expect(found).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2'])
  expect(found.map(placeInGuest)).toEqual(['/usr/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib64/ld-linux-x86-64.so.2'])
  expect(placeInGuest('/sbin/ipvsadm')).toBe('/usr/sbin/ipvsadm')
  expect(placeInGuest('/etc/protocols')).toBe('/etc/protocols')
})

test('a guest that is restored has the devices of the one that was saved', () => {
  const [saved, restored] = [{ prepare: true }, { restore: true }].map((more) =>
    qemuCommand({ imageDir: '/i', stateDir: '/s', ...more }),
  )
  const devices = (command: readonly string[] = []) =>
    command.filter((_, i) =>
      ['-device', '-drive', '-netdev', '-machine', '-cpu', '-m', '-smp'].includes(command[i - 1] ?? ''),
    )
  expect(devices(restored)).toEqual(devices(saved))
  expect(qemuCommand({ imageDir: '/i', stateDir: '/s', keptDisk: '/a,b' }).join(' ')).toContain('file=/a,,b,')
})

test.each([
  ['plain/word-1.2', 'plain/word-1.2'],
  ['', "''"],
  ["it's $HOME", `'it'\\''s $HOME'`],
])('the word %j is quoted for a shell', (word, expected) => {
  expect(quote(word)).toBe(expected)
})

test('real servers are on both segments, or behind a router', () => {
  const segments = (layout: 'segments' | 'routed') =>
    topologyHosts({ layout, realServers: 1 }).map(({ name, interfaces }) => [name, ...interfaces.map((i) => i.segment)])
  expect(segments('segments')).toEqual([
    ['client', 'front'],
    ['director', 'front', 'back'],
    ['rs1', 'front', 'back'],
  ])
  expect(segments('routed')).toEqual([
    ['client', 'front'],
    ['director', 'front'],
    ['router', 'front', 'far'],
    ['rs1', 'far'],
  ])
  expect(() => topologyHosts({ realServers: 81 })).toThrow(
    'realServers: found 81, expected a whole number from 0 to 80',
  )
})

test('a director that is the guest itself keeps what its settings say about forwarding', () => {
  const script = topologyScript({ directorIsGuest: true, directorForwards: false, realServers: 1 })
  const settings = script.split('\n').filter((line) => line.includes('ip_forward'))
  expect(settings.length).toBe(2)
  for (const line of settings) expect(line).toMatch(/^nsenter --net=\/run\/netns\/(client|rs1) .*echo 0 /)
})

test('answers are counted per server, and failures keep their step and reason', () => {
  expect(
    parseAnswers(['rs1 10.1.0.9 4711 10.1.0.11 80', 'failed connect timeout', 'rs1 fd00::9 1 fd00::b 80']),
  ).toEqual({
    answers: [
      { server: 'rs1', client: '10.1.0.9', clientPort: 4711, own: '10.1.0.11', ownPort: 80 },
      { server: 'rs1', client: 'fd00::9', clientPort: 1, own: 'fd00::b', ownPort: 80 },
    ],
    failures: ['connect timeout'],
    perServer: { rs1: 2 },
  })
  expect(() => parseAnswers(['something else'])).toThrow('lab-client printed "something else"')
})
