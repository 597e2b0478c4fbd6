// What is sent through the programs, as data: one row of the report each.
import { synFrame } from '../../test/fixtures/packet-scenarios.ts'
import { encodeFrame, type FrameChange, frameOf } from '../../test/fixtures/packets.ts'

export interface Traffic {
  readonly key: string
  readonly title: string
  /** So many flows take turns; a power of two. */
  readonly flows: number
  /** Whether programs know the flow of each packet, see each flow for the first time, or have no service for it. */
  readonly meets: 'known' | 'new' | 'nobody'
  readonly change: FrameChange
}

export const vip = '192.0.2.100'
export const port = 80

const ack: FrameChange = { tcp: { flags: ['ACK'] } }

export const traffics: readonly Traffic[] = [
  { key: 'hit1', title: 'hit, 1 flow', flows: 1, meets: 'known', change: ack },
  { key: 'hit64k', title: 'hit, 64k flows', flows: 1 << 16, meets: 'known', change: ack },
  { key: 'hit256k', title: 'hit, 256k flows', flows: 1 << 18, meets: 'known', change: ack },
  { key: 'newFlow', title: 'new flow', flows: 1 << 24, meets: 'new', change: {} },
  { key: 'pass', title: 'not for a service', flows: 1, meets: 'nobody', change: { ip: { destination: '192.0.2.2' } } },
]

/** The harness writes 80 bytes of headers anew; shorter packets have none of their own there. */
const payload = 'x'.repeat(40)

export const packetOf = (traffic: Traffic): Buffer => encodeFrame(frameOf({ ...synFrame, payload }, traffic.change))
