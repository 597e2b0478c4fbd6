import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Duplex, duplexPair } from 'node:stream'
import {
  agentContract,
  type AgentContract,
  type AgentHello,
  agentContractVersion,
  type DirectorState,
} from '../../core/contract/agent.ts'
import type { Handlers } from '../../core/contract/define.ts'
import { AppError } from '../../core/contract/errors.ts'
import { emptySpec } from '../../core/model/cluster-spec.ts'
import { nothingObserved } from '../../core/model/observed.ts'
import type { SshTarget } from '../../core/model/ssh.ts'
import type { Flow } from '../../core/model/telemetry.ts'
import { byteStreamWire } from '../../core/rpc/byte-stream.ts'
import { serve } from '../../core/rpc/server.ts'
import { agentProgram, agentSocket } from '../../main/console/install/paths.ts'
import type { ExecOptions, ExecResult, SshConnection, SshDialog, SshPort } from '../../main/console/ports.ts'

/** A director in memory: a host with files and an agent, reached by an SSH port that behaves as ssh does. */
export class FakeDirector implements SshPort {
  /** What its facts script prints; change before connecting. */
  readonly facts: Record<string, string> = {
    system: 'Linux',
    architecture: 'x86_64',
    kernel: '6.1.0-13-amd64',
    distribution: 'Debian GNU/Linux 12 (bookworm)',
    glibc: 'glibc 2.36',
    btf: 'yes',
    bpffs: 'mounted',
    free: '10000000',
    mount: '/',
    options: 'rw,relatime',
    homefree: '10000000',
    uid: '0',
    user: 'root',
    missing: '',
    ssh: '198.51.100.7 51000 192.0.2.1 22',
  }
  installed: string | null = null
  /** Version that the running agent says it is; null: none runs. */
  running: string | null = null
  contractVersion: number = agentContractVersion
  forbidsStreamLocal = false
  /** Breaks what is uploaded. */
  damagesUploads = false
  isReachable = true
  /** Asked for at each login, where it is set. */
  password: string | null = null
  clockAheadMs = 0
  nowMs = () => 0
  readonly commands: string[] = []
  /** Inputs that the agent got, by method. */
  readonly received: { method: string; input: unknown }[] = []
  flows: Flow[] = []
  /** What the agent does in another way than this fake does by itself. */
  agentHandlers: Partial<Handlers<AgentContract>> = {}
  logins = 0
  #uploaded: Buffer | null = null
  readonly #connections = new Set<FakeConnection>()
  readonly #agentStreams = new Set<Duplex>()

  async configuredHosts() {
    return []
  }

