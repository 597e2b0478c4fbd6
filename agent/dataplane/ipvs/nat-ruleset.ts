// FullNAT on IPVS: the rules of our own nftables table, as nft(8) reads and lists them in JSON (libnftables-json(5)).
import { z } from 'zod'
import { compareAddresses } from '../../../core/model/address.ts'
import type { NatEntry } from '../../../core/model/plan.ts'
import { compareNatEntries } from '../../../core/reconcile/nat-entries.ts'

/** One table for each family; nobody else's table is read or written. */
export const natTable = 'signalbox_fullnat'
const families = ['ipv4', 'ipv6'] as const
type Family = (typeof families)[number]
const nftFamily = { ipv4: 'ip', ipv6: 'ip6' } as const
const addressType = { ipv4: 'ipv4_addr', ipv6: 'ipv6_addr' } as const

/**
 * What tells a connection of one virtual service to one real server, after IPVS has rewritten its destination: the
 * original destination in conntrack (vs.conntrack = 1) is the VIP, the packet's is the real server (tried on 6.1). A
 * plain NAT service on the same real server is not met.
 */
const keyOf = (family: Family): readonly object[] => [
  { meta: { key: 'l4proto' } },
  { ct: { key: nftFamily[family] === 'ip' ? 'ip daddr' : 'ip6 daddr', dir: 'original' } },
  { ct: { key: 'proto-dst', dir: 'original' } },
  { payload: { protocol: nftFamily[family], field: 'daddr' } },
  { payload: { protocol: 'th', field: 'dport' } },
]

/** Entries with the same local addresses share a set, and a rule. */
const poolOf = (entry: NatEntry): string => entry.localAddresses.toSorted(compareAddresses).join(' ')

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
  const pools = [...Map.groupBy(entries, poolOf)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const type = ['inet_proto', addressType[family], 'inet_service', addressType[family], 'inet_service']
  return [
    { add: { table: { family: place.family, name: natTable } } },
    { add: { chain: { ...place, name: 'post', type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' } } },
    ...pools.flatMap(([pool, members], index) => {
      const name = `pool${index}`
      const match = { op: '==', left: { concat: keyOf(family) }, right: `@${name}` }
      return [
        { add: { set: { ...place, name, type, elem: members.toSorted(compareNatEntries).map(elementOf) } } },
        { add: { rule: { ...place, chain: 'post', expr: [{ match }, ...natStatement(pool)] } } },
      ]
    }),
  ]
}

const elementOf = (entry: NatEntry): object => ({
  concat: [entry.protocol, entry.vip, entry.port, entry.address, entry.realPort],
})

/** By turns over the addresses; the kernel looks for a free port in each. */
function natStatement(pool: string): object[] {
  const addresses = pool === '' ? [] : pool.split(' ')
  const [only] = addresses
  if (only === undefined) return [{ masquerade: null }]
  if (addresses.length === 1) return [{ snat: { addr: only } }]
  const turns = { numgen: { mode: 'inc', mod: addresses.length, offset: 0 } }
  const data = { set: addresses.map((address, i) => [i, address]) }
  return [{ snat: { addr: { map: { key: turns, data } } } }]
}

const Element = z.object({
  concat: z.tuple([z.string(), z.string(), z.union([z.number(), z.string()]), z.string(), z.union([z.number(), z.string()])]),
})
const Listing = z.object({
  nftables: z.array(
    z.looseObject({
      set: z.looseObject({ name: z.string(), elem: z.array(Element).optional() }).optional(),
      rule: z.looseObject({ expr: z.array(z.looseObject({})) }).optional(),
    }),
  ),
})
const Match = z.object({ match: z.object({ right: z.string() }) })
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
    pools.set(match.data.match.right.replace(/^@/, ''), addressesOf(snat?.data))
  }
  return nftables
    .flatMap(({ set }) => {
      const localAddresses = set === undefined ? undefined : pools.get(set.name)
      if (set === undefined || localAddresses === undefined) return []
      return (set.elem ?? []).map(({ concat: [protocol, vip, port, address, realPort] }): NatEntry => {
        return {
          family,
          protocol: protocolOf(protocol),
          vip,
          port: Number(port),
          address,
          realPort: Number(realPort),
          localAddresses,
        }
      })
    })
    .toSorted(compareNatEntries)
}

function addressesOf(statement: z.infer<typeof Snat> | undefined): string[] {
  if (statement === undefined) return []
  const { addr } = statement.snat
  return typeof addr === 'string' ? [addr] : addr.map.data.set.map(([, address]) => address).toSorted(compareAddresses)
}

const protocolOf = (word: string): NatEntry['protocol'] => {
  if (word === 'tcp' || word === 'udp' || word === 'sctp') return word
  throw new TypeError(`the table ${natTable} holds the protocol ${word}`)
}
