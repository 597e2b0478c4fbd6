import { compareAddresses } from '../model/address.ts'
import type { NatEntry } from '../model/plan.ts'
import { compareNatEntries } from './nat-entries.ts'

/** FullNAT's own nftables table; there is one for each family, and nobody else's is read or written. */
export const natTable = 'signalbox_fullnat'

/** Entries that share a set and a rule. */
export interface NatGroup {
  /** Of the set; whoever reads the table back takes the protocol from it. */
  readonly name: string
  readonly protocol: NatEntry['protocol']
  /** A service of every port, which has no port to tell its connections by. */
  readonly isEveryPort: boolean
  /** Sorted; empty: the address of the interface that leads there. */
  readonly localAddresses: readonly string[]
  readonly entries: readonly NatEntry[]
}

/**
 * Groups of one family's entries, the same for the agent and for the command that an operator types: what the one has
 * written the other must read.
 */
export function natGroups(entries: readonly NatEntry[]): NatGroup[] {
  const groups = [...Map.groupBy(entries, keyOf)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return groups.flatMap(([, members], index) => {
    const [first] = members
    if (first === undefined) return []
    const { protocol, port } = first
    return [
      {
        name: `${protocol}${index}`,
        protocol,
        isEveryPort: port === 0,
        localAddresses: first.localAddresses.toSorted(compareAddresses),
        entries: members.toSorted(compareNatEntries),
      },
    ]
  })
}

const keyOf = ({ protocol, port, localAddresses }: NatEntry): string =>
  [protocol, port === 0 ? 'any' : 'port', ...localAddresses.toSorted(compareAddresses)].join(' ')
