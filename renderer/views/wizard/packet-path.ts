import { type ForwardingMethod, repliesPassDirector, translatesPorts } from '../../../core/model/dataplane.ts'

export type PacketHost = 'client' | 'director' | 'realServer'

/** One end of a pair of header fields, and whether the host that sent this leg has rewritten or put it there. */
export interface PacketEnd {
  readonly value: string
  readonly isRewritten: boolean
}

/** A pair of header fields of a packet: from and to. `outer` is the header that a tunnel puts in front. */
export interface PacketField {
  readonly name: 'mac' | 'outer' | 'ip' | 'ports'
  readonly from: PacketEnd
  readonly to: PacketEnd
}

/** One leg of a packet's way. */
export interface PacketLeg {
  readonly id: 'request' | 'forwarded' | 'reply' | 'returned'
  readonly from: PacketHost
  readonly to: PacketHost
  readonly fields: readonly PacketField[]
}

export interface PacketPlace {
  readonly forwarding: ForwardingMethod
  readonly vip: string
  readonly port: string
  readonly realServer: string
  readonly realPort: string
  /** FullNAT: the source that real servers see. */
  readonly local: string
  /** True where no router stands between director and real server. */
  readonly isNear: boolean
}

const kept = (value: string): PacketEnd => ({ value, isRewritten: false })
const rewritten = (value: string): PacketEnd => ({ value, isRewritten: true })

/**
 * The way of a request and its reply (ipvsadm(8), PACKET-FORWARDING METHODS). DR rewrites the two MAC addresses; a tunnel
 * puts a header in front; NAT rewrites the destination, FullNAT the source too. Where nothing but the way there was
 * touched, the real server answers from the VIP, past the director.
 */
export function packetPath(place: PacketPlace): PacketLeg[] {
  const { forwarding, vip, port, realServer, local, isNear } = place
  const realPort = translatesPorts(forwarding) ? place.realPort : port
  const nextHop = isNear ? realServer : 'router'
  const request: PacketLeg = {
    id: 'request',
    from: 'client',
    to: 'director',
    fields: [
      { name: 'mac', from: kept('client'), to: kept('director') },
      { name: 'ip', from: kept('CIP'), to: kept(vip) },
      { name: 'ports', from: kept('cport'), to: kept(port) },
    ],
  }
  const isNat = translatesPorts(forwarding)
  const isFullnat = forwarding === 'fullnat'
  const forwarded: PacketLeg = {
    id: 'forwarded',
    from: 'director',
    to: 'realServer',
    fields: [
      { name: 'mac', from: rewritten('director'), to: rewritten(nextHop) },
      ...(forwarding === 'tun' ? [{ name: 'outer', from: rewritten('DIP'), to: rewritten(realServer) } as const] : []),
      { name: 'ip', from: isFullnat ? rewritten(local) : kept('CIP'), to: isNat ? rewritten(realServer) : kept(vip) },
      {
        name: 'ports',
        from: isFullnat ? rewritten('lport') : kept('cport'),
        to: realPort === port ? kept(port) : rewritten(realPort),
      },
    ],
  }
  if (!repliesPassDirector(forwarding)) {
    const reply: PacketLeg = {
      id: 'reply',
      from: 'realServer',
      to: 'client',
      fields: [
        { name: 'mac', from: kept(realServer), to: kept(isNear ? 'client' : 'router') },
        { name: 'ip', from: kept(vip), to: kept('CIP') },
        { name: 'ports', from: kept(port), to: kept('cport') },
      ],
    }
    return [request, forwarded, reply]
  }
  const reply: PacketLeg = {
    id: 'reply',
    from: 'realServer',
    to: 'director',
    fields: [
      { name: 'mac', from: kept(realServer), to: kept(isNear ? 'director' : 'router') },
      { name: 'ip', from: kept(realServer), to: kept(isFullnat ? local : 'CIP') },
      { name: 'ports', from: kept(realPort), to: kept(isFullnat ? 'lport' : 'cport') },
    ],
  }
  const returned: PacketLeg = {
    id: 'returned',
    from: 'director',
    to: 'client',
    fields: [
      { name: 'mac', from: rewritten('director'), to: rewritten('client') },
      { name: 'ip', from: rewritten(vip), to: isFullnat ? rewritten('CIP') : kept('CIP') },
      {
        name: 'ports',
        from: realPort === port ? kept(port) : rewritten(port),
        to: isFullnat ? rewritten('cport') : kept('cport'),
      },
    ],
  }
  return [request, forwarded, reply, returned]
}
