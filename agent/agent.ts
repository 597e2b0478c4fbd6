import type { DirectorState } from '../core/contract/agent.ts'
import type { NewFlows } from '../core/model/observed.ts'
import type { Sample } from '../core/model/telemetry.ts'
import type { RingMember } from '../core/reconcile/risk.ts'
import { Countdown } from './apply/countdown.ts'
import { Journal } from './apply/journal.ts'
import { OwnVipRecord } from './apply/own-vips.ts'
import { Reconciler } from './apply/reconciler.ts'
import type { Clock } from './clock.ts'
import type { Dataplanes } from './dataplane/dataplane.ts'
import type { Disk } from './disk.ts'
import { EventLog } from './events.ts'
import { HealthChecker } from './health/checker.ts'
import type { Probe } from './health/tcp-probe.ts'
import { LatestValue } from './latest-value.ts'
import type { Network } from './network.ts'
import { RevisionStore } from './store.ts'
import { Sampler } from './telemetry/sampler.ts'

export interface AgentOptions {
  readonly version: string
  readonly hostname: string
  readonly disk: Disk
  readonly clock: Clock
  readonly dataplane: Dataplanes
  readonly network: Network
  readonly probe: Probe
  readonly ringOf: (members: readonly RingMember[]) => readonly string[]
  readonly log: (message: string) => void
  readonly random: () => number
}

const lookEveryMs = 2000
const sampleEveryMs = 1000
const longestWaitMs = 15_000
/** Changes that come together are pushed together. */
const pushAfterMs = 50

/** The program on the director without its sockets: state, checks and counters, and the timers that drive them. */
export class Agent {
  readonly options: AgentOptions
  readonly reconciler: Reconciler
  readonly store: RevisionStore
  readonly startedAtMs: number
  readonly sampler: Sampler
  readonly #events: EventLog
  readonly #health: HealthChecker
  readonly #states = new LatestValue<DirectorState>()
  readonly #samples = new LatestValue<Sample>()
  readonly #stops = new Set<() => void>()
  #isPushPlanned = false
  #lastPushed = ''
  #isStopped = false
  #ticks = 0

  private constructor(
    options: AgentOptions,
    stored: { store: RevisionStore; countdown: Countdown; ownVips: OwnVipRecord },
  ) {
    const { clock, dataplane, network, disk, log, ringOf, probe, random } = options
    const onChange = () => this.#changed()
    this.options = options
    this.store = stored.store
    this.startedAtMs = clock.nowMs()
    this.#events = new EventLog(clock, onChange)
    this.#health = new HealthChecker({ clock, probe, dataplane, events: this.#events, log, random })
    this.reconciler = new Reconciler({
      targets: { dataplane, network, ownVips: stored.ownVips, clock, log },
      disk,
      store: stored.store,
      journal: new Journal(disk),
      countdown: stored.countdown,
      clock,
      events: this.#events,
      ringOf,
      onLook: ({ services }) => this.#health.update(services),
      onChange,
    })
    const services = () => this.reconciler.observed.services
    this.sampler = new Sampler({ clock, dataplane, health: this.#health, services })
  }

  /** Takes up what the last agent left, then watches. */
  static async start(options: AgentOptions): Promise<Agent> {
    const { disk, clock, hostname, log } = options
    const stored = {
      store: await RevisionStore.open(disk, hostname, (file) => log(`${file} is damaged and is passed over.`)),
      countdown: await Countdown.open(disk, clock),
      ownVips: await OwnVipRecord.open(disk, clock.bootId),
    }
    const agent = new Agent(options, stored)
    await agent.#begin()
    return agent
  }

  async #begin(): Promise<void> {
    const { version, dataplane } = this.options
    this.#stops.add(dataplane.onEvent((event) => this.#neighbour(event.address, event.mac)))
    await this.reconciler.start()
    this.#events.add('agent.started', { params: { version } })
    await this.#sample()
    this.#repeat(lookEveryMs, () => this.reconciler.look())
    this.#repeat(sampleEveryMs, () => this.#sample())
    this.#push()
  }

  /** Stops watching. The kernel goes on as it is. */
  stop(): void {
    this.#isStopped = true
    for (const stop of this.#stops) stop()
    this.#health.stop()
    this.reconciler.stop()
  }

  /** The operator's emergency switch of the eBPF dataplane; it outlives the agent, not a boot. */
  async setNewFlows(newFlows: NewFlows): Promise<{ newFlows: NewFlows }> {
    this.options.dataplane.setNewFlows(newFlows)
    this.#events.add(newFlows === 'stopped' ? 'agent.newFlowsStopped' : 'agent.newFlowsBalanced')
    await this.reconciler.look()
    this.#push()
    return { newFlows }
  }

  /** The state at this instant. */
  state(): DirectorState {
    const { clock } = this.options
    const { revision, digest, spec } = this.store.current()
    return {
      revision,
      digest,
      spec,
      role: this.store.role,
      progress: this.reconciler.progress(),
      lastResult: this.reconciler.lastResult,
      observed: this.reconciler.observed,
      drift: [...this.reconciler.drift],
      events: this.#events.list(),
      nowMs: clock.nowMs(),
      monotonicMs: clock.monotonicMs(),
    }
  }

  async *watchState(signal: AbortSignal): AsyncGenerator<DirectorState> {
    // What was pushed says that something changed; what is sent is the state when the watcher takes it.
    for await (const _pushed of this.#states.watch(signal)) yield this.state()
  }

  watchSamples(signal: AbortSignal): AsyncGenerator<Sample> {
    return this.#samples.watch(signal)
  }

  #changed(): void {
    if (this.#isPushPlanned || this.#isStopped) return
    this.#isPushPlanned = true
    const stop = this.options.clock.after(pushAfterMs, () => {
      this.#stops.delete(stop)
      this.#isPushPlanned = false
      this.#push()
    })
    this.#stops.add(stop)
  }

  #push(): void {
    const state = this.state()
    const { nowMs: _now, monotonicMs: _monotonic, progress, ...rest } = state
    // Clocks go on without being news.
    const moving = progress === null ? null : { ...progress, remainingMs: null, revertsAtMs: null }
    const news = JSON.stringify([rest, moving])
    if (news === this.#lastPushed) return
    this.#lastPushed = news
    this.#states.set(state)
  }

  async #sample(): Promise<void> {
    const { dataplane, log } = this.options
    try {
      // Flows are counted half as often as counters are read: the count walks the whole cache.
      if (this.#ticks++ % 2 === 0) await dataplane.sweep()
      this.#samples.set(this.sampler.take())
    } catch (error) {
      log(`No sample could be taken: ${String(error)}`)
    }
  }

  #neighbour(address: string, mac: string | null): void {
    if (mac === null) this.#events.add('neighbour.lost', { realServer: address, params: { address } })
    else this.#events.add('neighbour.found', { realServer: address, params: { address, mac } })
  }

  #repeat(everyMs: number, work: () => void | Promise<void>): void {
    const { clock, log } = this.options
    const next = (waitMs: number) => {
      const stop = clock.after(waitMs, () => {
        this.#stops.delete(stop)
        const startedAt = clock.monotonicMs()
        Promise.resolve()
          .then(work)
          .catch((error: unknown) => log(`A look at the kernel failed: ${String(error)}`))
          .finally(() => {
            // What is slow, on a large cluster or a busy host, is done less often: it may not fill the agent's time.
            const tookMs = clock.monotonicMs() - startedAt
            if (!this.#isStopped) next(Math.min(Math.max(everyMs, 10 * tookMs), longestWaitMs))
          })
      })
      this.#stops.add(stop)
    }
    next(everyMs)
  }
}
