import { readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { HostAddress } from '../../core/model/address.ts'
import { Author } from '../../core/model/revision.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment variable of this process or of the nearest parent that has it: sudo takes SSH_CONNECTION away, and root
 * may read what the login shell had.
 */
function inherited(name: string): string | undefined {
  let pid = String(process.pid)
  for (let depth = 0; depth < 16 && pid !== '0'; depth++) {
    const value = environmentOf(pid)[name]
    if (value !== undefined) return value
    const parent = parentOf(pid)
    if (parent === null) return undefined
    pid = parent
  }
  return undefined
}

function environmentOf(pid: string): Environment {
  if (pid === String(process.pid)) return process.env
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    return Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]))
  } catch {
    return {}
  }
}

function parentOf(pid: string): string | null {
  try {
    return /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? null
  } catch {
    return null
  }
}

/** The two ends of the SSH session that a command runs in. */
export interface SshEnds {
  readonly client: string
  readonly server: string
}

/** Null outside of SSH, and where the value is not what sshd writes: `client port server port`. */
export function sshEnds(connection: string | undefined): SshEnds | null {
  const [client, , server, port] = (connection ?? '').split(' ')
  if (client === undefined || server === undefined || port === undefined) return null
  return { client: plain(client), server: plain(server) }
}

const plain = (address: string): string => address.replace(/^::ffff:(?=[0-9.]+$)/i, '')

/** Who runs this command, and which address must not become a VIP because SSH came in by it. */
export function describeCaller(): { author: Author; protectedAddresses: string[] } {
  const ends = sshEnds(inherited('SSH_CONNECTION'))
  const user = process.env['SUDO_USER'] ?? userName()
  const author = Author.parse({ user: user.slice(0, 64), via: 'cli', from: (ends?.client ?? hostname()).slice(0, 255) })
  const server = HostAddress.safeParse(ends?.server)
  return { author, protectedAddresses: server.success ? [server.data] : [] }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A uid without an entry in /etc/passwd.
    return String(process.getuid?.() ?? 'unknown')
  }
}
