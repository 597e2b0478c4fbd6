import fc from 'fast-check'
import { expect, test } from 'vitest'
import { natCommands, parseNatListing } from '../../../agent/dataplane/ipvs/nat-ruleset.ts'
import type { NatEntry } from '../../../core/model/plan.ts'
import { compareNatEntries, natEntryKey } from '../../../core/reconcile/nat-entries.ts'
import { natTable } from '../../../core/reconcile/nat-groups.ts'
import { natRulesetText } from '../../../core/reconcile/nat-ruleset-text.ts'

const entry: fc.Arbitrary<NatEntry> = fc
  .record({
    family: fc.constantFrom<NatEntry['family']>('ipv4', 'ipv6'),
    protocol: fc.constantFrom<NatEntry['protocol']>('tcp', 'udp', 'sctp'),
    ports: fc.constantFrom([53, 53], [80, 8080], [80, 53], [0, 0]),
    last: fc.integer({ min: 1, max: 9 }),
    pool: fc.subarray([1, 2, 3]),
  })
  .map(({ family, protocol, ports: [port = 0, realPort = 0], last, pool }) => {
    const at = (n: number) => (family === 'ipv4' ? `192.0.2.${n}` : `2001:db8::${n}`)
    const localAddresses = pool.map((n) => at(200 + n))
    return { family, protocol, vip: at(100), port, address: at(last), realPort, localAddresses }
  })
const entries = fc.uniqueArray(entry, { selector: natEntryKey, maxLength: 12 })

interface Command {
  readonly add?: Record<string, Record<string, unknown>>
  readonly delete?: unknown
}

/** What `nft -j list table` answers after these commands, as nft 1.0.6 does: the match of the protocol is left out. */
function listingAfter(commands: readonly Command[], family: 'ip' | 'ip6'): string {
  const objects = commands.flatMap(({ add }): unknown[] => {
    if (add === undefined) return []
    const [[kind, object] = ['', {}]] = Object.entries(add)
    if (object['family'] !== family) return []
    if (kind !== 'rule') return [{ [kind]: { ...object, handle: 1 } }]
    const expr = (object['expr'] as object[]).filter((one) => !JSON.stringify(one).includes('l4proto'))
    return [{ rule: { ...object, expr, handle: 2 } }]
  })
  return JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...objects] })
}

test('what is written reads back as it was, whatever protocols, families and pools are mixed', () => {
  fc.assert(
    fc.property(entries, (wanted) => {
      const { nftables } = natCommands(wanted) as { nftables: Command[] }
      for (const [nft, family] of [
        ['ip', 'ipv4'],
        ['ip6', 'ipv6'],
      ] as const) {
        const own = wanted.filter((one) => one.family === family).toSorted(compareNatEntries)
        expect(parseNatListing(listingAfter(nftables, nft), family)).toEqual(own)
      }
    }),
  )
})

test("the whole table is replaced in one transaction, and nobody else's table is named", () => {
  fc.assert(
    fc.property(entries, (wanted) => {
      const { nftables } = natCommands(wanted) as { nftables: Command[] }
      const text = JSON.stringify(nftables)
      expect(nftables.filter((one) => one.delete !== undefined)).toHaveLength(2)
      for (const [, name] of text.matchAll(/"table":\{"family":"ip6?","name":"(\w+)"/g)) expect(name).toBe(natTable)
      for (const [, name] of text.matchAll(/"table":"(\w+)"/g)) expect(name).toBe(natTable)
    }),
  )
})

test('what an operator types has the sets that the agent writes, so that the agent knows it again', () => {
  fc.assert(
    fc.property(entries, (wanted) => {
      const { nftables } = natCommands(wanted) as { nftables: Command[] }
      const written = nftables.flatMap(({ add }) => (add?.['set'] === undefined ? [] : [add['set']['name']]))
      const typed = [...natRulesetText(wanted).matchAll(/^  set (\S+) \{$/gm)].map(([, name]) => name)
      expect(typed).toEqual(written)
    }),
  )
})

test('rules and sets in our table that are not ours to read are passed over', () => {
  const strange = {
    nftables: [
      { set: { family: 'ip', name: 'tcp0', table: natTable, elem: [{ concat: ['192.0.2.1', 80, '192.0.2.2', 80] }] } },
      { set: { family: 'ip', name: 'other', table: natTable } },
      { rule: { expr: [{ counter: { packets: 0, bytes: 0 } }, { accept: null }] } },
    ],
  }
  expect(parseNatListing(JSON.stringify(strange), 'ipv4')).toEqual([])
})
