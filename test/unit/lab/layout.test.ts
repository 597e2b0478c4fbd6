import { expect, test } from 'vitest'
import { isFree, layoutCount, layoutOf, rangeOf } from '../../lab/layout.ts'
import { isRunning, processIdentity } from '../../lab/process-identity.ts'
import { fingerprintOf } from '../../lab/ssh-server.ts'

test('no two labs share a subnet, and all stay inside the benchmark network and 10.76.0.0/15', () => {
  const layouts = Array.from({ length: layoutCount }, (_, number) => layoutOf(number, 50, { jump: false }))
  expect(new Set(layouts.map((layout) => layout.managementSubnet)).size).toBe(layoutCount)
  expect(new Set(layouts.map((layout) => layout.dataSubnet)).size).toBe(layoutCount)
  const [benchmark, data] = [rangeOf('198.18.0.0/15'), rangeOf('10.76.0.0/15')]
  for (const layout of layouts) {
    expect(rangeOf(layout.managementSubnet)?.first).toBeGreaterThanOrEqual(benchmark?.first ?? Infinity)
    expect(rangeOf(layout.managementSubnet)?.last).toBeLessThanOrEqual(benchmark?.last ?? 0)
    expect(rangeOf(layout.dataSubnet)?.first).toBeGreaterThanOrEqual(data?.first ?? Infinity)
    expect(rangeOf(layout.dataSubnet)?.last).toBeLessThanOrEqual(data?.last ?? 0)
  }
})

test('fifty real servers, the VIPs and the others have different addresses', () => {
  const layout = layoutOf(300, 50, { jump: false })
  const addresses = [...layout.hosts.values()].map((host) => host.data)
  const all = [...addresses, layout.vip, ...layout.freeAddresses]
  expect(new Set(all).size).toBe(52 + 10)
})

test('a director behind a jump host has no management address, the others have', () => {
  const { hosts } = layoutOf(1, 1, { jump: true })
  expect(hosts.get('director')).toEqual({ management: undefined, data: '10.76.1.2' })
  expect(hosts.get('client')?.management).toBe('198.18.1.3')
})

test.each([
  [['198.18.7.0/24'], false],
  [['198.18.0.0/15'], false],
  [['198.18.7.200'], false],
  [['10.76.7.1/32'], false],
  [['10.0.0.0/8'], false],
  [['198.18.6.0/24', '198.18.8.0/24', '10.76.6.0/23'], false],
  [['198.18.6.0/24', '198.18.8.0/24', '10.76.8.0/21', '192.0.2.1'], true],
  [['fd00::/8', 'default'], true],
])('with %j taken, lab 7 is free: %s', (taken, free) => {
  expect(isFree(layoutOf(7, 3, { jump: false }), taken)).toBe(free)
})

test('a process is told apart from a later one with the same pid', () => {
  const self = processIdentity(process.pid)
  expect(self).toBeDefined()
  expect(isRunning(self ?? { pid: 0, startTime: '' })).toBe(true)
  expect(isRunning({ pid: process.pid, startTime: '1' })).toBe(false)
})

test('a fingerprint is the one that ssh-keygen prints', () => {
  const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPLACEHOLDER x'
  expect(() => fingerprintOf('nonsense')).toThrow('not a public key line')
  expect(fingerprintOf(line)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
})
