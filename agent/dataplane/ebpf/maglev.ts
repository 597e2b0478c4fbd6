// Weighted Maglev hashing: a ring in which a change moves few slots beside those that must move.
// Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4.
import { createHash } from 'node:crypto'

/** Slots of a ring; the same as LB_RING_SIZE of agent/bpf/lb_config.h. Prime: every skip visits all slots. */
export const ringSize = 65537

/** A real server that takes part in a ring. */
export interface RingMember {
  readonly address: string
  readonly port: number
  /** 0 takes no part. */
  readonly weight: number
}

export interface Ring {
  /** Keys of the members, sorted; `address:port`. */
  readonly keys: readonly string[]
  /** Owner of each slot: 0 nobody, else 1 + index in `keys`. */
  readonly slots: Uint16Array
}

/** What a ring is built over: the same on all directors, whatever their indices. */
export const memberKey = (member: Pick<RingMember, 'address' | 'port'>): string => `${member.address}:${member.port}`

/** The preference list of one member: it wants slot `offset`, then every `skip`-th. */
function preference(key: string): { offset: number; skip: number } {
  const digest = createHash('sha256').update(`signalbox ring v1 ${key}`).digest()
  return {
    offset: Number(digest.readBigUInt64LE(0) % BigInt(ringSize)),
    skip: 1 + Number(digest.readBigUInt64LE(8) % BigInt(ringSize - 1)),
  }
}

/**
 * Builds the ring of a set of members; their order does not matter. Members take turns; one of half the weight takes
 * every second turn. Without a member of weight over 0 all slots are nobody's.
 */
export function buildRing(members: readonly RingMember[]): Ring {
  const candidates = inOrder(members)
  const slots = new Uint16Array(ringSize)
  const preferences = candidates.keys.map(preference)
  const next = Uint32Array.from(preferences, ({ offset }) => offset)
  const skips = Uint32Array.from(preferences, ({ skip }) => skip)
  return byTurns(candidates, slots, (member) => {
    const skip = skips[member] ?? 1
    let slot = next[member] ?? 0
    while (slots[slot] !== 0) slot = (slot + skip) % ringSize
    next[member] = (slot + skip) % ringSize
    return slot
  })
}

/**
 * The members one after the other, those of more weight more often: what round robin reads slot by slot. Of two members
 * with weights 3 and 1 the turns are A B A A, not A A A B.
 */
export function interleave(members: readonly RingMember[]): Ring {
  let slot = 0
  return byTurns(inOrder(members), new Uint16Array(ringSize), () => slot++)
}

/** Fills all slots: each member has its turns by weight, and takes the slot that `choose` gives it. */
function byTurns(
  { keys, weights, heaviest }: ReturnType<typeof inOrder>,
  slots: Uint16Array,
  choose: (member: number) => number,
): Ring {
  if (keys.length === 0) return { keys, slots }
  const turnsTaken = new Float64Array(keys.length)
  const calendar = new Calendar(keys.length)
  for (let member = 0; member < keys.length; member++) calendar.add(member, 0)
  let taken = 0
  for (let turn = 0; ; turn++) {
    for (const member of calendar.take(turn)) {
      slots[choose(member)] = member + 1
      if (++taken === ringSize) return { keys, slots }
      const count = (turnsTaken[member] ?? 0) + 1
      turnsTaken[member] = count
      calendar.add(member, Math.ceil((count * heaviest) / (weights[member] ?? 1)))
    }
  }
}

/** Those that take part, sorted by key: the same on all directors. */
function inOrder(members: readonly RingMember[]) {
  const sorted = members
    .filter((member) => member.weight > 0)
    .map((member) => ({ key: memberKey(member), weight: member.weight }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  return {
    keys: sorted.map((member) => member.key),
    weights: Float64Array.from(sorted, (member) => member.weight),
    heaviest: sorted.reduce((most, { weight }) => Math.max(most, weight), 0),
  }
}

/** Whose turn it is when. The heaviest member has every turn, so there are no more turns than slots. */
class Calendar {
  /** First member of each turn, and the one after each member; -1 ends a list. */
  readonly #first = new Int32Array(ringSize + 1).fill(-1)
  readonly #after: Int32Array
  readonly #room: Int32Array

  constructor(members: number) {
    this.#after = new Int32Array(members)
    this.#room = new Int32Array(members)
  }

  add(member: number, turn: number): void {
    if (turn > ringSize) return
    this.#after[member] = this.#first[turn] ?? -1
    this.#first[turn] = member
  }

  /** Members in ascending order: the same on all directors. Valid until the next call. */
  take(turn: number): Int32Array {
    let count = 0
    for (let member = this.#first[turn] ?? -1; member >= 0; member = this.#after[member] ?? -1) {
      this.#room[count++] = member
    }
    const members = this.#room.subarray(0, count).reverse()
    return members.every((member, i) => i === 0 || member > (members[i - 1] ?? 0)) ? members : members.sort()
  }
}

/** First 16 hex digits of SHA-256 over the ring's slots by server key; equal on all directors that agree. */
export function ringDigest(ring: Ring): string {
  const slots = Buffer.alloc(ringSize * 2)
  for (let i = 0; i < ringSize; i++) slots.writeUInt16LE(ring.slots[i] ?? 0, i * 2)
  return createHash('sha256')
    .update(`${ring.keys.join('\n')}\n`)
    .update(slots)
    .digest('hex')
    .slice(0, 16)
}

/** Owner of each slot by key, in the order of the slots; empty where the ring has no member. */
export function ringOf(members: readonly RingMember[]): readonly string[] {
  const ring = buildRing(members)
  return ring.keys.length === 0 ? [] : Array.from(ring.slots, (owner) => ring.keys[owner - 1] ?? '')
}
