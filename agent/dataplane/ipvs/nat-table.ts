import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../../../core/contract/errors.ts'
import type { NatEntry } from '../../../core/model/plan.ts'
import { natTable } from '../../../core/reconcile/nat-groups.ts'
import { run } from '../../host/run-command.ts'
import { natCommands, parseNatListing } from './nat-ruleset.ts'

/** FullNAT's table in the kernel. */
export interface NatTable {
  /** What is missing for FullNAT, one English sentence; null where nothing is. */
  obstacle(): string | null
  /** What the kernel has now. */
  read(): NatEntry[]
  /** Replaces all entries in one transaction; connections that exist keep their addresses. */
  write(entries: readonly NatEntry[]): void
}

const families = [
  ['ip', 'ipv4'],
  ['ip6', 'ipv6'],
] as const

/** Through nft(8): its library is the one that knows what the running kernel's nftables understands. */
export function nftNatTable(): NatTable {
  /** Undefined until it was asked for once: the program does not come or go while the agent runs. */
  let obstacle: string | null | undefined
  const lookForNft = (): string | null => {
    try {
      run('nft', ['--json', 'list', 'tables'])
      return null
    } catch (error) {
      return `FullNAT needs nft(8) with JSON on the director: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  const known = (): string | null => (obstacle === undefined ? (obstacle = lookForNft()) : obstacle)
  return {
    obstacle: known,
    read() {
      if (known() !== null) return []
      return families.flatMap(([family, own]) => {
        try {
          return parseNatListing(run('nft', ['--json', 'list', 'table', family, natTable]), own)
        } catch (error) {
          if (error instanceof AppError && /No such file or directory/.test(error.details?.['stderr'] ?? '')) return []
          throw error
        }
      })
    },
    write(entries) {
      // In a file: nft opens its input by name, and the standard input of a child of ours is a socket, which has none.
      const folder = mkdtempSync(join(tmpdir(), 'signalbox-nft-'))
      try {
        const file = join(folder, 'rules.json')
        writeFileSync(file, JSON.stringify(natCommands(entries)), { mode: 0o600 })
        run('nft', ['--json', '--file', file])
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}
