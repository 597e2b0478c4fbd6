// A real agent on a host of the guest, spoken to through its own socket; it can be killed and started again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  agentContract,
  type AgentContract,
  type ApplyRequest,
  type DirectorState,
} from '../../../core/contract/agent.ts'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import type { ApplyResult } from '../../../core/model/revision.ts'
import { byteStreamWire } from '../../../core/rpc/byte-stream.ts'
import { type Client, createClient } from '../../../core/rpc/client.ts'
import type { ExecResult } from '../../lab/host-process.ts'
import type { Guest } from '../../lab/guest/guest.ts'

const program = '/opt/signalbox/signalbox.mjs'

const timers = {
  after(delayMs: number, callback: () => void) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

export interface DirectorOptions {
  /** Network namespace; left out, the guest itself. */
  readonly host?: string | undefined
  /** Words in front of the agent's command, such as setpriv(1) with its options. */
  readonly under?: readonly string[]
  /** Its own /etc/sysctl.d and /etc/modules-load.d: two directors in one guest would share those files. */
  readonly ownFiles?: boolean
  /** Folder of state and log in the guest; left out, one for each host. */
  readonly place?: string
}

type ApplyOptions = Partial<Pick<ApplyRequest, 'adopt' | 'confirmWithinSec' | 'drainSec'>>

export class Director {
  /** Of state and log in the guest. */
  readonly place: string
  readonly #guest: Guest
  readonly #options: DirectorOptions
  #tunnel: ChildProcess | undefined
  #socket: Socket | undefined
  #client: Client<AgentContract> | undefined

  constructor(guest: Guest, options: DirectorOptions = {}) {
    this.#guest = guest
    this.#options = options
    this.place = options.place ?? `/root/agent-${options.host ?? 'guest'}`
  }

  get client(): Client<AgentContract> {
    if (this.#client === undefined) throw new Error('The agent does not run.')
    return this.#client
  }

  /** The command that runs the agent in the foreground. */
  get command(): string {
    const { host, under = [], ownFiles = false } = this.#options
    const folders = ['sysctl.d', 'modules-load.d']
    const binds = folders.map((name) => `mount --bind ${this.place}/${name} /etc/${name}`)
    const agent = `node ${program} agent --state-dir ${this.place}/state --socket-dir ${this.place}/run`
    const enter = host === undefined ? '' : `nsenter --net=/run/netns/${host} `
    const words = `${under.join(' ')} ${agent}`.trim()
    if (!ownFiles) return `${enter}${words}`
    return `${enter}unshare --mount sh -euc '${[...binds, `exec ${words}`].join('; ')}'`
  }

  /** Starts the agent with what an earlier one left, and waits until it answers. */
  async start(): Promise<this> {
    await this.#guest.run(this.startScript, { timeoutMs: 90_000 })
    await this.connect()
    return this
  }

  /** For the guest itself: also as a boot hook of one that keeps its disk. */
  get startScript(): string {
    const { place } = this
    return `mkdir -p ${place}/sysctl.d ${place}/modules-load.d; rm -rf ${place}/run
${this.command} >>${place}/log 2>&1 </dev/null & echo $! >${place}/pid
pid=$!; until [ -S ${place}/run/agent.sock ]; do
  kill -0 $pid 2>/dev/null || { cat ${place}/log >&2; exit 1; }; sleep 0.05
done
`
  }

  /** Speaks with an agent that runs already. */
  async connect(): Promise<void> {
    const local = join(this.#guest.stateDir, `${basename(this.place)}.sock`)
    if (this.#tunnel === undefined) await this.#forward(local)
    this.#socket = connect(local)
    await once(this.#socket, 'connect')
    this.#client = createClient(byteStreamWire(this.#socket), agentContract, timers)
  }

  /** One forwarding outlives many agents: each connection opens the socket's file anew. */
  async #forward(local: string): Promise<void> {
    await rm(local, { force: true })
    const words = ['-F', this.#guest.sshConfigFile, '-N', '-L', `${local}:${this.place}/run/agent.sock`, 'guest']
    const tunnel = spawn('setpriv', ['--pdeathsig=KILL', '--', 'ssh', ...words], { stdio: 'ignore' })
    this.#tunnel = tunnel
    while (!existsSync(local)) {
      if (tunnel.exitCode !== null) throw new Error(`ssh -L ended with ${tunnel.exitCode}`)
      await delay(20)
    }
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#hangUp()
    await this.#guest.run(
      `pid=$(cat ${this.place}/pid); kill -9 $pid; while kill -0 $pid 2>/dev/null; do sleep 0.02; done`,
    )
  }

  /** Kills the agent, forgets what it knew, and lets go of the forwarding. What it programmed stays. */
  async end(): Promise<void> {
    this.#hangUp()
    await this.#guest.run(
      `[ ! -e ${this.place}/pid ] || kill -9 $(cat ${this.place}/pid) 2>/dev/null || true; rm -rf ${this.place}
       rm -f /etc/sysctl.d/60-signalbox.conf /etc/modules-load.d/signalbox.conf`,
    )
    this.disconnect()
  }

  /** Lets go of the agent; for a guest whose power is cut. */
  disconnect(): void {
    this.#hangUp()
    this.#tunnel?.kill('SIGKILL')
    this.#tunnel = undefined
  }

  #hangUp(): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#client = undefined
  }

  /** Asks for an apply, and answers what became of it. */
  async tryApply(spec: ClusterSpec, options: ApplyOptions = {}): Promise<ApplyResult> {
    const { revision } = await this.state()
    return this.client.call('cluster.apply', {
      spec,
      baseRevision: revision,
      confirmWithinSec: null,
      drainSec: 0,
      author: { user: 'tester', via: 'cli', from: 'guest' },
      ...options,
    })
  }

  /** Applies a document, and expects it to be in force with nothing left to do. */
  async apply(spec: ClusterSpec, options: ApplyOptions = {}): Promise<ApplyResult> {
    const result = await this.tryApply(spec, options)
    if (result.failure !== null) throw new Error(`${result.failure.step?.kind}: ${result.failure.message}`)
    if (result.drift.length > 0) throw new Error(`still to do: ${JSON.stringify(result.drift)}`)
    return result
  }

  /** What the agent knows now. */
  state(): Promise<DirectorState> {
    return this.stateWhere(() => true)
  }

  /** The first state that is as wanted. */
  async stateWhere(holds: (state: DirectorState) => boolean, withinMs = 20_000): Promise<DirectorState> {
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), withinMs)
    let last: DirectorState | undefined
    try {
      for await (const state of this.client.stream('director.watch', {}, { signal: abort.signal })) {
        last = state
        if (holds(state)) return state
      }
    } catch (error) {
      if (!abort.signal.aborted) throw error
    } finally {
      clearTimeout(timer)
    }
    const shown = JSON.stringify({ drift: last?.drift, ipvs: last?.observed.ipvs, events: last?.events })
    throw new Error(`The state was not as wanted within ${withinMs} ms: ${shown}`)
  }

  /** `signalbox …` on the host of the agent. */
  cli(args: readonly string[], stdin = ''): Promise<ExecResult> {
    const { host } = this.#options
    const words = ['node', program, ...args, '--socket', `${this.place}/run/agent.sock`]
    return this.#guest.exec(words, { stdin, ...(host === undefined ? {} : { host }) })
  }

  log(): Promise<string> {
    return this.#guest.run(`cat ${this.place}/log`)
  }
}
