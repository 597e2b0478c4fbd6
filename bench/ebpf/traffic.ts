// What is sent through the programs, as data: one row of the report each.
import type { IpFamily } from '../../core/model/address.ts'
import { synFrame } from '../../test/fixtures/packet-scenarios.ts'
import { encodeFrame, frameOf, type TcpFlag } from '../../test/fixtures/packets.ts'

export interface Traffic {
  readonly key: string
  readonly title: string
  /** So many flows take turns; a power of two. */
  readonly flows: number
  /** Whether programs know the flow of each packet, see each flow for the first time, or have no service for it. */
  readonly meets: 'known' | 'new' | 'nobody'
  /** Flags of TCP; without them it is UDP. */
  readonly flags: readonly TcpFlag[] | null
}

export const port = 80
export const vips: Readonly<Record<IpFamily, string>> = { ipv4: '192.0.2.100', ipv6: '2001:db8::100' }
const clients: Readonly<Record<IpFamily, string>> = { ipv4: '198.51.100.7', ipv6: '2001:db8:1::7' }
const nobodys: Readonly<Record<IpFamily, string>> = { ipv4: '192.0.2.2', ipv6: '2001:db8::2' }
export const addressOfReal = (n: number, family: IpFamily): string =>
  family === 'ipv4' ? `192.0.2.${10 + n}` : `2001:db8::1:${n}`

export const traffics: readonly Traffic[] = [
  { key: 'hit1', title: 'hit, 1 flow', flows: 1, meets: 'known', flags: ['ACK'] },
  { key: 'hit64k', title: 'hit, 64k flows', flows: 1 << 16, meets: 'known', flags: ['ACK'] },
  { key: 'hit256k', title: 'hit, 256k flows', flows: 1 << 18, meets: 'known', flags: ['ACK'] },
  { key: 'newFlow', title: 'new flow', flows: 1 << 24, meets: 'new', flags: ['SYN'] },
  { key: 'udp', title: 'UDP hit, 1 flow', flows: 1, meets: 'known', flags: null },
  { key: 'pass', title: 'not for a service', flows: 1, meets: 'nobody', flags: ['ACK'] },
]

/** The harness writes 80 bytes of headers anew; shorter packets have none of their own there. */
const payload = 'x'.repeat(60)

export function packetOf({ flags, meets }: Traffic, family: IpFamily): Buffer {
  const ip = {
    source: clients[family],
    destination: (meets === 'nobody' ? nobodys : vips)[family],
    protocol: flags === null ? 17 : 6,
  }
  const ports = { destinationPort: port }
  return encodeFrame(
    frameOf({ ...synFrame, payload }, { ip, tcp: { ...ports, ...(flags === null ? {} : { flags }) }, udp: ports }),
  )
}
