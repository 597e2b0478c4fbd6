import { glob, readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import SSHConfig from 'ssh-config'
import type { SshTarget } from '../../../core/model/ssh.ts'
import { AppError } from '../../../core/contract/errors.ts'

/** A hop with everything that ~/.ssh/config adds to it. */
export interface ResolvedHop {
  readonly host: string
  readonly port: number
  readonly user: string
  /** Key files in the order in which they are tried. */
  readonly keyFiles: readonly string[]
  /** True where only these keys may be offered, not every key of the SSH agent. */
  readonly onlyTheseKeys: boolean
  /** The name that stood in the profile, where the configuration made another host of it. */
  readonly alias: string | null
}

export interface ResolvedTarget extends ResolvedHop {
  readonly jump: ResolvedHop | null
}

const maxIncludeDepth = 16

/**
 * The configuration's text with its `Include` lines replaced by what they name (ssh_config(5): relative to ~/.ssh, with
 * wildcards); the parser does not follow them.
 */
export async function readSshConfig(file: string, home: string, depth = 0): Promise<string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return ''
    throw new AppError('BAD_INPUT', `${file} could not be read: ${code ?? 'unknown error'}.`)
  }
  if (depth >= maxIncludeDepth) return ''
  const lines = await Promise.all(
    text.split('\n').map(async (line) => {
      const include = /^\s*include[\s=]+(.+?)\s*$/i.exec(line)
      if (include?.[1] === undefined) return line
      const included: string[] = []
      for (const pattern of include[1].match(/"[^"]*"|\S+/g) ?? []) {
        const wanted = path.resolve(path.join(home, '.ssh'), expandHome(pattern.replaceAll('"', ''), home))
        const files: string[] = []
        for await (const name of glob(wanted)) files.push(name)
        for (const name of files.sort()) included.push(await readSshConfig(name, home, depth + 1))
      }
      return included.join('\n')
    }),
  )
  return lines.join('\n')
}

export function expandHome(file: string, home: string): string {
  return file === '~' || file.startsWith('~/') ? path.join(home, file.slice(1)) : file
}

type Options = Readonly<Record<string, string | readonly string[]>>

/** The configuration without what would make the parser ask `nslookup`. */
function parseConfig(text: string): SSHConfig {
  return SSHConfig.parse(text.replaceAll(/^[ \t]*canonicalizehostname\b.*$/gim, ''))
}

/** `Match exec` is not run: a program started by a look-up would surprise. */
function optionsFor(config: SSHConfig, alias: string, user?: string): Options {
  const query = user === undefined ? { Host: alias } : { Host: alias, User: user }
  return Object.fromEntries(
    Object.entries(config.compute(query, { ignoreCase: true, matchExec: false })).map(([k, v]) => [k.toLowerCase(), v]),
  )
}

const first = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0]
const all = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

/** `%h` and the like (ssh_config(5) TOKENS), as far as they occur in HostName and IdentityFile. */
function expandTokens(text: string, tokens: { host: string; alias: string; user: string; port: number; home: string }) {
  const values: Record<string, string> = {
    '%%': '%',
    '%h': tokens.host,
    '%n': tokens.alias,
    '%r': tokens.user,
    '%p': String(tokens.port),
    '%d': tokens.home,
    '%u': os.userInfo().username,
  }
  return text.replace(/%[%hnrpdu]/g, (token) => values[token] ?? token)
}

function portOf(options: Options, written: number): number {
  const configured = Number(first(options['port']))
  // A profile cannot say "no port": 22 leaves the word to the configuration.
  return written === 22 && Number.isInteger(configured) && configured > 0 && configured < 65536 ? configured : written
}

function resolveHop(config: SSHConfig, hop: Omit<SshTarget, 'jump'>, home: string): ResolvedHop {
  const options = optionsFor(config, hop.host, hop.user)
  const port = portOf(options, hop.port)
  const tokens = { host: hop.host, alias: hop.host, user: hop.user, port, home }
  const host = expandTokens(first(options['hostname']) ?? hop.host, tokens)
  const named = hop.keyFile === undefined ? all(options['identityfile']).filter((f) => f !== 'none') : [hop.keyFile]
  return {
    host,
    port,
    user: hop.user,
    keyFiles: named.map((file) => expandHome(expandTokens(file, { ...tokens, host }), home)),
    onlyTheseKeys: hop.keyFile !== undefined || first(options['identitiesonly'])?.toLowerCase() === 'yes',
    alias: host === hop.host ? null : hop.host,
  }
}

/** `[user@]host[:port]`, `ssh://…` or an alias; IPv6 in brackets. */
function parseJump(text: string, fallbackUser: string): Omit<SshTarget, 'jump'> {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text)
  const host = match?.[2] ?? match?.[3]
  if (host === undefined) throw new AppError('SSH_JUMP', `The jump host "${text}" in ~/.ssh/config is not understood.`)
  return { host, user: match?.[1] ?? fallbackUser, port: Number(match?.[4] ?? 22) }
}

function jumpOf(config: SSHConfig, target: SshTarget, localUser: string): Omit<SshTarget, 'jump'> | null {
  if (target.jump !== undefined) return target.jump
  const proxyJump = all(optionsFor(config, target.host, target.user)['proxyjump']).join(',')
  if (proxyJump === '' || proxyJump.toLowerCase() === 'none') return null
  if (proxyJump.includes(',')) {
    throw new AppError('SSH_JUMP', `~/.ssh/config names several jump hosts for ${target.host}: ${proxyJump}.`, {
      hint: 'One jump host is supported. Give the last one in the profile and reach it by a VPN or port forwarding.',
    })
  }
  const alias = parseJump(proxyJump, '').host
  return parseJump(proxyJump, first(optionsFor(config, alias)['user']) ?? localUser)
}

/** What ~/.ssh/config makes of a target. What the profile says wins; one jump host, its own jump host is not followed. */
export function resolveTarget(configText: string, target: SshTarget, home: string): ResolvedTarget {
  const config = parseConfig(configText)
  const jump = jumpOf(config, target, os.userInfo().username)
  return { ...resolveHop(config, target, home), jump: jump === null ? null : resolveHop(config, jump, home) }
}

/** Host entries that name one host, in the order of the file. */
export function listHosts(configText: string, home: string): { alias: string; target: SshTarget }[] {
  const config = parseConfig(configText)
  const aliases = new Set<string>()
  for (const line of config) {
    if (line.type !== SSHConfig.DIRECTIVE || line.param.toLowerCase() !== 'host') continue
    const names = typeof line.value === 'string' ? line.value.split(/\s+/) : line.value.map(({ val }) => val)
    for (const name of names) if (/^[^-*?!][^*?!]*$/.test(name)) aliases.add(name)
  }
  const localUser = os.userInfo().username
  return [...aliases].flatMap((alias) => {
    const options = optionsFor(config, alias)
    const target = { host: alias, user: first(options['user']) ?? localUser, port: portOf(options, 22) }
    try {
      const jump = jumpOf(config, target, localUser)
      const keyFile = all(options['identityfile']).map((file) => expandHome(file, home))[0]
      return [
        {
          alias,
          target: {
            ...target,
            ...(keyFile === undefined || keyFile === 'none' || keyFile.includes('%') ? {} : { keyFile }),
            ...(jump === null ? {} : { jump }),
          },
        },
      ]
    } catch {
      // Several jump hosts: cannot be connected to, so it is not offered.
      return []
    }
  })
}
