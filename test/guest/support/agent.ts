// A real agent on a director of the guest, spoken to through its own socket.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { agentContract, type AgentContract, type DirectorState } from '../../../core/contract/agent.ts'
import { type ClusterSpec, parseClusterSpec } from '../../../core/model/cluster-spec.ts'
import { formatIssue } from '../../../core/model/issue.ts'
import type { ApplyResult } from '../../../core/model/revision.ts'
import { byteStreamWire } from '../../../core/rpc/byte-stream.ts'
import { type Client, createClient } from '../../../core/rpc/client.ts'
import type { Guest } from '../../lab/guest/guest.ts'

const packed = new URL('../../../dist/agent-linux-x64-nonode.tar.gz', import.meta.url)
const folder = '/opt/signalbox'

const timers = {
  after(delayMs: number, callback: () => void) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** A document, or the reasons why it is none. */
export function documentOf(services: readonly object[], more: object = {}): ClusterSpec {
  const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'guest', services, ...more })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value
}

/** Unpacks the built agent in the guest, once for each guest. */
export async function installAgent(guest: Guest): Promise<void> {
  await guest.write('/root/agent.tar.gz', readFileSync(packed))
  await guest.run(`mkdir -p ${folder}; tar -xzf /root/agent.tar.gz -C ${folder} --no-same-owner`)
}

export class GuestAgent {
  readonly client: Client<AgentContract>
  readonly #guest: Guest
  readonly #host: string
  readonly #tunnel: ChildProcess
  readonly #socket: Socket
  /** In force, as far as this side knows without asking. */
  #revision: number | undefined

  private constructor(guest: Guest, host: string, tunnel: ChildProcess, socket: Socket) {
    this.#guest = guest
    this.#host = host
    this.#tunnel = tunnel
    this.#socket = socket
    this.client = createClient(byteStreamWire(socket), agentContract, timers)
  }

  /** Starts an agent with an empty state on a host of the network. */
  static async start(guest: Guest, host = 'director'): Promise<GuestAgent> {
    const place = `/root/agent-${host}`
    await guest.run(
      `rm -rf ${place}; mkdir ${place}
       nsenter --net=/run/netns/${host} node ${folder}/signalbox.mjs agent --state-dir ${place}/state --socket-dir ${place}/run \\
         >${place}/log 2>&1 </dev/null & echo $! >${place}/pid
       for i in $(seq 600); do [ -S ${place}/run/agent.sock ] && exit 0; sleep 0.1; done; cat ${place}/log >&2; exit 1`,
      { timeoutMs: 90_000 },
    )
    const local = join(guest.stateDir, `agent-${host}.sock`)
    await rm(local, { force: true })
    const forward = `${local}:${place}/run/agent.sock`
    const tunnel = spawn(
      'setpriv',
      ['--pdeathsig=KILL', '--', 'ssh', '-F', guest.sshConfigFile, '-N', '-L', forward, 'guest'],
      {
        stdio: 'ignore',
      },
    )
    while (!existsSync(local)) {
      if (tunnel.exitCode !== null) throw new Error(`ssh -L ended with ${tunnel.exitCode}`)
      await delay(20)
    }
    const socket = connect(local)
    await once(socket, 'connect')
    return new GuestAgent(guest, host, tunnel, socket)
  }

  /** Applies a document, and expects it to be in force with nothing left to do. */
  async apply(spec: ClusterSpec, more: { adopt?: string[] } = {}): Promise<ApplyResult> {
    const baseRevision = this.#revision ?? (await this.state()).revision
    this.#revision = undefined
    const author = { user: 'tester', via: 'cli', from: 'guest' } as const
    const request = { spec, baseRevision, confirmWithinSec: null, drainSec: 0, author, ...more }
    const result = await this.client.call('cluster.apply', request, { timeoutMs: 600_000 })
    if (result.failure !== null) throw new Error(`${result.failure.step?.kind}: ${result.failure.message}`)
    if (result.drift.length > 0) throw new Error(`still to do: ${JSON.stringify(result.drift)}`)
    this.#revision = result.revision
    return result
  }

  /** What the agent sees now. */
  async state(): Promise<DirectorState> {
    for await (const state of this.client.stream('director.watch', {})) return state
    throw new Error('the agent ended the stream')
  }

  async log(): Promise<string> {
    return this.#guest.run(`cat /root/agent-${this.#host}/log`)
  }

  async stop(): Promise<void> {
    this.#socket.destroy()
    const ended = once(this.#tunnel, 'close')
    this.#tunnel.kill('SIGKILL')
    await ended
    const pid = `/root/agent-${this.#host}/pid`
    await this.#guest.run(`kill "$(cat ${pid})"; while kill -0 "$(cat ${pid})" 2>/dev/null; do sleep 0.05; done`)
  }
}
