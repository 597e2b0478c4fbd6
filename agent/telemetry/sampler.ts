import type { ObservedService } from '../../core/model/observed.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { Sample, ServiceStatus } from '../../core/model/telemetry.ts'
import type { Clock } from '../clock.ts'
import type { Dataplanes, RealServerReading, ServiceReading } from '../dataplane/dataplane.ts'
import type { HealthStatus } from '../health/checker.ts'

/** Five minutes at one a second. */
const maxKept = 300

export interface SamplerOptions {
  readonly clock: Clock
  readonly dataplane: Pick<Dataplanes, 'read'>
  readonly health: { status(address: string, port: number): HealthStatus }
  /** What the dataplane was last seen to have. */
  readonly services: () => readonly ObservedService[]
}

/** Reads everything that moves, and keeps the last five minutes. */
export class Sampler {
  readonly #options: SamplerOptions
  readonly #samples: Sample[] = []

  constructor(options: SamplerOptions) {
    this.#options = options
  }

  /** Oldest first. */
  history(): Sample[] {
    return [...this.#samples]
  }

  latest(): Sample | undefined {
    return this.#samples.at(-1)
  }

  take(): Sample {
    const { clock, dataplane, services } = this.#options
    const reading = dataplane.read()
    const observed = new Map(services().map((service) => [serviceKey(service), service]))
    const sample: Sample = {
      monotonicMs: clock.monotonicMs(),
      atMs: clock.nowMs(),
      counterEpoch: reading.counterEpoch,
      services: reading.services.flatMap((service) => this.#service(service, observed.get(service.key))),
      verdicts: { ...reading.verdicts },
      flowTable: reading.flowTable,
    }
    this.#samples.push(sample)
    if (this.#samples.length > maxKept) this.#samples.shift()
    return sample
  }

  /** None where the service appeared after the last look: the next sample has it, with its settings. */
  #service(reading: ServiceReading, observed: ObservedService | undefined): ServiceStatus[] {
    if (observed === undefined) return []
    const readings = new Map(reading.realServers.map((one) => [realServerKey(one), one]))
    return [
      {
        key: reading.key,
        ringDigest: reading.ringDigest,
        counters: { ...reading.counters },
        rates: reading.rates,
        realServers: observed.realServers.flatMap((realServer) => {
          const own = readings.get(realServerKey(realServer))
          if (own === undefined) return []
          const { address, port, weight, state } = realServer
          return [{ address, port, weight, state, ...this.#moving(own), ...this.#health(observed, realServer) }]
        }),
      },
    ]
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
