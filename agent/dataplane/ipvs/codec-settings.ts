// Sync daemons, timeouts and facts of IPVS on the wire. Source: ip_vs_genl_fill_daemon, ip_vs_genl_new_daemon and
// ip_vs_genl_get_cmd of net/netfilter/ipvs/ip_vs_ctl.c.
import { AttributeReader } from '../../kernel/attributes.ts'
import { MalformedError } from '../../kernel/bytes.ts'
import { formatAddress, parseAddress } from '../../kernel/ip-address.ts'
import type { NetlinkWriter } from '../../kernel/netlink-writer.ts'
import { namesOf, present } from './codec-fields.ts'
import {
  addressSize,
  daemonAttribute,
  daemonNumber,
  infoAttribute,
  largestDaemonAttribute,
  largestInfoAttribute,
  largestTopAttribute,
  longestText,
  topAttribute,
} from './constants.ts'
import type { IpvsDaemon, IpvsDaemonSettings, IpvsDaemonState, IpvsInfo, IpvsTimeouts } from './types.ts'

const daemonNames = namesOf(daemonNumber)

export function writeDaemon(writer: NetlinkWriter, daemon: IpvsDaemonSettings): void {
  const { group } = daemon
  writer.nest(topAttribute.daemon, (inner) => {
    inner.u32(daemonAttribute.state, daemonNumber[daemon.state])
    inner.text(daemonAttribute.interface, daemon.interface, longestText.interface)
    inner.u32(daemonAttribute.syncId, daemon.syncId)
    if (daemon.maxLength !== undefined) inner.u16(daemonAttribute.maxLength, daemon.maxLength)
    if (group?.includes(':') === true) inner.bytes(daemonAttribute.group6, parseAddress('ipv6', group))
    else if (group !== undefined) inner.bytes(daemonAttribute.group, parseAddress('ipv4', group))
    if (daemon.port !== undefined) inner.u16(daemonAttribute.port, daemon.port)
    if (daemon.ttl !== undefined) inner.u8(daemonAttribute.ttl, daemon.ttl)
  })
}

export function writeDaemonState(writer: NetlinkWriter, state: IpvsDaemonState): void {
  writer.nest(topAttribute.daemon, (inner) => inner.u32(daemonAttribute.state, daemonNumber[state]))
}

/** One answer to GET_DAEMON. */
export function decodeDaemon(words: Uint32Array, start: number, end: number): IpvsDaemon {
  const what = 'IPVS sync daemon'
  const top = new AttributeReader(largestTopAttribute, what).over(words, start, end)
  const nest = top.nest(topAttribute.daemon, new AttributeReader(largestDaemonAttribute, what))
  const reader = present(nest, what, 'daemon')
  const number = present(reader.u32(daemonAttribute.state), what, 'state')
  const state = daemonNames.get(number)
  if (state === undefined) throw new MalformedError(what, `state ${number}, expected 1 or 2`)
  const group = reader.bytes(daemonAttribute.group, 4)
  const group6 = reader.bytes(daemonAttribute.group6, addressSize)
  return {
    state,
    interface: present(reader.text(daemonAttribute.interface), what, 'interface'),
    syncId: present(reader.u32(daemonAttribute.syncId), what, 'sync id'),
    maxLength: reader.u16(daemonAttribute.maxLength) ?? null,
    group:
      group6 !== undefined ? formatAddress('ipv6', group6) : group === undefined ? null : formatAddress('ipv4', group),
    port: reader.u16(daemonAttribute.port) ?? null,
    ttl: reader.u8(daemonAttribute.ttl) ?? null,
  }
}

/** A time that is left out stays as it is. So would 0, which the kernel takes for "unchanged". */
export function writeTimeouts(writer: NetlinkWriter, timeouts: Partial<IpvsTimeouts>): void {
  const { tcpSec, tcpFinSec, udpSec } = timeouts
  if (typeof tcpSec === 'number') writer.u32(topAttribute.timeoutTcp, tcpSec)
  if (typeof tcpFinSec === 'number') writer.u32(topAttribute.timeoutTcpFin, tcpFinSec)
  if (typeof udpSec === 'number') writer.u32(topAttribute.timeoutUdp, udpSec)
}

/** The answer to GET_CONFIG. */
export function decodeTimeouts(words: Uint32Array, start: number, end: number): IpvsTimeouts {
  const reader = new AttributeReader(largestTopAttribute, 'IPVS timeouts').over(words, start, end)
  return {
    tcpSec: reader.u32(topAttribute.timeoutTcp) ?? null,
    tcpFinSec: reader.u32(topAttribute.timeoutTcpFin) ?? null,
    udpSec: reader.u32(topAttribute.timeoutUdp) ?? null,
  }
}

/** The answer to GET_INFO. */
export function decodeInfo(words: Uint32Array, start: number, end: number): IpvsInfo {
  const what = 'IPVS facts'
  const reader = new AttributeReader(largestInfoAttribute, what).over(words, start, end)
  const version = present(reader.u32(infoAttribute.version), what, 'version')
  return {
    version: `${(version >> 16) & 0xff}.${(version >> 8) & 0xff}.${version & 0xff}`,
    connectionTableSize: present(reader.u32(infoAttribute.connectionTableSize), what, 'connection table size'),
  }
}
