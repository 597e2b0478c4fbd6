import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecOptions, ExecResult, HostProcess } from './host-process.ts'
import { compileHostScripts } from './host-scripts.ts'
import { LabHost } from './lab-host.ts'
import { type LabOptions, reserve } from './lab-options.ts'
import { type LabRecord, linkPrefix, removeStateDir, stateDirOf, writeRecord } from './lab-state.ts'
import { type LabNetwork, LabSwitch } from './lab-switch.ts'
import {
  HeldFlows,
  type HeldFlowsOptions,
  requestsFrom,
  type RequestOptions,
  scriptCommand,
  SteadyClient,
} from './lab-traffic.ts'
import type { Layout } from './layout.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { BurstResult } from './request-burst.ts'
import { writeSshClientConfig } from './ssh-client-config.ts'
import { makeKey } from './ssh-server.ts'
import { deleteLink, deleteLinkNow, linkAlias } from './sweep.ts'
import { tearDownAtExit } from './teardown.ts'

export type { ExecOptions, ExecResult, HostProcess } from './host-process.ts'
export type { LabAccount, LabHost } from './lab-host.ts'
export type { LabOptions } from './lab-options.ts'
export type { LabNetwork } from './lab-switch.ts'
export * from './lab-traffic.ts'

/** What another program needs to use the lab; printed as JSON by the command line. */
export interface LabSummary {
  readonly number: number
  readonly stateDir: string
  /** Client private key of the run, mode 0600, for root and the accounts of all hosts. */
  readonly keyFile: string
  /** For `ssh -F FILE HOST`: names, ports, key and host keys of all hosts. */
  readonly sshConfigFile: string
  /** A free address of the data network, and more of them. */
  readonly vip: string
  readonly freeAddresses: readonly string[]
  readonly managementSubnet: string
  readonly dataSubnet: string
  readonly director: LabHostSummary
  readonly client: LabHostSummary
  readonly realServers: readonly LabHostSummary[]
}

export interface LabHostSummary {
  readonly name: string
  /** Null for a director behind a jump host. */
  readonly management: string | null
  /** Reachable from the machine through the lab's router, unless the director is behind a jump host. */
  readonly data: string
  readonly sshPort: number
  /** `SHA256:…` of the SSH host key. */
  readonly fingerprint: string
}

const checkout = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')

/** A running lab. */
export class Lab {
  readonly stateDir: string
  readonly keyFile: string
  readonly sshConfigFile: string
  readonly layout: Layout
  readonly #hosts: ReadonlyMap<string, LabHost>
  readonly #switch: LabSwitch
  readonly #record: LabRecord
  readonly #httpServers = new Map<string, HostProcess>()
  readonly #routed: boolean
  readonly #forget: () => void
  #stopping: Promise<void> | undefined

  private constructor(layout: Layout, options: LabOptions, owner: ProcessIdentity) {
    this.layout = layout
    this.stateDir = stateDirOf(layout.number)
    this.#routed = options.director?.jump !== true
    this.keyFile = join(this.stateDir, 'client_key')
    this.sshConfigFile = join(this.stateDir, 'ssh_config')
    const link = `${linkPrefix}${layout.number}`
    this.#record = { number: layout.number, owner, link, processes: [], hosts: {} }
    writeRecord(this.stateDir, this.#record)
    this.#forget = tearDownAtExit({ now: () => this.#tearDownNow(), stop: () => this.stop() })
    this.#switch = new LabSwitch(link)
    const { ssh = {}, accounts = [] } = options.director ?? {}
    this.#hosts = new Map(
      [...layout.hosts].map(([name, addresses]) => {
        const own = name === 'director' ? { ssh, accounts } : { ssh: {}, accounts: [] }
        return [name, new LabHost({ name, addresses, checkout, ...own }, join(this.stateDir, 'hosts', name))]
      }),
    )
  }

  /** See `startLab`. */
  static async start(options: LabOptions): Promise<Lab> {
    const { layout, owner } = await reserve(options)
    const lab = new Lab(layout, options, owner)
    try {
      await lab.#bringUp()
      if (options.httpServers !== false) await Promise.all(lab.realServers.map((name) => lab.startServer(name)))
      return lab
    } catch (error) {
      await lab.stop()
      throw error
    }
  }

