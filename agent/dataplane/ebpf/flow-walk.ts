// A walk over the whole flow cache that gives the event loop back every few milliseconds: a cache of a million flows takes
// longer than a subscriber may wait. See agent/bpf/lb_flow.h for the words.
import { setImmediate } from 'node:timers/promises'
import { flowState, type Layout } from './layout.ts'
import type { MapSet } from './map-set.ts'

/** An entry in use: number of its word in the map, its state, where its record stands. The same object each time. */
export interface FlowSlot {
  readonly word: number
  readonly state: number
  readonly base: number
}

/** Longest time at a stretch. */
const sliceMs = 8
/** Buckets between two looks at the clock; some 10 µs each hundred. */
const bucketsAtOnce = 1024

export class FlowWalk {
  readonly #layout: Layout
  readonly #buckets: number
  /** State and sequence in the lower half of each word, tag in the upper. */
  readonly #halves: Uint32Array
  #isClosed = false

  constructor(set: MapSet, layout: Layout) {
    this.#layout = layout
    this.#buckets = set.sizes.buckets
    this.#halves = new Uint32Array(set.map('lb_buckets').memory())
  }

  /**
   * Shows every entry in use once; one that comes, goes or moves on meanwhile is seen or not. False where the walk was
   * cut off because the maps were closed: their memory is gone then.
   */
  async all(visit: (slot: FlowSlot) => void): Promise<boolean> {
    let sliceEndsAt = performance.now() + sliceMs
    for (let from = 0; from < this.#buckets; from += bucketsAtOnce) {
      this.part(from, Math.min(from + bucketsAtOnce, this.#buckets), visit)
      if (performance.now() < sliceEndsAt) continue
      await setImmediate()
      if (this.#isClosed) return false
      sliceEndsAt = performance.now() + sliceMs
    }
    return true
  }

  /** The same for some buckets, at once. */
  part(from: number, to: number, visit: (slot: FlowSlot) => void): void {
    const { size, ways, wordsAt, flowsAt, flowSize } = this.#layout.bucket
    const halves = this.#halves
    const slot = { word: 0, state: 0, base: 0 }
    for (let bucket = from; bucket < to; bucket++) {
      const start = bucket * size
      for (let way = 0; way < ways; way++) {
        const word = (start + wordsAt) / 8 + way
        const state = (halves[word * 2] ?? 0) & 0xff
        if (state < flowState.halfOpen) continue
        slot.word = word
        slot.state = state
        slot.base = start + flowsAt + way * flowSize
        visit(slot)
      }
    }
  }

  /** Sequence and tag: another value after a record was read means that the record is two flows' (the state may go on). */
  stampOf(word: number): number {
    return ((this.#halves[word * 2] ?? 0) >>> 8) + (this.#halves[word * 2 + 1] ?? 0) * 2 ** 24
  }

  close(): void {
    this.#isClosed = true
  }
}
