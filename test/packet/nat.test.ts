import { beforeAll, afterEach, describe, expect, test } from 'vitest'
import type { IpFamily } from '../../core/model/address.ts'
import { realServerConfig, serviceConfig } from '../fixtures/configs.ts'
import { clientFrames } from '../fixtures/packet-scenarios.ts'
import { type FrameChange, type FrameSpec, encodeFrame, frameOf, sealFrame } from '../fixtures/packets.ts'
import { clientSide, enterOwnNetwork } from './network.ts'
import { type Hook, type Kind, type Outcome, UnderTest, addressOf, directorMac, macOf, vips } from './under-test.ts'

beforeAll(() => enterOwnNetwork())

let open: UnderTest | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

const realPort = 8080
const protocolNumber = { tcp: 6, udp: 17 } as const

/** A service in NAT mode with one real server on another port. */
function natService(kind: Kind): UnderTest {
  const dataplane = (open = new UnderTest(0, {}, kind))
  addReal(dataplane, dataplane.service, 1)
  return dataplane
}

function addReal(dataplane: UnderTest, service: string, n: number): void {
  const address = addressOf(n, dataplane.kind.family)
  const index = dataplane.tables.putReal(service, realServerConfig({ address, port: realPort, forwarding: 'nat' }))
  dataplane.write(index, { ifindex: 1, mac: macOf(n), source_mac: directorMac, mtu: 1500, is_reachable: 1 })
}

const ports = (sourcePort: number, destinationPort: number): FrameChange => ({
  tcp: { sourcePort, destinationPort },
  udp: { sourcePort, destinationPort },
})

/** What the client sends. */
function fromClient({ family, protocol }: Kind, change: FrameChange = {}): FrameSpec {
  const base = frameOf(clientFrames[family], change)
  return { ...base, ip: { ...base.ip, protocol: protocolNumber[protocol] } }
}

/** The same as real server `n` gets it. */
function atServer(sent: FrameSpec, n: number, family: IpFamily): FrameSpec {
  return frameOf(sent, {
    ethernet: { destination: macOf(n), source: directorMac },
    ip: { destination: addressOf(n, family), ttl: sent.ip.ttl - 1 },
    ...ports(sent.tcp.sourcePort, realPort),
  })
}

/** What real server `n` answers. */
function fromServer(sent: FrameSpec, n: number, family: IpFamily, change: FrameChange = {}): FrameSpec {
  const { source } = sent.ip
  const answer = frameOf(sent, {
    ethernet: { source: macOf(n) },
    ip: { source: addressOf(n, family), destination: source },
    ...ports(realPort, sent.tcp.sourcePort),
  })
  return frameOf(answer, { ...change, tcp: { flags: ['SYN', 'ACK'], ...change.tcp } })
}

/** The answer as the client gets it. */
function atClient(answer: FrameSpec, sent: FrameSpec): FrameSpec {
  return frameOf(answer, {
    ethernet: { source: clientSide.mac, destination: clientSide.gatewayMac },
    ip: { source: sent.ip.destination, ttl: answer.ip.ttl - 1 },
    ...ports(sent.tcp.destinationPort, sent.tcp.sourcePort),
  })
}

const bytesOf = (spec: FrameSpec): Buffer => sealFrame(encodeFrame(spec))

function expectOutcome(outcome: Outcome, verdict: string, packet: Buffer, counted: Record<string, number>): void {
  expect({ verdict: outcome.verdict, counted: outcome.counted }).toEqual({ verdict, counted })
  expect(outcome.packet.toString('hex')).toBe(packet.toString('hex'))
}

