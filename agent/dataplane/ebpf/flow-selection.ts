// The first N flows in an order, out of any number that come by: a heap of copies, so that a million flows cost a
// comparison each and no object.
import TinyQueue from 'tinyqueue'
import type { ConnectionQuery } from '../../../core/model/connection.ts'
import type { FlowSlot } from './flow-walk.ts'
import type { Layout } from './layout.ts'

export interface SelectionOrder {
  readonly by: ConnectionQuery['sortBy']
  readonly isDescending: boolean
  /** Place of each real server's index in the order of addresses and ports. */
  readonly rankOfReal: Uint32Array
}

export interface Selected {
  /** A copy of the flow's record. */
  readonly bytes: DataView
  readonly state: number
  /** Until it expires. */
  readonly leftMs: number
}

/** Ranks of the states half-open, established and closing in the order of their names. */
const rankOfState = [0, 0, 3, 2, 1] as const
/** Rows of the pool at first; it grows with what is kept. */
const firstRows = 1024

export class FlowSelection {
  readonly #size: number
  readonly #keep: number
  readonly #compare: (a: number, b: number) => number
  #bytes: Uint8Array
  #view: DataView
  #state: Uint8Array
  #leftMs: Float64Array
  /** Rows of the pool, the last in order first. */
  readonly #kept: TinyQueue<number>
  /** The row that the next candidate is copied to. */
  #free = 0

  constructor(layout: Layout, { order, keep }: { readonly order: SelectionOrder; readonly keep: number }) {
    this.#size = layout.bucket.flowSize
    this.#keep = keep
    const rows = Math.min(firstRows, keep) + 1
    this.#bytes = new Uint8Array(rows * this.#size)
    this.#view = new DataView(this.#bytes.buffer)
    this.#state = new Uint8Array(rows)
    this.#leftMs = new Float64Array(rows)
    const compare = this.#comparison(layout, order)
    this.#compare = order.isDescending ? (a, b) => compare(b, a) : compare
    this.#kept = new TinyQueue<number>([], (a, b) => this.#compare(b, a))
  }

  /** Copies the flow and keeps it where it is among the first, once `accepts` has seen the copy. */
  consider(
    view: DataView,
    { base, state }: FlowSlot,
    leftMs: number,
    accepts: (copy: DataView, at: number) => boolean,
  ) {
    const row = this.#free
    const at = row * this.#size
    this.#bytes.set(new Uint8Array(view.buffer, view.byteOffset + base, this.#size), at)
    if (!accepts(this.#view, at)) return
    this.#state[row] = state
    this.#leftMs[row] = leftMs
    if (this.#kept.length < this.#keep) {
      this.#kept.push(row)
      this.#free = this.#kept.length
      if (this.#free >= this.#state.length) this.#grow()
      return
    }
    const last = this.#kept.peek()
    if (last === undefined || this.#compare(row, last) >= 0) return
    this.#kept.pop()
    this.#kept.push(row)
    this.#free = last
  }

  inOrder(): Selected[] {
    return this.#kept.data
      .toSorted((a, b) => this.#compare(a, b))
      .map((row) => ({
        bytes: new DataView(this.#bytes.buffer, row * this.#size, this.#size),
        state: this.#state[row] ?? 0,
        leftMs: this.#leftMs[row] ?? 0,
      }))
  }

  #comparison({ flow }: Layout, { by, rankOfReal }: SelectionOrder): (a: number, b: number) => number {
    const rank = (row: number) => rankOfReal[this.#view.getUint16(row * this.#size + real, true)] ?? 0
    const [family, real] = [flow.offsetOf('family'), flow.offsetOf('real')]
    /** Families apart, then the bytes of the address as they stand on the wire, then the port. */
    const endpoints = (address: number, port: number) => (a: number, b: number) => {
      const [atA, atB] = [a * this.#size, b * this.#size]
      const view = this.#view
      let difference = view.getUint8(atA + family) - view.getUint8(atB + family)
      for (let word = 0; difference === 0 && word < 16; word += 4) {
        difference = view.getUint32(atA + address + word) - view.getUint32(atB + address + word)
      }
      return difference === 0 ? view.getUint16(atA + port) - view.getUint16(atB + port) : difference
    }
    const count = (field: 'packets' | 'bytes') => {
      const at = flow.offsetOf(field)
      const read = (row: number) => Number(this.#view.getBigUint64(row * this.#size + at, true))
      return (a: number, b: number) => read(a) - read(b)
    }
    switch (by) {
      case 'client':
        return endpoints(flow.offsetOf('saddr'), flow.offsetOf('sport'))
      case 'vip':
        return endpoints(flow.offsetOf('daddr'), flow.offsetOf('dport'))
      case 'realServer':
        return (a, b) => rank(a) - rank(b)
      case 'state':
        return (a, b) => (rankOfState[this.#state[a] ?? 0] ?? 0) - (rankOfState[this.#state[b] ?? 0] ?? 0)
      case 'packets':
      case 'bytes':
        return count(by)
      case 'expires':
        return (a, b) => (this.#leftMs[a] ?? 0) - (this.#leftMs[b] ?? 0)
    }
  }

  #grow(): void {
    const rows = Math.min(this.#state.length * 2, this.#keep + 1)
    const bytes = new Uint8Array(rows * this.#size)
    bytes.set(this.#bytes)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
    const state = new Uint8Array(rows)
    state.set(this.#state)
    this.#state = state
    const leftMs = new Float64Array(rows)
    leftMs.set(this.#leftMs)
    this.#leftMs = leftMs
  }
}
