import type { Duplex } from 'node:stream'
import path from 'node:path'
import type { Client } from 'ssh2'
import { AppError } from '../../../core/contract/errors.ts'
import type { SshTarget } from '../../../core/model/ssh.ts'
import type { SshDialog, SshPort } from '../ports.ts'
import { sshConnection } from './connection.ts'
import { dial, resolveHost } from './dial.ts'
import { knownHostsFiles } from './known-hosts-files.ts'
import { type LoginContext, login } from './login.ts'
import { type ResolvedHop, type ResolvedTarget, listHosts, readSshConfig, resolveTarget } from './ssh-config-file.ts'

export interface SshPortOptions {
  /** The operator's home, whose .ssh is read. */
  readonly home: string
  /** Where our own known_hosts file lies. */
  readonly dataDir: string
  /** Socket or pipe of the SSH agent; left out: SSH_AUTH_SOCK, or the pipe of OpenSSH on Windows. */
  readonly agentSocket?: string | null
  /** Files with the keys of hosts that are read besides ours; left out: the operator's and the system's. */
  readonly knownHosts?: readonly string[]
  /** A peer that leaves three questions "are you there" in a row unanswered is gone; their distance. Left out: 15 s. */
  readonly keepaliveMs?: number
}

/** SSH by ssh2. */
export function createSshPort(options: SshPortOptions): SshPort {
  const { home, dataDir } = options
  const sshDir = path.join(home, '.ssh')
  const configFile = path.join(sshDir, 'config')
  const context: LoginContext = {
    knownHosts: knownHostsFiles(
      path.join(dataDir, 'known_hosts'),
      options.knownHosts ?? [path.join(sshDir, 'known_hosts'), '/etc/ssh/ssh_known_hosts'],
    ),
    keepaliveMs: options.keepaliveMs ?? 15_000,
    keys: { home, agentSocket: options.agentSocket === undefined ? systemAgentSocket() : options.agentSocket },
  }

  return {
    async connect(target, dialog, signal) {
      const resolved = resolveTarget(await readSshConfig(configFile, home), target, home)
      const via = await openWay(resolved, context, dialog, signal)
      try {
        const client = await login(resolved, via.openTransport, context, dialog, signal)
        client.on('close', via.close)
        return sshConnection(client, describeTarget(resolved))
      } catch (error) {
        via.close()
        if (signal.aborted) throw cancelled(signal)
        throw error
      }
    },
    configuredHosts: async () => listHosts(await readSshConfig(configFile, home), home),
  }
}

function systemAgentSocket(): string | null {
  const fromEnvironment = process.env['SSH_AUTH_SOCK']
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment
  return process.platform === 'win32' ? '\\\\.\\pipe\\openssh-ssh-agent' : null
}

function cancelled(signal: AbortSignal): AppError {
  return signal.reason instanceof AppError ? signal.reason : new AppError('CANCELLED', 'Connecting was called off.')
}

function describeTarget(resolved: ResolvedTarget): SshTarget {
  const hop = ({ host, port, user }: ResolvedHop) => ({ host, port, user })
  return { ...hop(resolved), ...(resolved.jump === null ? {} : { jump: hop(resolved.jump) }) }
}

/** How bytes get to the target's sshd: straight, through a jump host, or through a connection that exists. */
interface Way {
  readonly openTransport: () => Promise<Duplex>
  readonly close: () => void
}

async function openWay(
  target: ResolvedTarget,
  context: LoginContext,
  dialog: SshDialog,
  signal: AbortSignal,
): Promise<Way> {
  const { through } = dialog
  const { host, port } = target
  if (through !== undefined) {
    return {
      async openTransport() {
        dialog.step('resolve', 'done', 'byDirector', { host })
        const stream = await through.openTcp(host, port)
        dialog.step('tcp', 'done', 'directorConnected', { host, port })
        return stream
      },
      close: () => {},
    }
  }
  if (target.jump !== null) return throughJump(target, target.jump, context, dialog, signal)
  return { openTransport: () => straight(target, dialog, signal), close: () => {} }
}

async function straight(hop: ResolvedHop, dialog: SshDialog, signal: AbortSignal): Promise<Duplex> {
  dialog.step('resolve', 'running', 'resolving', { host: hop.host })
  const addresses = await resolveHost(hop.host)
  const address = addresses.join(', ')
  if (hop.alias !== null) dialog.step('resolve', 'done', 'aliasResolved', { alias: hop.alias, host: hop.host, address })
  else if (addresses[0] === hop.host) dialog.step('resolve', 'done', 'address', { address })
  else dialog.step('resolve', 'done', 'resolved', { host: hop.host, address })
  dialog.step('tcp', 'running', 'connecting', { address, port: hop.port })
  const startedAt = performance.now()
  const socket = await dial(addresses, hop.port, signal)
  const ms = Math.round(performance.now() - startedAt)
  dialog.step('tcp', 'done', 'connected', { address: socket.remoteAddress ?? address, port: hop.port, ms })
  return socket
}

async function throughJump(
  target: ResolvedTarget,
  jump: ResolvedHop,
  context: LoginContext,
  dialog: SshDialog,
  signal: AbortSignal,
): Promise<Way> {
  const name = jump.alias ?? jump.host
  const { host, port } = target
  const jumpDialog: SshDialog = {
    ask: (question) => dialog.ask(question),
    log: (line) => dialog.log(`jump host ${name}: ${line}`),
    // The steps are those of the target; a jump host shows as what is going on within them.
    step: (id) => {
      if (id === 'hostKey') dialog.step('tcp', 'running', 'jumpHostKey', { jump: name })
      else if (id === 'auth') dialog.step('tcp', 'running', 'jumpAuth', { jump: name, user: jump.user })
      else dialog.step('tcp', 'running', 'jumpConnecting', { jump: name })
    },
  }
  dialog.step('resolve', 'done', 'byJump', { jump: name, host })
  let client: Client | null = null
  const loginToJump = async () => {
    const open = () => straight(jump, jumpDialog, signal)
    const opened = await login(jump, open, context, jumpDialog, signal).catch((error: unknown) => {
      throw jumpError(error, name)
    })
    // Errors show as the end of what runs through it.
    opened.on('error', (error) => dialog.log(`jump host ${name}: ${error.message}`))
    opened.on('close', () => {
      if (client === opened) client = null
    })
    return opened
  }
  return {
    async openTransport() {
      client ??= await loginToJump()
      const current = client
      const stream = await new Promise<Duplex>((resolve, reject) => {
        current.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
          error
            ? reject(
                new AppError(
                  'SSH_JUMP',
                  `The jump host ${name} did not open a connection to ${host} port ${port}: ${error.message}.`,
                  {
                    hint: 'Check that the jump host reaches this address and that its sshd allows TCP forwarding.',
                    retryable: true,
                  },
                ),
              )
            : resolve(channel),
        )
      })
      dialog.step('tcp', 'done', 'jumpConnected', { host, port, jump: name })
      return stream
    },
    close() {
      client?.end()
    },
  }
}

/** What concerns the identity of the jump host keeps its code: there is no way around it either. */
function jumpError(error: unknown, name: string): unknown {
  if (!(error instanceof AppError)) return error
  if (error.code !== 'SSH_UNREACHABLE' && error.code !== 'SSH_AUTH') return error
  return new AppError('SSH_JUMP', `Jump host ${name}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, cause: error.code },
    retryable: error.retryable,
  })
}
