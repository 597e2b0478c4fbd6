import { expect, test } from 'vitest'
import type { CheckRequest } from '../../../core/contract/console.ts'
import { AppError } from '../../../core/contract/errors.ts'
import { createChecks } from '../../../main/console/checks/checks.ts'
import { createFixStore } from '../../../main/console/checks/fix-store.ts'
import type { HostShell, Hosts } from '../../../main/console/hosts.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import { MemoryStore } from '../../fakes/memory-store.ts'

const request: CheckRequest = {
  directorId: 'lb1',
  vip: '192.0.2.10',
  port: 80,
  protocol: 'tcp',
  forwarding: 'dr',
  dataplane: 'ipvs',
  announce: 'arp',
  allowOwnAddress: false,
  isLive: false,
  realServers: [{ address: '192.0.2.21', port: 80, access: { kind: 'direct' } }],
}

test('a real server that waits for an answer of the operator does not hold back what is known of the director', async () => {
  const password = Promise.withResolvers<HostShell | null>()
  const hosts: Hosts = {
    openHost: (_directorId, host) =>
      host === 'director' ? Promise.reject(new AppError('OFFLINE', 'It is not connected.')) : password.promise,
  }
  const clock = new ManualClock()
  const fixes = createFixStore(new MemoryStore(), clock, () => {})
  const checks = createChecks({ hosts, clock, probeArp: () => Promise.reject(new AppError('OFFLINE', 'x')) }, fixes)
  const context = { signal: new AbortController().signal, peer: 'test' }
  const seen: string[] = []
  for await (const { host, state } of checks['checks.run'](request, context)) {
    seen.push(`${host} ${state}`)
    if (seen.length === 3) password.resolve(null)
  }
  expect(seen).toEqual([
    'director running',
    '192.0.2.21 running',
    'director failed',
    '192.0.2.21 done',
    'director failed',
  ])
})
