import type { IpFamily } from '../model/address.ts'
import type { NatEntry } from '../model/plan.ts'
import { type NatGroup, natGroups, natTable } from './nat-groups.ts'

const words = {
  ipv4: { family: 'ip', type: 'ipv4_addr' },
  ipv6: { family: 'ip6', type: 'ipv6_addr' },
} as const satisfies Record<IpFamily, object>

/**
 * FullNAT's tables as nft(8) reads them from a file: one transaction after which they say exactly this. A connection is
 * told by its original destination, the VIP, and by the real server that IPVS has chosen (tried on 6.1 with
 * net.ipv4.vs.conntrack = 1).
 */
export function natRulesetText(entries: readonly NatEntry[]): string {
  return (['ipv4', 'ipv6'] as const)
    .map((family) =>
      familyText(
        family,
        entries.filter((entry) => entry.family === family),
      ),
    )
    .join('')
}

function familyText(family: IpFamily, entries: readonly NatEntry[]): string {
  const { family: nft } = words[family]
  // Adding one that is there is no error, so that deleting it is none either.
  const clear = `add table ${nft} ${natTable}\ndelete table ${nft} ${natTable}\n`
  if (entries.length === 0) return clear
  const parts = natGroups(entries).map((group) => groupText(family, group))
  return `${clear}table ${nft} ${natTable} {
${parts.map(({ set }) => set).join('')}  chain post {
    type nat hook postrouting priority 100; policy accept;
${parts.map(({ rule }) => rule).join('')}  }
}\n`
}

/**
 * nft 1.0.6 takes `ct original proto-dst` into a concatenation only where the rule has named the protocol, and a service
 * of every port has none to compare.
 */
function groupText(family: IpFamily, group: NatGroup): { readonly set: string; readonly rule: string } {
  const { family: nft, type } = words[family]
  const { name, protocol, localAddresses, isEveryPort } = group
  const fields = isEveryPort ? [type, type] : [type, 'inet_service', type, 'inet_service']
  const key = isEveryPort
    ? `ct original ${nft} daddr . ${nft} daddr`
    : `ct original ${nft} daddr . ct original proto-dst . ${nft} daddr . th dport`
  const elements = group.entries.map(({ vip, port, address, realPort }) =>
    (isEveryPort ? [vip, address] : [vip, port, address, realPort]).join(' . '),
  )
  const set = `  set ${name} {
    type ${fields.join(' . ')}
    elements = {
      ${elements.join(',\n      ')}
    }
  }\n`
  return { set, rule: `    meta l4proto ${protocol} ${key} @${name} ${statement(localAddresses)}\n` }
}

/** By turns over the addresses; the kernel looks for a free port in each. */
function statement(addresses: readonly string[]): string {
  if (addresses.length === 0) return 'masquerade'
  if (addresses.length === 1) return `snat to ${addresses.join('')}`
  const turns = addresses.map((address, i) => `${i} : ${address}`).join(', ')
  return `snat to numgen inc mod ${addresses.length} map { ${turns} }`
}