  async #bringUp(): Promise<void> {
    const scriptDir = join(this.stateDir, 'scripts')
    const hosts = [...this.#hosts.values()]
    await Promise.all([mkdir(join(this.stateDir, 'hosts'), { mode: 0o700 }), mkdir(scriptDir, { mode: 0o700 })])
    const switchUp = this.#switch.start(this.layout, linkAlias(this.#record.owner), this.#routed)
    // A failure shows at the await below; until then it must not count as unhandled.
    switchUp.catch(() => undefined)
    await Promise.all([makeKey(this.keyFile, 'signalbox-lab'), compileHostScripts(scriptDir)])
    const scripts = new Map<string, string>()
    for (const file of await readdir(scriptDir)) scripts.set(file, await readFile(join(scriptDir, file), 'utf8'))
    scripts.set('start-sshd.sh', await readFile(new URL('start-sshd.sh', import.meta.url), 'utf8'))
    const publicKey = await readFile(`${this.keyFile}.pub`, 'utf8')
    await inParallel(hosts, async (host) => {
      await host.prepare(this.layout, publicKey, scripts)
      await host.isolate()
    })
    await switchUp
    await this.#switch.connect(
      hosts.map((host) => ({ name: host.name, rootPid: host.tree.rootPid, addresses: host.addresses })),
    )
    await Promise.all(hosts.map((host) => host.finishStart()))
    await writeSshClientConfig(this.stateDir, this.sshConfigFile, this.keyFile, hosts)
    writeRecord(this.stateDir, {
      ...this.#record,
      processes: this.#trees().flatMap((tree) => tree.identity ?? []),
      hosts: Object.fromEntries(hosts.map((host) => [host.name, host.initPid])),
      summary: { ...this.summary() },
    })
  }

  #trees() {
    return [this.#switch?.tree, ...[...(this.#hosts?.values() ?? [])].map((host) => host.startedTree)].filter(
      (tree) => tree !== undefined,
    )
  }

  get vip(): string {
    return this.layout.vip
  }

  /** Names of the real servers: `rs1` … `rsN`. */
  get realServers(): readonly string[] {
    return [...this.#hosts.keys()].filter((name) => name.startsWith('rs'))
  }

  /** A host by name: `client`, `director`, `rs1` … */
  host(name: string): LabHost {
    const host = this.#hosts.get(name)
    if (host === undefined)
      throw new Error(`host: found "${name}", expected one of ${[...this.#hosts.keys()].join(', ')}`)
    return host
  }

  summary(): LabSummary {
    const of = (name: string): LabHostSummary => {
      const { addresses, sshPort, fingerprint } = this.host(name)
      return { name, management: addresses.management ?? null, data: addresses.data, sshPort, fingerprint }
    }
    return {
      number: this.layout.number,
      stateDir: this.stateDir,
      keyFile: this.keyFile,
      sshConfigFile: this.sshConfigFile,
      vip: this.layout.vip,
      freeAddresses: this.layout.freeAddresses,
      managementSubnet: this.layout.managementSubnet,
      dataSubnet: this.layout.dataSubnet,
      director: of('director'),
      client: of('client'),
      realServers: this.realServers.map(of),
    }
  }

  /** Runs a command as root in all namespaces of a host and collects its output. No shell is in between. */
  exec(host: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    return this.host(host).exec(argv, options)
  }

  /** Starts a command in a host; it ends with the lab at the latest. */
  spawn(host: string, argv: readonly string[], options?: Pick<ExecOptions, 'env' | 'cwd'>): HostProcess {
    return this.host(host).spawn(argv, options)
  }

  /** Starts the HTTP server of a real server; resolves when it listens on port 80. */
  async startServer(name: string): Promise<void> {
    if (this.#httpServers.get(name)?.running === true) throw new Error(`the HTTP server of ${name} runs already`)
    const server = this.spawn(name, scriptCommand('http-server', name, 80))
    this.#httpServers.set(name, server)
    await server.firstLine()
  }

  /** Kills the HTTP server of a real server: its port is closed and its connections are reset. */
  async killServer(name: string): Promise<void> {
    const server = this.#httpServers.get(name)
    if (server === undefined) throw new Error(`${name} has no HTTP server`)
    await server.kill('SIGKILL')
  }

  /** Stops all processes of a host but process 1: connections are still accepted by its kernel, nobody answers. */
  async pauseHost(name: string): Promise<void> {
    await this.host(name).pause()
  }

  async resumeHost(name: string): Promise<void> {
    await this.host(name).resume()
  }

  /** Loses all packets from and to a host in one network; its link stays up. */
  cutNetwork(name: string, network: LabNetwork): Promise<void> {
    return this.#switch.setForwarding(this.host(name).name, network, false)
  }

  restoreNetwork(name: string, network: LabNetwork): Promise<void> {
    return this.#switch.setForwarding(this.host(name).name, network, true)
  }

  /** Gives a host another SSH host key; returns its fingerprint. The lab's own known_hosts keeps the old one. */
  rekeyHost(name: string): Promise<string> {
    return this.host(name).rekey()
  }

  /** Makes a real server fit for direct routing by hand: ARP settings, then VIP/32 on lo. */
  async prepareForDr(name: string, vip: string = this.vip): Promise<void> {
    await this.exec(name, ['sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1', 'net.ipv4.conf.all.arp_announce=2'], {
      mustSucceed: true,
    })
    await this.exec(name, ['ip', 'addr', 'replace', `${vip}/32`, 'dev', 'lo'], { mustSucceed: true })
  }

  /** Takes `prepareForDr` back. */
  async unprepareForDr(name: string, vip: string = this.vip): Promise<void> {
    await this.exec(name, ['ip', 'addr', 'del', `${vip}/32`, 'dev', 'lo'], { mustSucceed: true })
    await this.exec(name, ['sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=0', 'net.ipv4.conf.all.arp_announce=0'], {
      mustSucceed: true,
    })
  }

  /** Sends HTTP requests from the client host (`from`: from another one), each on a connection of its own. */
  clientRequests({ from = 'client', ...options }: RequestOptions & { readonly from?: string }): Promise<BurstResult> {
    return requestsFrom(this.host(from), options)
  }

  /** Starts a client that tries the VIP every `intervalMs` (100) with `timeoutMs` (1000), until it is stopped. */
  steadyClient(
    options: { address?: string; port?: number; intervalMs?: number; timeoutMs?: number } = {},
  ): SteadyClient {
    const { address = this.vip, port = 80, intervalMs = 100, timeoutMs = 1000 } = options
    return new SteadyClient(this.spawn('client', scriptCommand('steady-client', address, port, intervalMs, timeoutMs)))
  }

  /** Opens long flows from the client host. */
  holdFlows(options: HeldFlowsOptions): Promise<HeldFlows> {
    return HeldFlows.open(this.host('client'), options)
  }

  /** Ends all processes and removes namespaces, links and files. May be called more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#tearDown()
    return this.#stopping
  }

  #tearDownNow(): void {
    for (const tree of this.#trees()) tree.killNow()
    deleteLinkNow(this.#record.link)
    removeStateDir(this.stateDir)
  }

  async #tearDown(): Promise<void> {
    await Promise.all([this.#switch.tree.kill(), ...[...this.#hosts.values()].map((host) => host.kill())])
    await deleteLink(this.#record.link)
    removeStateDir(this.stateDir)
    this.#forget()
  }
}

/** Runs the task for all items, a few at a time: fifty process starts at once only wait for each other. */
const inParallel = async <T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> => {
  const rest = [...items]
  const work = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await task(item)
  }
  await Promise.all(Array.from({ length: 8 }, work))
}

/**
 * Starts a lab: hosts `client`, `director`, `rs1` … `rsN` with real SSH servers, not prepared for direct routing. It
 * ends with `stop()`, and with this process, however that ends. Needs root, iproute2, util-linux and openssh-server.
 */
export const startLab = (options: LabOptions = {}): Promise<Lab> => Lab.start(options)
