import type { ObservedService } from '../../core/model/observed.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { RealServerStatus, Sample, ServiceStatus } from '../../core/model/telemetry.ts'
import type { Clock } from '../clock.ts'
import type { Dataplanes, RealServerReading, ServiceReading } from '../dataplane/dataplane.ts'
import type { HealthStatus } from '../health/checker.ts'

/** Five minutes at one a second. */
const maxKept = 300
/**
 * Rows of real servers that all samples kept may hold, at some 300 bytes each; one in which nothing has moved is shared
 * by the samples and counts once. A cluster of ten thousand busy ones has a short history.
 */
const maxRows = 40_000

export interface SamplerOptions {
  readonly clock: Clock
  readonly dataplane: Pick<Dataplanes, 'read'>
  readonly health: { status(address: string, port: number): HealthStatus }
  /** What the dataplane was last seen to have. */
  readonly services: () => readonly ObservedService[]
}

interface Kept {
  readonly sample: Sample
  /** Real servers in which something has moved since the sample before. */
  readonly rows: number
}

/** Reads everything that moves, and keeps the last five minutes, or less of a large cluster. */
export class Sampler {
  readonly #options: SamplerOptions
  readonly #kept: Kept[] = []
  #rows = 0

  constructor(options: SamplerOptions) {
    this.#options = options
  }

  /** Oldest first. */
  history(): Sample[] {
    return this.#kept.map(({ sample }) => sample)
  }

  latest(): Sample | undefined {
    return this.#kept.at(-1)?.sample
  }

  take(): Sample {
    const { clock, dataplane, services } = this.#options
    const reading = dataplane.read()
    const observed = new Map(services().map((service) => [serviceKey(service), service]))
    const former = new Map(this.latest()?.services.map((service) => [service.key, service]))
    const sample: Sample = {
      monotonicMs: clock.monotonicMs(),
      atMs: clock.nowMs(),
      counterEpoch: reading.counterEpoch,
      services: reading.services.flatMap((service) =>
        this.#service(service, observed.get(service.key), former.get(service.key)),
      ),
      verdicts: { ...reading.verdicts },
      flowTable: reading.flowTable,
    }
    this.#keep(sample)
    return sample
  }

  #keep(sample: Sample): void {
    const former = new Set(this.latest()?.services.flatMap(({ realServers }) => realServers))
    const rows = sample.services.reduce(
      (sum, { realServers }) => sum + realServers.filter((one) => !former.has(one)).length,
      0,
    )
    this.#kept.push({ sample, rows })
    this.#rows += rows
    while (this.#kept.length > 1 && (this.#kept.length > maxKept || this.#rows > maxRows)) {
      this.#rows -= this.#kept.shift()?.rows ?? 0
    }
  }

  /** None where the service appeared after the last look: the next sample has it, with its settings. */
  #service(
    reading: ServiceReading,
    observed: ObservedService | undefined,
    former: ServiceStatus | undefined,
  ): ServiceStatus[] {
    if (observed === undefined) return []
    const readings = new Map(reading.realServers.map((one) => [realServerKey(one), one]))
    const realServers = observed.realServers.flatMap((realServer, i): RealServerStatus[] => {
      const own = readings.get(realServerKey(realServer))
      if (own === undefined) return []
      const { address, port, weight, state } = realServer
      const status = { address, port, weight, state, ...this.#moving(own), ...this.#health(observed, realServer) }
      const last = former?.realServers[i]
      return [last !== undefined && isSame(last, status) ? last : status]
    })
    const { key, ringDigest, counters, rates } = reading
    const status: ServiceStatus = { key, ringDigest, counters: { ...counters }, rates, realServers }
    return [former !== undefined && isSame(former, status) ? former : status]
  }

  #moving({ address: _address, port: _port, counters, ...moving }: RealServerReading) {
    return { ...moving, counters: { ...counters } }
  }

  #health(service: ObservedService, { address, port, state }: ObservedService['realServers'][number]): HealthStatus {
    if (service.check.type === 'none' || state === 'offline') {
      return { health: 'unknown', checkLatencyMs: null, checkError: null, sinceMs: null }
    }
    return this.#options.health.status(address, port)
  }
}

/** Whether nothing has moved; rows of a list are compared as the objects that they are. */
function isSame<T extends object>(a: T, b: T): boolean {
  return Object.entries(a).every(([name, value]: [string, unknown]) => {
    const other = (b as Readonly<Record<string, unknown>>)[name]
    if (Array.isArray(value)) {
      return Array.isArray(other) && value.length === other.length && value.every((one, i) => one === other[i])
    }
    if (typeof value !== 'object' || value === null) return value === other
    return typeof other === 'object' && other !== null && isSame(value, other)
  })
}
