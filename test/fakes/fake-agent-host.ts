import { Agent } from '../../agent/agent.ts'
import { agentHandlers } from '../../agent/handlers.ts'
import type { ProbeResult } from '../../agent/health/tcp-probe.ts'
import type { AgentContract } from '../../core/contract/agent.ts'
import type { Handlers } from '../../core/contract/define.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import type { Author } from '../../core/model/revision.ts'
import { FakeClock, settle } from './clock.ts'
import { FakeDisk } from './disk.ts'
import { fakeRing } from './kernel.ts'
import { TrafficKernel, type TrafficOf } from './traffic-kernel.ts'

const tickMs = 200

export interface AgentHostOptions {
  readonly spec: ClusterSpec | null
  readonly author: Author
  readonly trafficOf: TrafficOf
  /** Real servers that do not answer checks, by `address:port`, and why. */
  readonly down?: Readonly<Record<string, string>>
  /** How long it has run before anybody looks. */
  readonly pastMs?: number
  /** Another kernel than one with eBPF services alone. */
  readonly makeKernel?: (trafficOf: TrafficOf, nowMs: number) => TrafficKernel
  /** Director's wall clock minus this machine's. */
  readonly skewMs?: number
}

/** The last part of an address: fakes tell hosts apart by it. */
const lastNumber = (address: string): number => Number.parseInt(/[0-9a-f]*$/.exec(address)?.[0] ?? '', 16) || 0

/** The real agent on a kernel, disk and clock of its own, with visitors; its clock goes with the machine's. */
export class FakeAgentHost {
  readonly kernel: TrafficKernel
  readonly clock = new FakeClock()
  readonly down = new Map<string, string>()
  readonly handlers: Handlers<AgentContract>
  readonly agent: Agent
  #timer: ReturnType<typeof setInterval> | undefined

  private constructor(agent: Agent, kernel: TrafficKernel, clock: FakeClock, down: Map<string, string>) {
    this.agent = agent
    this.kernel = kernel
    this.clock = clock
    this.down = down
    this.handlers = agentHandlers(agent, 'change')
  }

  static async start(options: AgentHostOptions): Promise<FakeAgentHost> {
    const { spec, author, trafficOf, pastMs = 0, skewMs = 0 } = options
    const clock = new FakeClock()
    clock.setWall(Date.now() - pastMs + skewMs - clock.nowMs())
    const { makeKernel = (traffic, nowMs) => new TrafficKernel(traffic, nowMs) } = options
    const kernel = makeKernel(trafficOf, clock.nowMs())
    const down = new Map(Object.entries(options.down ?? {}))
    const probe = async (address: string, port: number): Promise<ProbeResult> => {
      const error = down.get(`${address}:${port}`)
      return error === undefined
        ? { isUp: true, latencyMs: 0.4 + ((lastNumber(address) * 7) % 13) / 10 }
        : { isUp: false, error }
    }
    const agent = await Agent.start({
      version: '0.1.0',
      hostname: 'lb1',
      disk: new FakeDisk(),
      clock,
      dataplane: kernel,
      network: kernel,
      probe,
      ringOf: fakeRing,
      log: () => {},
      random: () => 0.5,
    })
    await settle()
    const host = new FakeAgentHost(agent, kernel, clock, down)
    if (spec !== null) {
      await agent.reconciler.apply({
        spec,
        baseRevision: 0,
        confirmWithinSec: null,
        author,
        message: 'First services',
        protectedAddresses: [],
        adopt: [],
        drainSec: 0,
      })
    }
    for (let passed = 0; passed < pastMs; passed += 1000) await host.#advance(1000)
    // Making the past takes a busy machine a second or two: the clock is set by its own again.
    clock.setWall(Date.now() + skewMs - clock.nowMs())
    return host
  }

  async #advance(ms: number): Promise<void> {
    this.kernel.pass(this.clock.nowMs() + ms)
    await this.clock.advance(ms)
  }

  /** From here on time goes by itself. */
  run(): void {
    let isBusy = false
    this.#timer = setInterval(() => {
      if (isBusy) return
      isBusy = true
      void this.#advance(tickMs).finally(() => {
        isBusy = false
      })
    }, tickMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
