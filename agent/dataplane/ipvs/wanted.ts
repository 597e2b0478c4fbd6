// What is desired, in IPVS's own terms. Pure.
import { addressBits, familyOf } from '../../../core/model/address.ts'
import { Protocol } from '../../../core/model/dataplane.ts'
import type { RealServerConfig, ServiceConfig } from '../../../core/model/plan.ts'
import { hashingBits } from './constants.ts'
import {
  type IpvsDestinationId,
  type IpvsDestinationSettings,
  type IpvsForwarding,
  type IpvsServiceId,
  type IpvsServiceSettings,
  noTunnel,
} from './types.ts'

export function serviceIdOf(config: ServiceConfig): IpvsServiceId {
  const { vip, port, protocol, fwmark, family } = config
  if (fwmark !== null) return { family, fwmark }
  if (vip === null) throw new TypeError('a service has a VIP or a fwmark')
  return { family, protocol, address: vip, port }
}

/** The kernel's identity of a service, read from its key: steps on real servers name their service by nothing else. */
export function serviceIdOfKey(key: string): IpvsServiceId {
  const mark = /^fwmark\/(\d+)\/(ipv[46])$/.exec(key)
  if (mark !== null) return { family: mark[2] === 'ipv6' ? 'ipv6' : 'ipv4', fwmark: Number(mark[1]) }
  const match = /^(tcp|udp|sctp)\/(?:\[(.+)\]|([0-9.]+)):(\d+)$/.exec(key)
  const address = match?.[2] ?? match?.[3]
  if (match === null || address === undefined) throw new TypeError(`${key} is no key of a service`)
  return { family: familyOf(address), protocol: Protocol.parse(match[1]), address, port: Number(match[4]) }
}

export function serviceOf(config: ServiceConfig): IpvsServiceSettings {
  const { family, scheduler, schedulerFlags, persistence, onePacket } = config
  return {
    id: serviceIdOf(config),
    scheduler,
    flags: {
      persistent: persistence !== null,
      onePacket,
      schedulerBits: schedulerFlags.reduce((bits, flag) => bits | hashingBits[flag], 0),
    },
    timeoutSec: persistence?.timeoutSec ?? 0,
    prefixLength: persistence?.prefixLength ?? addressBits[family],
    engine: persistence?.engine ?? null,
  }
}

/** FullNAT is NAT to IPVS; the other half stands in nftables. */
const forwardingWords = {
  nat: 'masq',
  fullnat: 'masq',
  dr: 'droute',
  tun: 'tunnel',
  local: 'local',
} as const satisfies Record<RealServerConfig['forwarding'], IpvsForwarding>

/** Weight 0 is how IPVS says: no new connections. */
export const kernelWeight = ({ state, weight }: Pick<RealServerConfig, 'state' | 'weight'>, isUp: boolean): number =>
  state === 'enabled' && isUp ? weight : 0

export const destinationIdOf = ({ address, port }: Pick<RealServerConfig, 'address' | 'port'>): IpvsDestinationId => ({
  family: familyOf(address),
  address,
  port,
})

export function destinationOf(config: RealServerConfig, isUp: boolean): IpvsDestinationSettings {
  const { forwarding, tunnel, upperThreshold, lowerThreshold } = config
  return {
    id: destinationIdOf(config),
    forwarding: forwardingWords[forwarding],
    weight: kernelWeight(config, isUp),
    upperThreshold,
    lowerThreshold,
    tunnel: tunnel === null ? noTunnel : { type: tunnel.type, port: tunnel.port ?? 0, checksum: tunnel.checksum },
  }
}
