// What a tunnel leaves of the usual packet size, where nobody tells the client that a packet was too large.
import { familyOf } from '../model/address.ts'
import { forwardingOf } from '../model/service-rules.ts'
import { defaultTunnel, type VirtualService } from '../model/service.ts'

/** Bytes of an Ethernet frame's payload. */
const usualMtu = 1500
const ipHeader = { ipv4: 20, ipv6: 40 } as const
const tcpHeader = 20
/** UDP (RFC 768) and GUE without options. */
const gueHeader = 8 + 4

export interface TunnelRoom {
  /** Largest packet of a client that fits with the outer header. */
  readonly bytes: number
  /** What the real servers should announce as their segment size, so that clients send no more. */
  readonly mss: number
}

/** For an eBPF service with a tunnel, over interfaces of 1500 bytes; null for the others. */
export function tunnelRoom(service: VirtualService): TunnelRoom | null {
  if (service.dataplane !== 'ebpf' || service.vip === undefined) return null
  const overheads = service.realServers
    .filter((realServer) => forwardingOf(service, realServer) === 'tun')
    .map((realServer) => {
      const { type } = realServer.tunnel ?? service.tunnel ?? defaultTunnel
      return ipHeader[familyOf(realServer.address)] + (type === 'gue' ? gueHeader : 0)
    })
  if (overheads.length === 0) return null
  const bytes = usualMtu - Math.max(...overheads)
  return { bytes, mss: bytes - ipHeader[familyOf(service.vip)] - tcpHeader }
}
