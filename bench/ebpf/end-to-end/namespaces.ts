// A client and a server, and between them one director for each way through: all in network namespaces of their own that
// end with their processes. What one director has set up costs the others nothing.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Own mounts too, so that pins live and die there. */
const script = [
  'mount --make-rprivate /',
  'mount -t sysfs sysfs /sys',
  'mount -t bpf bpf /sys/fs/bpf',
  'ip link set lo up',
  'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0',
  // Thousands of connections a second come again from the same ports.
  'sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1 net.core.somaxconn=8192',
  'echo ready',
  'exec sleep infinity',
].join(' && ')

/** Addresses of the n-th way: client and director share one network, director and server another. */
export const wayAddresses = (n: number) => ({
  client: `10.91.${n}.2`,
  directorLeft: `10.91.${n}.1`,
  directorRight: `10.92.${n}.1`,
  server: `10.92.${n}.2`,
  /** Routed to the director, and an address of nobody's. */
  vip: `10.93.${n}.100`,
})
export type WayAddresses = ReturnType<typeof wayAddresses>

export class Namespaces {
  readonly #hosts = new Map<string, ChildProcess>()
  readonly #programs: ChildProcess[] = []

  async add(name: string): Promise<void> {
    const child = spawn('unshare', ['--net', '--mount', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#hosts.set(name, child)
    const isReady = once(child.stdout, 'data').then(() => true)
    const hasEnded = once(child, 'exit').then(() => false)
    if (!(await Promise.race([isReady, hasEnded]))) throw new Error(`namespace ${name} could not be made`)
  }

  /** Puts a director between client and server, as way number n. */
  async addWay(n: number, director: string): Promise<void> {
    await this.add(director)
    const at = wayAddresses(n)
    this.#link('client', `way${n}`, at.client, director, 'left', at.directorLeft)
    this.#link('server', `way${n}`, at.server, director, 'right', at.directorRight)
    this.run('client', 'ip', 'route', 'add', `10.92.${n}.0/24`, 'via', at.directorLeft)
    this.run('client', 'ip', 'route', 'add', `${at.vip}/32`, 'via', at.directorLeft)
    this.run('server', 'ip', 'route', 'add', `10.91.${n}.0/24`, 'via', at.directorRight)
    // For direct routing: the server answers as the VIP, and nobody asks it for that address.
    this.run('server', 'ip', 'address', 'add', `${at.vip}/32`, 'dev', 'lo')
  }

  #link(host: string, end: string, address: string, director: string, otherEnd: string, otherAddress: string): void {
    const peer = ['peer', 'name', otherEnd, 'netns', String(this.#pidOf(director))]
    this.run(host, 'ip', 'link', 'add', end, 'type', 'veth', ...peer)
    for (const [name, device, own] of [
      [host, end, address],
      [director, otherEnd, otherAddress],
    ] as const) {
      this.run(name, 'ip', 'address', 'add', `${own}/24`, 'dev', device)
      this.run(name, 'ip', 'link', 'set', device, 'up')
    }
  }

  #pidOf(name: string): number {
    const pid = this.#hosts.get(name)?.pid
    if (pid === undefined) throw new Error(`no namespace ${name}`)
    return pid
  }

  #enter(name: string, command: readonly string[]): string[] {
    return ['-t', String(this.#pidOf(name)), '--net', '--mount', ...command]
  }

  run(name: string, ...command: string[]): string {
    return execFileSync('nsenter', this.#enter(name, command), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** A program that runs until the end. */
  start(name: string, ...command: string[]): ChildProcess {
    const child = spawn('nsenter', this.#enter(name, command), { stdio: ['ignore', 'ignore', 'inherit'] })
    this.#programs.push(child)
    return child
  }

  /** A program that answers each line of JSON with one, after a first line of its own; gives the way to ask it. */
  async startAnswering(name: string, ...command: string[]): Promise<(request: unknown) => Promise<unknown>> {
    const child = spawn('nsenter', this.#enter(name, command), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#programs.push(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<unknown> => {
      const line = await lines.next()
      if (line.done === true) throw new Error(`${command.join(' ')} has ended`)
      const answer = JSON.parse(line.value) as unknown
      if (typeof answer === 'object' && answer !== null && ('failed' in answer || 'refused' in answer)) {
        throw new Error(`${name}: ${line.value}`)
      }
      return answer
    }
    await next()
    return (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      return next()
    }
  }

  /** Of the programs that run in them until the end. */
  get programPids(): number[] {
    return this.#programs.flatMap(({ pid, exitCode }) => (pid === undefined || exitCode !== null ? [] : [pid]))
  }

  async stop(): Promise<void> {
    for (const [children, signal] of [
      [this.#programs, 'SIGTERM'],
      [[...this.#hosts.values()], 'SIGKILL'],
    ] as const) {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        const ended = once(child, 'exit')
        child.kill(signal)
        await ended
      }
    }
  }
}
