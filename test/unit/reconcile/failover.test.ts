import { expect, test } from 'vitest'
import { failoverFacts, failoverWay } from '../../../core/model/failover.ts'

const outcome = (...args: Parameters<typeof failoverWay>) => failoverFacts[failoverWay(...args)].outcome

test('connections outlive a failover in DR and Tunnel where the sync daemon runs, in NAT where the gateway moves too', () => {
  for (const forwarding of ['dr', 'tun'] as const) {
    expect(outcome({ dataplane: 'ipvs', forwarding }, true)).toBe('continue')
    expect(outcome({ dataplane: 'ipvs', forwarding }, false)).toBe('lost')
  }
  expect(outcome({ dataplane: 'ipvs', forwarding: 'nat' }, true)).toBe('conditional')
})

test('FullNAT and local real servers lose them whatever is synchronised; eBPF needs rings that agree, and no daemon', () => {
  expect(outcome({ dataplane: 'ipvs', forwarding: 'fullnat' }, true)).toBe('lost')
  expect(outcome({ dataplane: 'ipvs', forwarding: 'local' }, true)).toBe('lost')
  expect(outcome({ dataplane: 'ebpf', forwarding: 'dr' }, false)).toBe('conditional')
})
