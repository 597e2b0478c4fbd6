import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** One line of a known_hosts file, in the format of sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHostLine {
  readonly marker: 'revoked' | 'cert-authority' | null
  /** Patterns as written: names, wildcards, `!negated`, `[host]:port`, or one hashed name. */
  readonly patterns: readonly string[]
  readonly keyType: string
  /** The key's blob. */
  readonly key: Buffer
  readonly file: string
  /** From 1. */
  readonly line: number
}

export type HostKeyVerdict =
  | { readonly kind: 'known'; readonly line: KnownHostLine }
  /** Nothing is pinned. `certAuthority`: only a certificate authority is named, which ssh2 cannot check. */
  | { readonly kind: 'unknown'; readonly certAuthority: boolean }
  /** Another key is pinned. */
  | { readonly kind: 'changed'; readonly pinned: readonly KnownHostLine[] }
  | { readonly kind: 'revoked'; readonly line: KnownHostLine }

/** Reads a file's text; lines that are no entry are left out, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHostLine[] {
  return text.split('\n').flatMap((raw, index): KnownHostLine[] => {
    const fields = raw.trim().split(/\s+/)
    if (fields[0] === undefined || fields[0] === '' || fields[0].startsWith('#')) return []
    const hasMarker = fields[0].startsWith('@')
    const marker = fields[0] === '@revoked' ? 'revoked' : fields[0] === '@cert-authority' ? 'cert-authority' : null
    if (hasMarker && marker === null) return []
    const [names, keyType, key] = hasMarker ? fields.slice(1) : fields
    if (names === undefined || keyType === undefined || key === undefined) return []
    const blob = Buffer.from(key, 'base64')
    if (blob.length === 0 || keyTypeOf(blob) !== keyType) return []
    return [{ marker, patterns: names.split(','), keyType, key: blob, file, line: index + 1 }]
  })
}

/** How known_hosts names a host: bare on port 22, else in brackets with the port. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

function matchesHashed(pattern: string, name: string): boolean {
  const [, version, salt, hash] = pattern.split('|')
  if (version !== '1' || salt === undefined || hash === undefined) return false
  const expected = Buffer.from(hash, 'base64')
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

function matchesWildcard(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 'i').test(name)
}

/** True where a line's patterns name the host; a negated pattern that matches wins. */
export function lineNamesHost(line: Pick<KnownHostLine, 'patterns'>, name: string): boolean {
  let isNamed = false
  for (const pattern of line.patterns) {
    if (pattern.startsWith('|')) isNamed ||= matchesHashed(pattern, name)
    else if (pattern.startsWith('!')) {
      if (matchesWildcard(pattern.slice(1), name)) return false
    } else isNamed ||= matchesWildcard(pattern, name)
  }
  return isNamed
}

/** Key types that are pinned for a host. */
export function knownKeyTypes(lines: readonly KnownHostLine[], name: string): string[] {
  return [...new Set(lines.filter((l) => l.marker === null && lineNamesHost(l, name)).map(({ keyType }) => keyType))]
}

/**
 * Judges the key that a host presents. A key of a type that is not pinned counts as changed where another type is
 * pinned: known types are asked for first, so an honest host would have presented one of them.
 */
export function judgeHostKey(lines: readonly KnownHostLine[], name: string, key: Buffer): HostKeyVerdict {
  const named = lines.filter((line) => lineNamesHost(line, name))
  const revoked = named.find((line) => line.marker === 'revoked' && line.key.equals(key))
  if (revoked !== undefined) return { kind: 'revoked', line: revoked }
  const pinned = named.filter((line) => line.marker === null)
  const same = pinned.find((line) => line.key.equals(key))
  if (same !== undefined) return { kind: 'known', line: same }
  if (pinned.length > 0) return { kind: 'changed', pinned }
  return { kind: 'unknown', certAuthority: named.some((line) => line.marker === 'cert-authority') }
}

/** `SHA256:…` without padding, as `ssh-keygen -lf` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type that a public key blob says it is (RFC 4253 6.6: a length and a name first); empty where it is none. */
export function keyTypeOf(key: Buffer): string {
  if (key.length < 4) return ''
  const length = key.readUInt32BE(0)
  return length > 64 || key.length < 4 + length ? '' : key.toString('latin1', 4, 4 + length)
}

/** A line that pins a key. */
export function formatKnownHost(name: string, key: Buffer): string {
  return `${name} ${keyTypeOf(key)} ${key.toString('base64')}\n`
}
