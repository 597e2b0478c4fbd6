// Client, director and two real servers on a bridge, each in namespaces of its own that end with their process. Made by
// the test itself: no product code of the lab takes part.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'

export const vip = '10.81.0.100'
export const vip6 = 'fd81::100'
export const addresses = { client: '10.81.0.3', director: '10.81.0.2', rs1: '10.81.0.11', rs2: '10.81.0.12' } as const
export const addresses6 = { client: 'fd81::3', director: 'fd81::2', rs1: 'fd81::11', rs2: 'fd81::12' } as const
export type HostName = keyof typeof addresses
const hostNames = Object.keys(addresses) as HostName[]

/** Own mounts, so that pins live and die here; own network. */
const hostScript = [
  'mount --make-rprivate /',
  'mount -t sysfs sysfs /sys',
  'mount -t bpf bpf /sys/fs/bpf',
  'ip link set lo up',
  'echo ready',
  'exec sleep infinity',
].join(' && ')

export interface Program {
  readonly process: ChildProcess
  /** Its first line. */
  readonly greeting: unknown
  /** Sends one line and gives the next line that comes back, both JSON. */
  ask(message: unknown): Promise<unknown>
  kill(): Promise<void>
}

export class Hosts {
  readonly #processes = new Map<string, ChildProcess>()
  readonly #programs = new Set<Program>()

  static async start(): Promise<Hosts> {
    const hosts = new Hosts()
    try {
      for (const name of ['switch', ...hostNames]) await hosts.#startHost(name)
      hosts.#connect()
      return hosts
    } catch (error) {
      await hosts.stop()
      throw error
    }
  }

  async #startHost(name: string): Promise<void> {
    const child = spawn('unshare', ['--net', '--mount', 'sh', '-c', hostScript], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#processes.set(name, child)
    await once(child.stdout, 'data')
  }

  #pidOf(name: string): number {
    const pid = this.#processes.get(name)?.pid
    if (pid === undefined) throw new Error(`no host ${name}`)
    return pid
  }

  #connect(): void {
    this.run('switch', 'ip', 'link', 'add', 'br0', 'type', 'bridge')
    this.run('switch', 'ip', 'link', 'set', 'br0', 'up')
    for (const name of hostNames) {
      const port = ['netns', String(this.#pidOf('switch')), 'name', `p-${name}`]
      this.run(name, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', ...port)
      this.run('switch', 'ip', 'link', 'set', `p-${name}`, 'master', 'br0', 'up')
      this.run(name, 'ip', 'addr', 'add', `${addresses[name]}/24`, 'dev', 'eth0')
      this.run(name, 'ip', 'addr', 'add', `${addresses6[name]}/64`, 'dev', 'eth0', 'nodad')
      // While a link-local address is tried out, for a second or two, nobody is asked for a neighbour by it.
      this.run(name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=0')
      this.run(name, 'ip', 'link', 'set', 'eth0', 'up')
    }
    // The fixes of DR on a real server: silent about the VIP, which stands on lo.
    for (const name of ['rs1', 'rs2'] as const) {
      for (const setting of ['arp_ignore=1', 'arp_announce=2']) {
        this.run(name, 'sysctl', '-qw', `net.ipv4.conf.all.${setting}`)
      }
      this.run(name, 'ip', 'addr', 'add', `${vip}/32`, 'dev', 'lo')
      // Nobody is asked for an address of lo by neighbour discovery on another interface.
      this.run(name, 'ip', 'addr', 'add', `${vip6}/128`, 'dev', 'lo', 'nodad', 'preferred_lft', '0')
    }
    this.run('director', 'ip', 'addr', 'add', `${vip}/32`, 'dev', 'eth0')
    this.run('director', 'ip', 'addr', 'add', `${vip6}/128`, 'dev', 'eth0', 'nodad', 'preferred_lft', '0')
  }

  /** Another cable between two hosts. */
  connect(one: HostName, other: HostName, name: string): void {
    const peer = ['netns', String(this.#pidOf(other)), 'name', name]
    this.run(one, 'ip', 'link', 'add', name, 'type', 'veth', 'peer', ...peer)
    for (const host of [one, other]) this.run(host, 'ip', 'link', 'set', name, 'up')
  }

  /** What native XDP on veth asks of its neighbours: no half-made checksums, and GRO where redirected frames arrive. */
  prepareForXdp(): void {
    this.run('client', 'ethtool', '-K', 'eth0', 'tx', 'off')
    this.run('switch', 'ethtool', '-K', 'p-director', 'gro', 'on')
  }

  /** Room for the outer headers of a tunnel between the director and its real servers; the client keeps its 1500. */
  widen(): void {
    for (const name of ['director', 'rs1', 'rs2'] as const) {
      this.run('switch', 'ip', 'link', 'set', `p-${name}`, 'mtu', '1600')
      this.run(name, 'ip', 'link', 'set', 'eth0', 'mtu', '1600')
    }
  }

  run(name: string, ...command: string[]): string {
    const enter = ['-t', String(this.#pidOf(name)), '--net', '--mount', ...command]
    return execFileSync('nsenter', enter, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Starts one of the programs beside this file. It answers a first line when it is ready. */
  async start(name: HostName, file: string, ...args: string[]): Promise<Program> {
    const script = resolve(import.meta.dirname, file)
    const command = ['-t', String(this.#pidOf(name)), '--net', '--mount', process.execPath, script, ...args]
    const child = spawn('nsenter', command, { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<unknown> => {
      const line = await lines.next()
      if (line.done === true) {
        const [code, signal] = (await ended) as [number | null, string | null]
        throw new Error(`${file} on ${name} has ended with ${signal ?? code}`)
      }
      return JSON.parse(line.value) as unknown
    }
    const program: Program = {
      process: child,
      greeting: await next(),
      ask: (message) => {
        child.stdin.write(`${JSON.stringify(message)}\n`)
        return next()
      },
      kill: async () => {
        this.#programs.delete(program)
        child.kill('SIGKILL')
        await ended
      },
    }
    this.#programs.add(program)
    return program
  }

  async stop(): Promise<void> {
    for (const program of this.#programs) await program.kill()
    for (const child of this.#processes.values()) {
      if (child.exitCode !== null) continue
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
}