  async connect(target: SshTarget, dialog: SshDialog, signal: AbortSignal): Promise<SshConnection> {
    signal.throwIfAborted()
    dialog.step('tcp', 'running', 'connecting', { address: target.host, port: target.port })
    if (!this.isReachable) throw new AppError('SSH_UNREACHABLE', `${target.host} did not answer.`, { retryable: true })
    dialog.step('tcp', 'done', 'connected', { address: target.host, port: target.port, ms: 1 })
    for (let tries = 0; this.password !== null; tries++) {
      if (tries === 3) throw new AppError('SSH_AUTH', 'The password was refused.')
      const asked = { kind: 'password', user: target.user, host: target.host, wasWrong: tries > 0 } as const
      const answer = await dialog.ask(asked)
      if (answer.kind === 'secrets' && answer.secrets[0] === this.password) break
    }
    dialog.step('auth', 'done', 'keyFile', { user: target.user, keyFile: 'key' })
    this.logins++
    const connection = new FakeConnection(this, target)
    this.#connections.add(connection)
    connection.onClose(() => this.#connections.delete(connection))
    return connection
  }

  /** The network goes away for every connection that stands. */
  cut(): void {
    for (const connection of this.#connections) connection.lose(new Error('read ECONNRESET'))
    for (const stream of this.#agentStreams) stream.destroy()
  }

  /** The agent ends; SSH stands. */
  killAgent(): void {
    this.running = null
    for (const stream of this.#agentStreams) stream.destroy()
  }

  get openConnections(): number {
    return this.#connections.size
  }

  exec(argv: readonly string[], options: ExecOptions): ExecResult {
    const words = argv[0] === 'sudo' ? argv.slice(2) : argv
    if (argv[0] === 'sudo' && this.facts['uid'] !== '0' && this.facts['sudo'] !== 'OK')
      return failed('a password is required')
    this.commands.push(argv.join(' '))
    const stdin = String(options.stdin ?? '')
    if (words[0] === 'sh' && stdin.includes('say system')) return printed(this.#factLines())
    if (words[0] === 'sh' && stdin.includes('tar -xzf')) {
      this.installed = words[4] ?? null
      return printed('')
    }
    if (words[0] === 'sh' && stdin.includes('did not appear'))
      return this.running === null ? failed('no socket') : printed('')
    if (words[0] === 'sh' && stdin.includes('rmdir')) {
      const removed = this.installed === null ? '' : `/opt/signalbox/${this.installed}\n/opt/signalbox\n`
      this.installed = null
      return printed(removed)
    }
    if (words[0] === agentProgram && words[1] === 'setup') {
      this.running = this.installed
      return printed('')
    }
    if (words[0] === agentProgram && words[1] === 'teardown') {
      this.killAgent()
      return printed('/etc/systemd/system/signalbox.service\n')
    }
    if (words[0] === 'sha256sum') {
      const digest = createHash('sha256').update(this.#uploaded ?? '')
      if (this.damagesUploads) digest.update('x')
      return printed(`${digest.digest('hex')}  ${words[2]}\n`)
    }
    if (words[0] === 'readlink') return printed(`/home/op/${words[3]}\n`)
    return printed('')
  }

  async upload(localPath: string): Promise<number> {
    this.#uploaded = await readFile(localPath)
    return this.#uploaded.length
  }

  openAgent(): Duplex {
    if (this.running === null) throw new AppError('REFUSED', 'no socket', { details: { reason: 'failed' } })
    const [near, far] = duplexPair()
    this.#agentStreams.add(near)
    near.on('close', () => {
      this.#agentStreams.delete(near)
      far.destroy()
    })
    serve(byteStreamWire(far), agentContract, this.#handlers(), { peer: 'socket', access: 'change' })
    return near
  }

  #factLines(): string {
    const agent: Record<string, string> = {
      ...(this.installed === null ? {} : { installed: this.installed }),
      ...(this.running === null ? {} : { socket: 'yes', ...(this.facts['uid'] === '0' ? { writable: 'yes' } : {}) }),
    }
    return Object.entries({ ...this.facts, ...agent })
      .map(([key, value]) => `${key}=${value}\n`)
      .join('')
  }

  hello(): AgentHello {
    return {
      version: this.running ?? '0',
      contractVersion: this.contractVersion,
      hostname: 'lb1',
      kernel: '6.1.0',
      architecture: 'x86_64',
      bootId: 'boot',
      nowMs: this.nowMs() + this.clockAheadMs,
      monotonicMs: 1,
      startedAtMs: 1,
      access: 'change',
      interfaces: [],
      families: ['ipv4', 'ipv6'],
      dataplane: { isAvailable: true, reason: null, hooks: [] },
      ipvs: {
        availability: 'module-missing',
        reason: 'This fake has no IPVS.',
        version: null,
        connectionTableSize: null,
        schedulers: [],
        tunnels: [],
        fullnatObstacle: null,
        sysctls: {},
        timeouts: null,
      },
    }
  }

  #handlers(): Handlers<AgentContract> {
    const refuse = () => {
      throw new AppError('REFUSED', 'This fake does not do that.')
    }
    const take = (method: string, input: unknown) => this.received.push({ method, input })
    return {
      'agent.hello': () => this.hello(),
      'director.watch': async function* (_input, { signal }) {
        yield aState
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      },
      'cluster.plan': (input) => {
        take('cluster.plan', input)
        return {
          baseRevision: 0,
          steps: [],
          risk: { realServersLeavingRing: 0, servicesRemoved: 0, flowsCut: 0, slotsMoved: {} },
          commands: [],
          warnings: [],
        }
      },
      'cluster.apply': (input) => {
        take('cluster.apply', input)
        return { revision: 1, outcome: 'confirmed', failure: null, drift: [] }
      },
      'cluster.confirm': refuse,
      'cluster.revert': refuse,
      'cluster.history': refuse,
      'cluster.revision': refuse,
      'stats.watch': async function* () {},
      'stats.history': () => [],
      'flow.lookup': (input) => {
        take('flow.lookup', input)
        return this.flows.find(({ clientPort }) => clientPort === input.clientPort) ?? null
      },
      'arp.probe': refuse,
      'director.setRole': refuse,
      'dataplane.setNewFlows': refuse,
      'connections.list': refuse,
      'agent.retire': (input) => {
        take('agent.retire', input)
        return { detached: !input.keepTraffic, vipsLowered: [] }
      },
      ...this.agentHandlers,
    } satisfies Handlers<AgentContract>
  }
}

const aState: DirectorState = {
  revision: 0,
  digest: '0'.repeat(16),
  spec: emptySpec('lab'),
  role: 'active',
  progress: null,
  lastResult: null,
  observed: nothingObserved,
  drift: [],
  events: [],
  nowMs: 1,
  monotonicMs: 1,
}

const printed = (stdout: string): ExecResult => ({ code: 0, signal: null, stdout, stderr: '' })
const failed = (stderr: string): ExecResult => ({ code: 1, signal: null, stdout: '', stderr })

class FakeConnection implements SshConnection {
  readonly target: SshTarget
  readonly #host: FakeDirector
  readonly #listeners = new Set<(error: Error | null) => void>()
  #isClosed = false
  #why: Error | null = null

  constructor(host: FakeDirector, target: SshTarget) {
    this.#host = host
    this.target = target
  }

  #check(): void {
    if (this.#isClosed) throw new AppError('CLOSED', 'The SSH connection ended.', { retryable: true })
  }

  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    this.#check()
    options.signal?.throwIfAborted()
    return this.#host.exec(argv, options)
  }

  async open(argv: readonly string[]): Promise<Duplex> {
    this.#check()
    this.#host.commands.push(argv.join(' '))
    return this.#host.openAgent()
  }

  async openUnixSocket(path: string): Promise<Duplex> {
    this.#check()
    if (this.#host.forbidsStreamLocal) {
      throw new AppError('REFUSED', 'open failed', { details: { reason: 'prohibited' } })
    }
    if (path !== agentSocket) throw new AppError('REFUSED', `no such socket: ${path}`)
    return this.#host.openAgent()
  }

  async openTcp(): Promise<Duplex> {
    throw new AppError('REFUSED', 'This fake forwards no TCP.')
  }

  async upload(
    localPath: string,
    _remote: string,
    { onProgress }: Parameters<SshConnection['upload']>[2],
  ): Promise<void> {
    this.#check()
    const size = await this.#host.upload(localPath)
    onProgress?.(size / 2, size)
    onProgress?.(size, size)
  }

  onClose(listener: (error: Error | null) => void): () => void {
    if (this.#isClosed) queueMicrotask(() => listener(this.#why))
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.lose(null)
  }

  lose(error: Error | null): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#why = error
    for (const listener of this.#listeners) listener(error)
  }
}
