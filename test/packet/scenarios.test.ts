import { afterEach, describe, expect, test } from 'vitest'
import {
  type Change,
  type Exchange,
  type Scenario,
  clientFrames,
  elsewhere,
  scenarios,
} from '../fixtures/packet-scenarios.ts'
import type { IpFamily } from '../../core/model/address.ts'
import { tunnelOverhead } from '../../core/model/tunnel-overhead.ts'
import { fullSize, tunnelScenarios } from '../fixtures/tunnel-scenarios.ts'
import { describeFrame, encapsulate, encodeFrame, frameOf } from '../fixtures/packets.ts'
import { type Hook, type Kind, UnderTest, directorMac, guePort, macOf, ownAddresses } from './under-test.ts'

const realServers = [1, 2, 3]
const hooks: readonly Hook[] = ['tcx', 'xdp']

let open: UnderTest | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

/** struct __sk_buff, as far as the test run takes it in: wire_len, gso_segs, gso_size. */
function skbContext(length: number, gso: { size: number; segments: number }): Buffer {
  const context = Buffer.alloc(180)
  context.writeUInt32LE(length, 160)
  context.writeUInt32LE(gso.segments, 164)
  context.writeUInt32LE(gso.size, 176)
  return context
}

function bring(dataplane: UnderTest, change: Change, chosen: number | null): void {
  const numbers = (of: number | 'chosen' | 'others' | 'all'): number[] => {
    if (of === 'all') return realServers
    if (of === 'others') return realServers.filter((n) => n !== chosen)
    if (of !== 'chosen') return [of]
    if (chosen === null) throw new Error('no real server has been chosen yet')
    return [chosen]
  }
  if ('weight' in change) for (const n of numbers(change.of)) dataplane.change(n, { weight: change.weight })
  else if ('state' in change) for (const n of numbers(change.of)) dataplane.change(n, { state: change.state })
  else if ('isUp' in change)
    for (const n of numbers(change.of)) dataplane.tables.setUp(dataplane.service, dataplane.keyOf(n), change.isUp)
  else if ('remove' in change)
    for (const n of numbers(change.remove)) dataplane.tables.removeReal(dataplane.service, dataplane.keyOf(n))
  else if ('seconds' in change) dataplane.age(change.seconds)
  else if ('vlan' in change) for (const n of realServers) dataplane.write(dataplane.indexOf(n), { vlan: change.vlan })
  else if ('mtu' in change) for (const n of realServers) dataplane.write(dataplane.indexOf(n), { mtu: change.mtu })
  else {
    const ifindex = change.neighbour === 'no route' ? 0 : 1
    for (const n of realServers) dataplane.write(dataplane.indexOf(n), { is_reachable: 0, ifindex })
  }
}

/** Sends one packet and compares everything; gives the number of the real server that got it. */
function exchange(dataplane: UnderTest, hook: Hook, step: Exchange, chosen: number | null): number | null {
  for (const change of step.given ?? []) bring(dataplane, change, chosen)
  const { family, protocol } = dataplane.kind
  const sent = frameOf(clientFrames[family], step.packet)
  const spec = frameOf(sent, {
    ip: {
      ...(step.packet.ip?.protocol === undefined && protocol === 'udp' ? { protocol: 17 } : {}),
      ...(step.toOtherHost === true ? { destination: elsewhere[family] } : {}),
    },
  })
  const whole = encodeFrame(spec)
  const packet = whole.subarray(0, step.packet.cutAt ?? whole.length)
  const outcome = dataplane.run(hook, packet, step.gso && skbContext(packet.length, step.gso))
  expect({ verdict: outcome.verdict, counted: outcome.counted }).toEqual({
    verdict: step.verdict,
    counted: step.counted,
  })
  if (step.verdict !== 'redirect') {
    expect(outcome.packet.equals(packet), 'the packet is untouched').toBe(true)
    return chosen
  }
  const mac = outcome.packet.toString('hex', 0, 6)
  const got = realServers.find((n) => macOf(n).replaceAll(':', '') === mac) ?? null
  const macs =
    step.leavesMacs === true ? spec.ethernet : { ...spec.ethernet, destination: macOf(got ?? 0), source: directorMac }
  const expected = encodeFrame({
    ...spec,
    ethernet: { ...macs, ...step.comesOut },
    ip: { ...spec.ip, ttl: spec.ip.ttl - 1 },
  })
  const { tunnel } = dataplane.kind
  if (tunnel === undefined) expect(describeFrame(outcome.packet)).toEqual(describeFrame(expected))
  else {
    const outerSize = outcome.packet.length - expected.length
    const sourcePort =
      tunnel.type === 'gue' ? outcome.packet.readUInt16BE((spec.ethernet.vlan === null ? 14 : 18) + outerSize - 12) : 0
    if (tunnel.type === 'gue') expect(sourcePort).toBeGreaterThanOrEqual(0xc000)
    const ends = { source: ownAddresses[tunnel.family], destination: dataplane.addressOf(got ?? 0) }
    const outer = encapsulate(expected, { type: tunnel.type, ...ends, sourcePort, destinationPort: guePort })
    expect(outcome.packet.toString('hex')).toBe(outer.toString('hex'))
  }
  if (step.to === 'same') expect(got, 'the real server of the packet before').toBe(chosen)
  if (step.to === 'other') expect(got, 'another real server than before').not.toBe(chosen)
  return got
}

function play(hook: Hook, kind: Omit<Kind, 'protocol'>, scenario: Scenario): void {
  const dataplane = (open = new UnderTest(realServers.length, {}, { ...kind, protocol: scenario.protocol ?? 'tcp' }))
  let chosen: number | null = null
  for (const step of scenario.exchanges) chosen = exchange(dataplane, hook, step, chosen)
}

function runAll(hook: Hook, kind: Omit<Kind, 'protocol'>, scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    if (scenario.hooks?.includes(hook) === false || scenario.families?.includes(kind.family) === false) continue
    test(scenario.name, () => {
      expect(scenario.exchanges.length).toBeGreaterThan(0)
      play(hook, kind, scenario)
    })
  }
}

const families: readonly IpFamily[] = ['ipv4', 'ipv6']

for (const hook of hooks) {
  for (const family of families) {
    describe(`${hook}, ${family}`, () => runAll(hook, { family }, scenarios))
    for (const outer of families) {
      for (const type of ['ipip', 'gue'] as const) {
        const kind = { family, tunnel: { type, family: outer } }
        describe(`${hook}, ${family} in ${type} over ${outer}`, () => {
          runAll(hook, kind, [
            ...tunnelScenarios,
            fullSize(family, tunnelOverhead({ type, checksum: 'nocsum' }, outer)),
          ])
        })
      }
    }
  }

  test(`${hook}: ARP passes`, () => {
    const dataplane = (open = new UnderTest(realServers.length))
    const frame = encodeFrame(clientFrames.ipv4)
    frame.writeUInt16BE(0x0806, 12)
    const outcome = dataplane.run(hook, frame)
    expect(outcome.verdict).toBe('pass')
    expect(outcome.counted).toEqual({ LB_PASS_NOT_IP: 1 })
    expect(outcome.packet.equals(frame)).toBe(true)
  })
}
