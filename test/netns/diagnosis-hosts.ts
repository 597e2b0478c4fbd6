import { join } from 'node:path'
import { AppError } from '../../core/contract/errors.ts'
import type { ArpProbe } from '../../main/console/checks/inspection.ts'
import { connectionShell } from '../../main/console/host-shell.ts'
import type { Hosts } from '../../main/console/hosts.ts'
import type { ClockPort, SshConnection, SshDialog, StorePort } from '../../main/console/ports.ts'
import { createSshPort } from '../../main/console/ssh/port.ts'
import type { Lab } from '../lab/lab.ts'

export interface LabHosts extends Hosts {
  close(): Promise<void>
}

/**
 * Shells on lab hosts over the console's own SSH, as root, one connection for each; real servers are known by their
 * data address. Hosts in `unreachable` refuse.
 */
export function labHosts(lab: Lab, unreachable: ReadonlySet<string> = new Set()): LabHosts {
  const ssh = createSshPort({
    home: lab.stateDir,
    dataDir: lab.stateDir,
    agentSocket: null,
    knownHosts: [join(lab.stateDir, 'known_hosts')],
  })
  const dialog: SshDialog = {
    step: () => {},
    ask: async ({ kind }) => {
      throw new AppError('SSH_AUTH', `The lab's hosts need no answer, yet one was asked for: ${kind}.`)
    },
    log: () => {},
  }
  const open = new Map<string, Promise<SshConnection>>()
  const connect = (name: string): Promise<SshConnection> => {
    const { addresses, sshPort } = lab.host(name)
    const target = { host: addresses.management ?? addresses.data, port: sshPort, user: 'root', keyFile: lab.keyFile }
    return ssh.connect(target, dialog, new AbortController().signal)
  }
  return {
    openHost: async (_directorId, host, options) => {
      if (options?.access?.kind === 'none') return null
      if (unreachable.has(host)) throw new AppError('SSH_UNREACHABLE', `No route to ${host}.`)
      const name = nameOf(lab, host)
      const connection = open.get(name) ?? connect(name)
      open.set(name, connection)
      return connectionShell(host, await connection, () => {})
    },
    close: async () => {
      for (const connection of open.values()) (await connection).close()
    },
  }
}

export function nameOf(lab: Lab, host: string): string {
  const found = host === 'director' ? host : lab.realServers.find((name) => lab.host(name).addresses.data === host)
  if (found === undefined) throw new Error(`host: found "${host}", expected director or a real server's address`)
  return found
}

/** Asks by arping from the director what the agent asks by its own packets. */
export function arpingFrom(lab: Lab) {
  return async (_directorId: string, { address, interface: name = 'eth0' }: ArpProbe) => {
    const { stdout } = await lab.exec('director', ['arping', '-c', '2', '-w', '1', '-I', name, address])
    const answers = [...stdout.matchAll(/reply from \S+ \[([0-9A-F:]{17})\]/g)].map(([, mac]) =>
      (mac as string).toLowerCase(),
    )
    return { interface: name, answers: [...new Set(answers)] }
  }
}

/** Documents in memory; what is written is what is read. */
export function memoryStore(): StorePort {
  const documents = new Map<string, unknown>()
  return {
    read: async (name) => structuredClone(documents.get(name)),
    write: async (name, document) => void documents.set(name, structuredClone(document)),
    setAside: async (name) => {
      documents.delete(name)
      return `${name}.old`
    },
  }
}

export const realClock: ClockPort = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

/** All that a fix may touch on a host: addresses with order and flags, settings, the files of /etc. */
export async function stateOf(lab: Lab, name: string): Promise<Record<string, string>> {
  const run = async (...argv: string[]): Promise<string> => (await lab.exec(name, argv, { mustSucceed: true })).stdout
  const settings = ['arp_ignore', 'arp_announce', 'rp_filter'].map((key) => `/proc/sys/net/ipv4/conf/*/${key}`)
  return {
    addresses: await run('ip', '-o', '-4', 'addr', 'show'),
    routes: await run('ip', '-4', 'route', 'show', 'table', 'local'),
    settings: await run('sh', '-c', `grep '' ${settings.join(' ')}`),
    files: await run('sh', '-c', 'find /etc/sysctl.d /etc/systemd/system -type f -o -type l | sort | xargs -r cksum'),
  }
}
