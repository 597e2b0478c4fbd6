// Numbers of the generic netlink family "IPVS". Source: include/uapi/linux/ip_vs.h.

export const ipvsFamilyName = 'IPVS'

/**
 * FLUSH (17) is left out on purpose: it removes the services of everybody in the network namespace, those of keepalived
 * and those made by hand too. What is ours is deleted by name. SET_INFO (14) is an answer only.
 */
export const command = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  newDaemon: 9,
  deleteDaemon: 10,
  getDaemon: 11,
  setConfig: 12,
  getConfig: 13,
  setInfo: 14,
  getInfo: 15,
  zero: 16,
} as const

/** IPVS_CMD_ATTR_*: the top level of every message but that of GET_INFO. */
export const topAttribute = {
  service: 1,
  destination: 2,
  daemon: 3,
  timeoutTcp: 4,
  timeoutTcpFin: 5,
  timeoutUdp: 6,
} as const
export const largestTopAttribute = 6

/** IPVS_SVC_ATTR_* */
export const serviceAttribute = {
  family: 1,
  protocol: 2,
  address: 3,
  port: 4,
  fwmark: 5,
  scheduler: 6,
  flags: 7,
  timeout: 8,
  netmask: 9,
  stats: 10,
  engine: 11,
  stats64: 12,
} as const
export const largestServiceAttribute = 12

/** IPVS_DEST_ATTR_* */
export const destinationAttribute = {
  address: 1,
  port: 2,
  forwarding: 3,
  weight: 4,
  upperThreshold: 5,
  lowerThreshold: 6,
  activeConnections: 7,
  inactiveConnections: 8,
  persistentConnections: 9,
  stats: 10,
  family: 11,
  stats64: 12,
  tunnelType: 13,
  tunnelPort: 14,
  tunnelFlags: 15,
} as const
export const largestDestinationAttribute = 15

/** IPVS_DAEMON_ATTR_* */
export const daemonAttribute = {
  state: 1,
  interface: 2,
  syncId: 3,
  maxLength: 4,
  group: 5,
  group6: 6,
  port: 7,
  ttl: 8,
} as const
export const largestDaemonAttribute = 8

/** IPVS_STATS_ATTR_*, in STATS and in STATS64. */
export const statsAttribute = {
  connections: 1,
  inPackets: 2,
  outPackets: 3,
  inBytes: 4,
  outBytes: 5,
  connectionsPerSec: 6,
  inPacketsPerSec: 7,
  outPacketsPerSec: 8,
  inBytesPerSec: 9,
  outBytesPerSec: 10,
} as const
export const largestStatsAttribute = 10

/** IPVS_INFO_ATTR_*: the top level of GET_INFO's answer, numbered anew. */
export const infoAttribute = { version: 1, connectionTableSize: 2 } as const
export const largestInfoAttribute = 2

/** IP_VS_SVC_F_*. HASHED (2) is the kernel's own; the three scheduler bits mean what the scheduler makes of them. */
export const serviceFlag = { persistent: 0x1, onePacket: 0x4, schedulerBits: 0x38 } as const
export const schedulerBitsShift = 3
/** The bits that a change sets or clears; all others stay as the kernel has them. */
export const ownServiceFlags = serviceFlag.persistent | serviceFlag.onePacket | serviceFlag.schedulerBits

/** What sh and mh make of the scheduler bits: IP_VS_SVC_F_SCHED_SH_*, and IP_VS_SVC_F_SCHED_MH_* of ip_vs_mh.c. */
export const hashingBits = { fallback: 1, port: 2 } as const

/** AF_INET, AF_INET6 */
export const familyNumber = { ipv4: 2, ipv6: 10 } as const
/** IPPROTO_* */
export const protocolNumber = { tcp: 6, udp: 17, sctp: 132 } as const
/** IP_VS_CONN_F_* below IP_VS_CONN_F_FWD_MASK */
export const forwardingNumber = { masq: 0, local: 1, tunnel: 2, droute: 3, bypass: 4 } as const
export const forwardingMask = 7
/** IP_VS_CONN_F_TUNNEL_TYPE_* */
export const tunnelNumber = { ipip: 0, gue: 1, gre: 2 } as const
/** IP_VS_TUNNEL_ENCAP_FLAG_* */
export const checksumNumber = { nocsum: 0, csum: 1, remcsum: 2 } as const
/** IP_VS_STATE_* */
export const daemonNumber = { master: 1, backup: 2 } as const

/** IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN and IP_VS_IFNAME_MAXLEN are 16 with the final NUL; the engine's name alone may fill it. */
export const longestText = { scheduler: 15, engine: 16, interface: 15 } as const
/** union nf_inet_addr */
export const addressSize = 16
