import { compareAddresses } from '../model/address.ts'
import type { NatEntry, RealServerConfig, ServiceConfig } from '../model/plan.ts'

interface NatService {
  readonly config: ServiceConfig
  readonly realServers: readonly RealServerConfig[]
}

/**
 * What FullNAT needs beside IPVS: each real server's connections from this VIP get another source address. A service by
 * fwmark has no VIP to tell its connections by, so it has no entry (the document refuses the mix).
 */
export function natEntriesOf(services: readonly NatService[]): NatEntry[] {
  return services.flatMap(({ config, realServers }) => {
    const { vip, port, protocol, family, localAddresses } = config
    if (config.dataplane !== 'ipvs' || config.forwarding !== 'fullnat' || vip === null) return []
    return realServers
      .filter((one) => one.forwarding === 'fullnat')
      .map(({ address, port: realPort }) => ({ family, protocol, vip, port, address, realPort, localAddresses }))
  })
}

/** What makes an entry the same: everything but the addresses that it gives. */
export const natEntryKey = (entry: NatEntry): string =>
  `${entry.protocol} ${entry.vip} ${entry.port} ${entry.address} ${entry.realPort}`

export const compareNatEntries = (a: NatEntry, b: NatEntry): number =>
  compareAddresses(a.vip, b.vip) ||
  a.port - b.port ||
  compareAddresses(a.address, b.address) ||
  a.realPort - b.realPort ||
  (a.protocol < b.protocol ? -1 : a.protocol > b.protocol ? 1 : 0)

/** True where both say the same, whatever their order. */
export function sameNatEntries(a: readonly NatEntry[], b: readonly NatEntry[]): boolean {
  const text = (entries: readonly NatEntry[]) =>
    entries.map((entry) => `${natEntryKey(entry)} ${entry.localAddresses.join(',')}`).toSorted()
  const [x, y] = [text(a), text(b)]
  return x.length === y.length && x.every((line, i) => line === y[i])
}

/** All of both; where both have one, the second's addresses count. */
export function unionOfNatEntries(before: readonly NatEntry[], after: readonly NatEntry[]): NatEntry[] {
  const all = new Map([...before, ...after].map((entry) => [natEntryKey(entry), entry]))
  return [...all.values()].toSorted(compareNatEntries)
}
