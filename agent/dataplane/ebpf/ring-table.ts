// The rings in lb_ring. Slots are written one by one in place: a packet meets the old owner or the new one, never nobody.
import type { Scheduler } from '../../../core/model/scheduler.ts'
import { type Ring, buildRing, interleave, memberKey, ringDigest, ringSize } from './maglev.ts'
import type { MapSet, Rows } from './map-set.ts'

/** A real server that may take part, with its index in lb_reals. */
export interface RingCandidate {
  readonly index: number
  readonly address: string
  readonly port: number
  readonly weight: number
}

export class RingTable {
  readonly #rows: Rows
  readonly #reals: number

  constructor(set: MapSet) {
    this.#rows = set.rows('lb_ring')
    this.#reals = set.sizes.reals
  }

  #slots(service: number): Uint16Array {
    return new Uint16Array(this.#rows.view.buffer, this.#rows.at(service), ringSize)
  }

  /** Makes all slots nobody's. */
  clear(service: number): void {
    this.#slots(service).fill(0)
  }

  /** Writes the ring over these members as the scheduler reads it, and gives its digest. */
  write(service: number, members: readonly RingCandidate[], scheduler: Scheduler): string {
    const ring = ringFor(scheduler, members)
    const indexOf = new Map(members.map((member) => [memberKey(member), member.index]))
    const owners = [0, ...ring.keys.map((key) => indexOf.get(key) ?? 0)]
    const slots = this.#slots(service)
    for (let i = 0; i < ringSize; i++) {
      const owner = owners[ring.slots[i] ?? 0] ?? 0
      if (slots[i] !== owner) slots[i] = owner
    }
    return ringDigest(ring)
  }

  /** Digest of the slots as packets meet them; an index that is none of the candidates' counts as nobody's. */
  digest(service: number, candidates: readonly RingCandidate[]): string {
    const counts = this.#counts(service)
    const members = candidates.filter(({ index }) => (counts[index] ?? 0) > 0)
    const keys = members.map(memberKey).toSorted((a, b) => (a < b ? -1 : 1))
    const placeOf = new Uint16Array(this.#reals)
    for (const member of members) placeOf[member.index] = 1 + keys.indexOf(memberKey(member))
    const ring: Ring = { keys, slots: this.#slots(service).map((index) => placeOf[index] ?? 0) }
    return ringDigest(ring)
  }

  /** Share of the slots by index, 0 to 1. */
  shares(service: number): Float64Array {
    return Float64Array.from(this.#counts(service), (count) => count / ringSize)
  }

  #counts(service: number): Uint32Array {
    const counts = new Uint32Array(this.#reals)
    for (const index of this.#slots(service)) counts[index] = (counts[index] ?? 0) + 1
    return counts
  }
}

/** Those that know no weights see all members alike; a weight of 0 keeps one out all the same. */
function ringFor(scheduler: Scheduler, members: readonly RingCandidate[]): Ring {
  const alike = () => members.map((member) => ({ ...member, weight: Math.min(1, member.weight) }))
  switch (scheduler) {
    case 'rr':
      return interleave(alike())
    case 'wrr':
      return interleave(members)
    case 'lc':
      return buildRing(alike())
    default:
      return buildRing(members)
  }
}
