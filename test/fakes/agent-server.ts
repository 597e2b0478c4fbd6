import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Agent } from '../../agent/agent.ts'
import { systemClock } from '../../agent/clock.ts'
import { openDisk } from '../../agent/disk.ts'
import { agentHandlers } from '../../agent/handlers.ts'
import { type AgentServer, startServer } from '../../agent/server.ts'
import { agentContract, type AgentContract } from '../../core/contract/agent.ts'
import { byteStreamWire } from '../../core/rpc/byte-stream.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { FakeKernel, fakeRing } from './kernel.ts'

const clock = systemClock()

/** The agent with its real sockets, disk and clock; only its kernel is a fake one. */
export class ServedAgent {
  readonly kernel = new FakeKernel()
  readonly log: string[] = []
  readonly dir: string
  #agent: Agent | undefined
  #server: AgentServer | undefined
  readonly #sockets = new Set<Socket>()

  private constructor(dir: string) {
    this.dir = dir
  }

  static async start(): Promise<ServedAgent> {
    const served = new ServedAgent(await mkdtemp(join(tmpdir(), 'signalbox-agent-')))
    await served.start()
    return served
  }

  get socket(): string {
    return join(this.dir, 'run/agent.sock')
  }
  get viewSocket(): string {
    return join(this.dir, 'run/view.sock')
  }
  get agent(): Agent {
    if (this.#agent === undefined) throw new Error('the agent does not run')
    return this.#agent
  }

  async start(): Promise<void> {
    const log = (message: string) => this.log.push(message)
    const agent = await Agent.start({
      version: '0.0.0',
      hostname: 'director',
      disk: await openDisk(join(this.dir, 'state')),
      clock,
      dataplane: this.kernel,
      network: this.kernel,
      probe: async () => ({ isUp: true, latencyMs: 1 }),
      ringOf: fakeRing,
      log,
      random: () => 0.5,
    })
    this.#agent = agent
    const socketDir = join(this.dir, 'run')
    this.#server = await startServer({ socketDir, log, handlers: (access) => agentHandlers(agent, access) })
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.#server?.close()
    this.#agent?.stop()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.dir, { recursive: true, force: true })
  }

  async open(path = this.socket): Promise<Socket> {
    const socket = connect(path)
    this.#sockets.add(socket)
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return socket
  }

  async client(path = this.socket): Promise<Client<AgentContract>> {
    return createClient(byteStreamWire(await this.open(path)), agentContract, clock)
  }
}

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `signalbox …` as a program of its own. Several inputs come seconds apart, when it waits for them. */
export function signalbox(
  args: readonly string[],
  { input = '', env = {} }: { input?: string | readonly string[]; env?: Record<string, string> } = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, ['agent/main.ts', ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  child.stdin.on('error', () => {})
  void (async () => {
    for (const [i, part] of [input].flat().entries()) {
      if (i > 0) await setTimeout(3000)
      child.stdin.write(part)
    }
    child.stdin.end()
  })()
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })))
}
