import type { ObservedService } from '../../core/model/observed.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { Health } from '../../core/model/telemetry.ts'
import type { Clock } from '../clock.ts'
import type { Dataplanes } from '../dataplane/dataplane.ts'
import type { EventLog } from '../events.ts'
import { type Target, targetsOf } from './targets.ts'
import type { Probe, ProbeResult } from './tcp-probe.ts'
import { judge, unknown, type Verdict } from './verdict.ts'

/** Checks of many real servers are spread over this share of their interval, so that they do not go out in one burst. */
const jitterShare = 0.05

export interface HealthStatus {
  readonly health: Health
  readonly checkLatencyMs: number | null
  readonly checkError: string | null
  readonly sinceMs: number | null
}

const notChecked: HealthStatus = { health: 'unknown', checkLatencyMs: null, checkError: null, sinceMs: null }

interface Watched {
  target: Target
  verdict: Verdict
  last: ProbeResult | null
  sinceMs: number | null
  stop: () => void
}

export interface CheckerOptions {
  readonly clock: Clock
  readonly probe: Probe
  readonly dataplane: Pick<Dataplanes, 'setHealth'>
  readonly events: EventLog
  readonly log: (message: string) => void
  /** 0 to 1. */
  readonly random: () => number
}

/** Checks every real server by itself and tells the dataplane what changed. */
export class HealthChecker {
  readonly #options: CheckerOptions
  readonly #watched = new Map<string, Watched>()
  #isFirst = true
  #isStopped = false

  constructor(options: CheckerOptions) {
    this.#options = options
  }

  /**
   * Fits the checks to what the dataplane has now. At the first call the dataplane's word on each real server counts as
   * known: an agent that comes back neither raises the dead nor drops the living. Later newcomers are unknown, and
   * their first result decides.
   */
  update(services: readonly ObservedService[]): void {
    if (this.#isStopped) return
    const targets = targetsOf(services)
    for (const [key, watched] of this.#watched) {
      if (targets.has(key)) continue
      watched.stop()
      this.#watched.delete(key)
    }
    for (const [key, target] of targets) {
      const watched = this.#watched.get(key)
      if (watched === undefined) this.#watch(target)
      else watched.target = target
    }
    this.#repair(services)
    this.#isFirst = false
  }

  status(address: string, port: number): HealthStatus {
    const watched = this.#watched.get(realServerKey({ address, port }))
    if (watched === undefined) return notChecked
    const { verdict, last, sinceMs } = watched
    return {
      health: verdict.isUp === null || last === null ? 'unknown' : verdict.isUp ? 'up' : 'down',
      checkLatencyMs: last?.isUp === true ? last.latencyMs : null,
      checkError: last?.isUp === false ? last.error : null,
      sinceMs,
    }
  }

  stop(): void {
    this.#isStopped = true
    for (const watched of this.#watched.values()) watched.stop()
    this.#watched.clear()
  }

  /** The dataplane's state where it differs from what is known: a service that was set up anew, a check that ended. */
  #repair(services: readonly ObservedService[]): void {
    for (const service of services) {
      if (service.isForeign) continue
      for (const realServer of service.realServers) {
        if (realServer.state === 'offline') continue
        const key = realServerKey(realServer)
        const known = service.check.type === 'none' ? true : (this.#watched.get(key)?.verdict.isUp ?? null)
        if (known !== null && known !== realServer.isUp) this.#tell([serviceKey(service)], key, known)
      }
    }
  }

  #watch(target: Target): void {
    const watched: Watched = {
      target,
      verdict: this.#isFirst ? { isUp: target.wasUp, against: 0 } : unknown,
      last: null,
      sinceMs: null,
      stop: () => {},
    }
    this.#watched.set(target.key, watched)
    void this.#check(watched)
  }

  async #check(watched: Watched): Promise<void> {
    const { clock, probe, random } = this.#options
    const { address, port, check } = watched.target
    const startedAt = clock.monotonicMs()
    const result = await probe(address, port, check.timeoutMs)
    if (this.#isStopped || this.#watched.get(watched.target.key) !== watched) return
    this.#settle(watched, result)
    const jitter = 1 + (random() * 2 - 1) * jitterShare
    const wait = watched.target.check.intervalMs * jitter - (clock.monotonicMs() - startedAt)
    watched.stop = clock.after(Math.max(1, wait), () => void this.#check(watched))
  }

  #settle(watched: Watched, result: ProbeResult): void {
    const { clock, events } = this.#options
    const { target, verdict } = watched
    const next = judge(verdict, result, target.check)
    watched.verdict = next
    watched.last = result
    if (next.isUp === verdict.isUp) {
      watched.sinceMs ??= clock.nowMs()
      return
    }
    watched.sinceMs = clock.nowMs()
    const isUp = next.isUp === true
    // A newcomer counts as up in the dataplane until its first result.
    if (verdict.isUp === null && isUp && target.wasUp) return
    this.#tell(target.services, target.key, isUp)
    const [service = null] = target.services
    const params = { realServer: target.key, ...(result.isUp ? {} : { error: result.error }) }
    events.add(isUp ? 'health.up' : 'health.down', { service, realServer: target.key, params })
  }

  #tell(services: readonly string[], realServer: string, isUp: boolean): void {
    for (const service of services) {
      try {
        this.#options.dataplane.setHealth(service, realServer, isUp)
      } catch (error) {
        // The service may have gone between the look at the dataplane and now; the next look says.
        this.#options.log(`Health of ${realServer} in ${service} could not be set: ${String(error)}`)
      }
    }
  }
}
