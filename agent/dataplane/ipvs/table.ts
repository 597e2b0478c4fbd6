// The whole table, again and again: what has not changed since the last reading is not read again.
import { type Glances, isTold } from './glance.ts'
import { ipvsServiceKey } from './requests.ts'
import type { IpvsDestination, IpvsService, IpvsServiceId, IpvsStats, IpvsTableEntry } from './types.ts'

interface Known {
  readonly entry: IpvsTableEntry
  /** What a glance showed just before the real servers were read; null where there was none that tells all of them. */
  readonly glance: Buffer | null
  /** Whether a glance would tell all of them. */
  readonly isTold: boolean
}

/**
 * Remembers the last reading. Services are always read anew: one dump has them all. Real servers need one dump for each
 * service, so those whose {@link Glances} are byte by byte as they were stay as they were read: a change in weight,
 * thresholds, forwarding, connections or counters shows there.
 *
 * An entry in which nothing has changed is the same object as before.
 */
export class TableMemory {
  readonly #glances: Glances | null
  #known = new Map<string, Known>()

  /** Without glances all is read each time. */
  constructor(glances: Glances | null) {
    this.#glances = glances
  }

  read(
    services: readonly IpvsService[],
    destinationsOf: (id: IpvsServiceId) => readonly IpvsDestination[],
  ): IpvsTableEntry[] {
    const known = new Map<string, Known>()
    for (const service of services) {
      const key = ipvsServiceKey(service.id)
      known.set(key, this.#one(service, this.#known.get(key), destinationsOf))
    }
    this.#known = known
    return [...known.values()].map(({ entry }) => entry)
  }

  #one(
    service: IpvsService,
    before: Known | undefined,
    destinationsOf: (id: IpvsServiceId) => readonly IpvsDestination[],
  ): Known {
    // First the glance: a change between it and the reading shows in the next one.
    const glance = before?.isTold === false ? null : (this.#glances?.at(service.id) ?? null)
    if (before !== undefined && glance !== null && before.glance?.equals(glance) === true) {
      const { entry } = before
      if (isSameService(entry, service)) return before
      return { ...before, entry: { ...service, destinations: entry.destinations } }
    }
    const destinations = destinationsOf(service.id)
    const isWhole = isTold(service.id, destinations)
    const isSame = before !== undefined && isSameEntry(before.entry, service, destinations)
    return {
      entry: isSame ? before.entry : { ...service, destinations },
      glance: isWhole && glance !== null ? Buffer.from(glance) : null,
      isTold: isWhole,
    }
  }

  close(): void {
    this.#glances?.close()
  }
}

const isSameEntry = (a: IpvsTableEntry, b: IpvsService, destinations: readonly IpvsDestination[]): boolean =>
  isSameService(a, b) &&
  a.destinations.length === destinations.length &&
  a.destinations.every((one, i) => {
    const other = destinations[i]
    return other !== undefined && isSameDestination(one, other)
  })

const isSameDestination = (a: IpvsDestination, b: IpvsDestination): boolean =>
  a.id.address === b.id.address &&
  a.id.port === b.id.port &&
  a.forwarding === b.forwarding &&
  a.weight === b.weight &&
  a.upperThreshold === b.upperThreshold &&
  a.lowerThreshold === b.lowerThreshold &&
  a.tunnel.type === b.tunnel.type &&
  a.tunnel.port === b.tunnel.port &&
  a.tunnel.checksum === b.tunnel.checksum &&
  a.activeConnections === b.activeConnections &&
  a.inactiveConnections === b.inactiveConnections &&
  a.persistentConnections === b.persistentConnections &&
  isSameStats(a.stats, b.stats)

function isSameService(a: IpvsService, b: IpvsService): boolean {
  return (
    a.scheduler === b.scheduler &&
    a.flags.persistent === b.flags.persistent &&
    a.flags.onePacket === b.flags.onePacket &&
    a.flags.schedulerBits === b.flags.schedulerBits &&
    a.timeoutSec === b.timeoutSec &&
    a.prefixLength === b.prefixLength &&
    a.engine === b.engine &&
    isSameStats(a.stats, b.stats)
  )
}

const isSameStats = (a: IpvsStats, b: IpvsStats): boolean =>
  a.connections === b.connections &&
  a.inPackets === b.inPackets &&
  a.outPackets === b.outPackets &&
  a.inBytes === b.inBytes &&
  a.outBytes === b.outBytes &&
  a.connectionsPerSec === b.connectionsPerSec &&
  a.inPacketsPerSec === b.inPacketsPerSec &&
  a.outPacketsPerSec === b.outPacketsPerSec &&
  a.inBytesPerSec === b.inBytesPerSec &&
  a.outBytesPerSec === b.outBytesPerSec