for (const hook of ['tcx', 'xdp'] as const satisfies Hook[]) {
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const protocol of ['tcp', 'udp'] as const) {
      describe(`NAT at ${hook}, ${family}, ${protocol}`, () => {
        const kind: Kind = { family, protocol }
        const syn = fromClient(kind)

        test('the real server gets its own address and port, the client sees the service’s', () => {
          const dataplane = natService(kind)
          for (const payload of ['', 'x', 'hello', 'y'.repeat(1400)]) {
            const sent = fromClient(kind, { payload })
            const counted: Record<string, number> = { LB_FWD: 1, ...(payload === '' ? { LB_FLOW_NEW: 1 } : {}) }
            expectOutcome(dataplane.run(hook, bytesOf(sent)), 'redirect', bytesOf(atServer(sent, 1, family)), counted)
            const answer = fromServer(sent, 1, family, { payload: payload.toUpperCase() })
            const outcome = dataplane.run(hook, bytesOf(answer))
            expectOutcome(outcome, 'redirect', bytesOf(atClient(answer, sent)), { LB_FWD_REPLY: 1 })
          }
        })

        test('what a real server sends to somebody who is no client of ours passes', () => {
          const dataplane = natService(kind)
          const stranger = bytesOf(fromServer(syn, 1, family))
          expectOutcome(dataplane.run(hook, stranger), 'pass', stranger, { LB_PASS_NO_FLOW: 1 })
          dataplane.run(hook, bytesOf(syn))
          const other = frameOf(fromServer(syn, 1, family), ports(realPort, 40_001))
          expectOutcome(dataplane.run(hook, bytesOf(other)), 'pass', bytesOf(other), { LB_PASS_NO_FLOW: 1 })
          const otherService = frameOf(fromServer(syn, 1, family), ports(22, syn.tcp.sourcePort))
          const outcome = dataplane.run(hook, bytesOf(otherService))
          expectOutcome(outcome, 'pass', bytesOf(otherService), { LB_PASS_NO_SERVICE: 1 })
        })

        test('a reply at the end of its way is dropped', () => {
          const dataplane = natService(kind)
          dataplane.run(hook, bytesOf(syn))
          const answer = bytesOf(frameOf(fromServer(syn, 1, family), { ip: { ttl: 1 } }))
          expectOutcome(dataplane.run(hook, answer), 'drop', answer, { LB_DROP_TTL: 1 })
        })

        test('a removed real server’s answers are nobody’s any more', () => {
          const dataplane = natService(kind)
          dataplane.run(hook, bytesOf(syn))
          const { reals } = dataplane.tables.service(dataplane.service)
          dataplane.tables.removeReal(dataplane.service, reals[0]!.key)
          const answer = bytesOf(fromServer(syn, 1, family))
          expectOutcome(dataplane.run(hook, answer), 'pass', answer, { LB_PASS_NO_SERVICE: 1 })
        })

        test('a client socket on two services with one real server: the second goes to another one, or nowhere', () => {
          const dataplane = natService(kind)
          const other = serviceConfig({ vip: vips[family], family, protocol, port: 81, forwarding: 'nat' })
          const otherKey = dataplane.service.replace(/:80$/, ':81')
          dataplane.tables.putService(otherKey, other)
          addReal(dataplane, otherKey, 1)
          const second = fromClient(kind, ports(syn.tcp.sourcePort, 81))
          expect(dataplane.run(hook, bytesOf(syn)).counted).toEqual({ LB_FWD: 1, LB_FLOW_NEW: 1 })
          const refused = dataplane.run(hook, bytesOf(second))
          expect(refused).toMatchObject({ verdict: 'drop', counted: { LB_DROP_AMBIGUOUS: 1, LB_FLOW_AMBIGUOUS: 1 } })
          addReal(dataplane, otherKey, 2)
          const outcome = dataplane.run(hook, bytesOf(second))
          expect(outcome.verdict).toBe('redirect')
          expect(outcome.packet.toString('hex')).toBe(bytesOf(atServer(second, 2, family)).toString('hex'))
          for (const [sent, n] of [
            [syn, 1],
            [second, 2],
          ] as const) {
            const answer = fromServer(sent, n, family)
            const back = dataplane.run(hook, bytesOf(answer))
            expectOutcome(back, 'redirect', bytesOf(atClient(answer, sent)), { LB_FWD_REPLY: 1 })
          }
        })

        test('where there is no room to remember the connection it is dropped: its answers would be lost', () => {
          const dataplane = natService(kind)
          const programs = dataplane.set.load({ insertCap: 0 })
          const before = dataplane.counters()
          const { result } = programs.get(`lb_${hook}`)!.testRun(bytesOf(syn))
          const after = dataplane.counters()
          for (const program of programs.values()) program.close()
          expect(result).toBe(hook === 'tcx' ? 2 : 1)
          for (const name of ['LB_DROP_NO_RECORD', 'LB_FLOW_CAPPED']) expect(after[name]! - before[name]!, name).toBe(1)
        })
      })
    }
  }

  test(`${hook}: a UDP datagram without a checksum stays without one; a sum of 0 is written as 0xffff`, () => {
    const kind: Kind = { family: 'ipv4', protocol: 'udp' }
    const dataplane = natService(kind)
    const sent = fromClient(kind, { payload: 'hello' })
    const without = (spec: FrameSpec): Buffer => {
      const bytes = encodeFrame(spec)
      bytes.writeUInt16BE(0, 14 + 20 + 6)
      return bytes
    }
    const outcome = dataplane.run(hook, without(sent))
    expect(outcome.packet.toString('hex')).toBe(without(atServer(sent, 1, 'ipv4')).toString('hex'))
    const answer = fromServer(sent, 1, 'ipv4')
    expect(dataplane.run(hook, without(answer)).packet.toString('hex')).toBe(
      without(atClient(answer, sent)).toString('hex'),
    )
    // The client's port that makes the sum of the translated datagram 0, which is sent as 0xffff: one more is one less.
    const fromPort = (sourcePort: number): FrameSpec => fromClient(kind, { tcp: { sourcePort }, udp: { sourcePort } })
    const sumOf = (spec: FrameSpec): number => bytesOf(atServer(spec, 1, 'ipv4')).readUInt16BE(14 + 20 + 6)
    const wanted = fromPort((sumOf(fromPort(1)) + 1) % 0xffff)
    expect(sumOf(wanted)).toBe(0xffff)
    expect(dataplane.run(hook, bytesOf(wanted)).packet.toString('hex')).toBe(
      bytesOf(atServer(wanted, 1, 'ipv4')).toString('hex'),
    )
  })
}
