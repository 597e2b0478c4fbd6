// Which virtual services a keepalived configuration names: just that, as keepalived.conf(5) of 2.2 writes it. Pure.
import ipaddr from 'ipaddr.js'
import { addressBits, familyOf, HostAddress } from '../../../core/model/address.ts'
import { Protocol } from '../../../core/model/dataplane.ts'
import { serviceKey } from '../../../core/model/service.ts'

/** Files as keepalived sees them. */
export interface ConfigurationFiles {
  /** Null where it cannot be read. */
  read(path: string): string | null
  /** Names in a folder; empty where it cannot be read. */
  list(folder: string): string[]
}

interface Block {
  readonly words: readonly string[]
  readonly lines: readonly (readonly string[])[]
}

/** Includes that include themselves end somewhere. */
const deepestInclude = 16
/** Addresses of one range; a configuration with more of them says nothing that would be worth the list. */
const longestRange = 4096

/**
 * Keys of the virtual services that keepalived manages with this file. Null where that cannot be told: the file or one
 * that it includes is not readable, or an address is put together by parameter substitution.
 */
export function servicesOfKeepalived(path: string, files: ConfigurationFiles): string[] | null {
  const lines = linesOf(path, files, 0)
  if (lines === null) return null
  const blocks = topBlocks(lines)
  const groups = new Map(
    blocks.filter(({ words }) => words[0] === 'virtual_server_group').map((block) => [block.words[1], block.lines]),
  )
  const keys: string[] = []
  for (const { words, lines: settings } of blocks) {
    if (words[0] !== 'virtual_server') continue
    const targets = words[1] === 'group' ? groups.get(words[2]) : [words.slice(1)]
    if (targets === undefined) return null
    for (const target of targets) {
      const named = keysOf(target, settings)
      if (named === null) return null
      keys.push(...named)
    }
  }
  return [...new Set(keys)].toSorted()
}

/** The words of each line, includes in their place. Null where a file is not readable. */
function linesOf(path: string, files: ConfigurationFiles, depth: number): string[][] | null {
  const text = depth > deepestInclude ? null : files.read(path)
  if (text === null) return null
  const lines: string[][] = []
  for (const line of text.split('\n')) {
    const words = wordsOf(line)
    // A line for one of several hosts (`@name …`) may be meant for this one.
    if (words[0]?.startsWith('@') === true) words.shift()
    if (!/^include[rmwba]?$/.test(words[0] ?? '')) {
      lines.push(words)
      continue
    }
    for (const file of included(words[1] ?? '', path, files)) {
      const more = linesOf(file, files, depth + 1)
      if (more === null) return null
      lines.push(...more)
    }
  }
  return lines.filter((words) => words.length > 0)
}

/** Comments begin with `#` or `!` anywhere, quotes keep blanks together, a brace is a word of its own. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"?|([#!].*)|([{}])|([^\s"#!{}]+)/g)].flatMap(([, quoted, comment, brace, word]) =>
    comment === undefined ? [quoted ?? brace ?? word ?? ''] : [],
  )
}

/** Relative to the file that includes; `*` and `?` in the last part only. */
function included(pattern: string, from: string, files: ConfigurationFiles): string[] {
  const path = pattern.startsWith('/') ? pattern : `${from.slice(0, from.lastIndexOf('/') + 1)}${pattern}`
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  const name = path.slice(folder.length)
  if (!/[*?]/.test(name)) return [path]
  const escaped = name.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  const match = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
  return files
    .list(folder)
    .filter((one) => match.test(one) && !one.startsWith('.'))
    .toSorted()
    .map((one) => `${folder}${one}`)
}

/** The blocks of the outermost level, with their own lines; blocks within them are left out. */
function topBlocks(lines: readonly (readonly string[])[]): Block[] {
  const blocks: Block[] = []
  let depth = 0
  let head: string[] = []
  let own: string[][] = []
  let line: string[] = []
  const endLine = (): void => {
    if (line.length > 0 && depth === 0) head = line
    if (line.length > 0 && depth === 1) own.push(line)
    line = []
  }
  for (const words of lines) {
    for (const word of words) {
      if (word === '{') {
        // What opens a block within a block is no setting.
        if (depth === 0) endLine()
        line = []
        depth++
      } else if (word === '}') {
        endLine()
        depth = Math.max(0, depth - 1)
        if (depth > 0) continue
        blocks.push({ words: head, lines: own })
        head = []
        own = []
      } else line.push(word)
    }
    endLine()
  }
  return blocks
}

/** Of an address with a port, a range of addresses or a mark. Null where it cannot be told. */
function keysOf(target: readonly string[], settings: Block['lines']): string[] | null {
  const [first = '', second = '0'] = target
  if (first === 'fwmark') {
    const fwmark = Number(second)
    if (!Number.isInteger(fwmark)) return null
    const said = [target[2], settings.find(([word]) => word === 'ip_family')?.[1]].find((one) => one !== undefined)
    // Without a word on it the real servers decide: then it may be either.
    return (['ipv4', 'ipv6'] as const)
      .filter((family) => said === undefined || (said === 'inet6') === (family === 'ipv6'))
      .map((family) => serviceKey({ protocol: 'tcp', port: 0, fwmark, family }))
  }
  const word = settings.find(([name]) => name === 'protocol')?.[1]?.toLowerCase() ?? 'tcp'
  const protocol = Protocol.safeParse(word)
  const port = Number(second)
  const addresses = addressesOf(first)
  if (!protocol.success || !Number.isInteger(port) || addresses === null) return null
  return addresses.map((vip) => serviceKey({ protocol: protocol.data, vip, port }))
}

/** `192.0.2.1`, `192.0.2.1-10`, `192.0.2.250-192.0.3.5`, `192.0.2.8/29`, and the same in IPv6. */
function addressesOf(text: string): string[] | null {
  const [, first = '', sign, last = ''] = /^([^-/]*)([-/]?)(.*)$/.exec(text) ?? []
  const start = HostAddress.safeParse(first)
  if (!start.success) return null
  if (sign === '') return [start.data]
  const bits = addressBits[familyOf(start.data)]
  const from = numberOf(start.data)
  if (sign === '/') {
    if (!/^\d+$/.test(last) || Number(last) > bits) return null
    const size = 1n << BigInt(bits - Number(last))
    const network = (from / size) * size
    return addressesBetween(network, network + size - 1n, bits)
  }
  const end = /[.:]/.test(last)
    ? last
    : `${first.slice(0, Math.max(first.lastIndexOf('.'), first.lastIndexOf(':')) + 1)}${last}`
  const parsed = HostAddress.safeParse(end)
  return parsed.success ? addressesBetween(from, numberOf(parsed.data), bits) : null
}

function addressesBetween(from: bigint, to: bigint, bits: number): string[] | null {
  if (to < from || to - from >= BigInt(longestRange)) return null
  return Array.from({ length: Number(to - from) + 1 }, (_, i) => addressOf(from + BigInt(i), bits))
}

const numberOf = (address: string): bigint =>
  ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)

function addressOf(value: bigint, bits: number): string {
  const bytes = Array.from({ length: bits / 8 }, (_, i) => Number((value >> BigInt(bits - 8 - i * 8)) & 255n))
  const address = ipaddr.fromByteArray(bytes)
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()
}
