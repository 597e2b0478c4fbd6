// FullNAT on IPVS: the rules of our own nftables table, as nft(8) reads and lists them in JSON (libnftables-json(5)).
import { z } from 'zod'
import { compareAddresses } from '../../../core/model/address.ts'
import { Protocol } from '../../../core/model/dataplane.ts'
import type { NatEntry } from '../../../core/model/plan.ts'
import { compareNatEntries } from '../../../core/reconcile/nat-entries.ts'
import { type NatGroup, natGroups, natTable } from '../../../core/reconcile/nat-groups.ts'

const families = ['ipv4', 'ipv6'] as const
type Family = (typeof families)[number]
const nftFamily = { ipv4: 'ip', ipv6: 'ip6' } as const
const addressType = { ipv4: 'ipv4_addr', ipv6: 'ipv6_addr' } as const

/**
 * What tells a connection of one virtual service to one real server, after IPVS has rewritten its destination: the
 * original destination in conntrack (vs.conntrack = 1) is the VIP, the packet's is the real server (tried on 6.1). A
 * plain NAT service on the same real server is not met. The protocol is matched before, by a match of its own: without
 * it nft cannot tell the type of conntrack's port ("variable sized data types").
 */
const keyOf = (family: Family, { protocol, isEveryPort }: NatGroup): readonly object[] => {
  const vip = { ct: { key: nftFamily[family] === 'ip' ? 'ip daddr' : 'ip6 daddr', dir: 'original' } }
  const realServer = { payload: { protocol: nftFamily[family], field: 'daddr' } }
  // A service of every port has no port to tell it by.
  if (isEveryPort) return [vip, realServer]
  const port16 = { ct: { key: 'proto-dst', dir: 'original' } }
  return [vip, port16, realServer, { payload: { protocol, field: 'dport' } }]
}

/** The commands that make our tables say exactly this, in one transaction. */
export function natCommands(entries: readonly NatEntry[]): object {
  const commands: object[] = []
  for (const family of families) {
    const own = entries.filter((entry) => entry.family === family)
    const table = { family: nftFamily[family], name: natTable }
    // Adding one that is there is no error, so that deleting it is none either.
    commands.push({ add: { table } }, { delete: { table } })
    if (own.length > 0) commands.push(...familyCommands(family, own))
  }
  return { nftables: [{ metainfo: { json_schema_version: 1 } }, ...commands] }
}

function familyCommands(family: Family, entries: readonly NatEntry[]): object[] {
  const place = { family: nftFamily[family], table: natTable }
  return [
    { add: { table: { family: place.family, name: natTable } } },
    { add: { chain: { ...place, name: 'post', type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' } } },
    ...natGroups(entries).flatMap((group) => {
      const { name, protocol, isEveryPort, localAddresses } = group
      const isProtocol = { op: '==', left: { meta: { key: 'l4proto' } }, right: protocol }
      const isEntry = { op: '==', left: { concat: keyOf(family, group) }, right: `@${name}` }
      const address = addressType[family]
      const type = isEveryPort ? [address, address] : [address, 'inet_service', address, 'inet_service']
      const expr = [{ match: isProtocol }, { match: isEntry }, natStatement(localAddresses)]
      return [
        { add: { set: { ...place, name, type, elem: group.entries.map(elementOf) } } },
        { add: { rule: { ...place, chain: 'post', expr } } },
      ]
    }),
  ]
}

const elementOf = ({ vip, port, address, realPort }: NatEntry): object => ({
  concat: port === 0 ? [vip, address] : [vip, port, address, realPort],
})

/** By turns over the addresses; the kernel looks for a free port in each. */
function natStatement(addresses: readonly string[]): object {
  const [only] = addresses
  if (only === undefined) return { masquerade: null }
  if (addresses.length === 1) return { snat: { addr: only } }
  const turns = { numgen: { mode: 'inc', mod: addresses.length, offset: 0 } }
  const data = { set: addresses.map((address, i) => [i, address]) }
  return { snat: { addr: { map: { key: turns, data } } } }
}

/** nft writes a port by its number. */
const Element = z.object({
  concat: z.union([
    z.tuple([z.string(), z.number(), z.string(), z.number()]),
    z.tuple([z.string(), z.string()]).transform(([vip, address]) => [vip, 0, address, 0] as const),
  ]),
})
const Listing = z.object({
  nftables: z.array(
    z.looseObject({
      set: z.looseObject({ name: z.string(), elem: z.array(Element).optional() }).optional(),
      rule: z.looseObject({ expr: z.array(z.looseObject({})) }).optional(),
    }),
  ),
})
const Match = z.object({ match: z.object({ right: z.string().startsWith('@') }) })
const Snat = z.object({
  snat: z.object({
    addr: z.union([
      z.string(),
      z.object({ map: z.object({ data: z.object({ set: z.array(z.tuple([z.number(), z.string()])) }) }) }),
    ]),
  }),
})

/** Our entries in what `nft -j list table` tells of one family; rules that are not ours are passed over. */
export function parseNatListing(text: string, family: Family): NatEntry[] {
  const { nftables } = Listing.parse(JSON.parse(text))
  const pools = new Map<string, string[]>()
  for (const { rule } of nftables) {
    const match = rule?.expr.map((one) => Match.safeParse(one)).find((one) => one.success)
    if (rule === undefined || match?.data === undefined) continue
    const snat = rule.expr.map((one) => Snat.safeParse(one)).find((one) => one.success)
    pools.set(match.data.match.right.slice(1), addressesOf(snat?.data))
  }
  return nftables
    .flatMap(({ set }) => {
      const localAddresses = set === undefined ? undefined : pools.get(set.name)
      const protocol = Protocol.safeParse(set?.name.replace(/\d+$/, ''))
      if (set === undefined || localAddresses === undefined || !protocol.success) return []
      return (set.elem ?? []).map(({ concat: [vip, port, address, realPort] }): NatEntry => {
        return { family, protocol: protocol.data, vip, port, address, realPort, localAddresses }
      })
    })
    .toSorted(compareNatEntries)
}

function addressesOf(statement: z.infer<typeof Snat> | undefined): string[] {
  if (statement === undefined) return []
  const { addr } = statement.snat
  return typeof addr === 'string' ? [addr] : addr.map.data.set.map(([, address]) => address).toSorted(compareAddresses)
}
