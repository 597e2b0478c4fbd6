// The agent's side of the flow cache: look up, count, sweep. See agent/bpf/lb_flow.h for the words.
import type { Flow } from '../../../core/model/telemetry.ts'
import type { BpfProgram } from '../../kernel/bpf-program.ts'
import type { FlowQuery, SweepResult } from '../dataplane.ts'
import { flowState, type Layout, realUse } from './layout.ts'
import { type MapSet, timeoutMsOf } from './map-set.ts'

const stateNames = { 2: 'syn', 3: 'established', 4: 'closing' } as const
const sequenceMask = 0xffff_ff00n
/** Entry of the flow cache: number of its word in the map, its state, and where its record stands. */
export interface FlowSlot {
  readonly word: number
  readonly state: number
  readonly base: number
}

/** Any frame: the program that tells the time does not look at it. */
const anyFrame = Buffer.alloc(64)

export class FlowTable {
  readonly #set: MapSet
  readonly #layout: Layout
  readonly #clock: BpfProgram
  readonly #words: BigInt64Array
  /** The same memory by halves: state and sequence first, then the tag. */
  readonly #halves: Uint32Array
  /** Flows by real index that were neither closed nor expired at the last sweep. */
  #active: Uint32Array

  constructor(set: MapSet, layout: Layout, clock: BpfProgram) {
    this.#set = set
    this.#layout = layout
    this.#clock = clock
    const memory = set.map('lb_buckets').memory()
    this.#words = new BigInt64Array(memory)
    this.#halves = new Uint32Array(memory)
    this.#active = new Uint32Array(set.sizes.reals)
  }

  activeOf(real: number): number {
    return this.#active[real] ?? 0
  }

  /** The kernel's jiffies, as entries carry them. */
  #now(): number {
    return this.#clock.testRun(anyFrame).result >>> 0
  }

  /** An entry that was used after the clock was read is not 2^32 jiffies old. */
  #idleMs(lastSeen: number, now: number): number {
    return Math.max(0, (now - lastSeen) | 0) * this.#set.millisecondsPerJiffy
  }

  /** Each entry in use. The same object each time: take what is needed before the next. */
  *slots(): Generator<FlowSlot> {
    const { size, ways, wordsAt, flowsAt, flowSize } = this.#layout.bucket
    const found = { word: 0, state: 0, base: 0 }
    for (let bucket = 0; bucket < this.#set.sizes.buckets; bucket++) {
      const start = bucket * size
      for (let way = 0; way < ways; way++) {
        const word = (start + wordsAt) / 8 + way
        const state = (this.#halves[word * 2] ?? 0) & 0xff
        if (state < flowState.halfOpen) continue
        found.word = word
        found.state = state
        found.base = start + flowsAt + way * flowSize
        yield found
      }
    }
  }

  /** Entries of one real server that are neither closed nor expired, counted now. */
  countOf(real: number): number {
    const { view } = this.#set.rows('lb_buckets')
    const at = { real: this.#layout.flow.offsetOf('real'), lastSeen: this.#layout.flow.offsetOf('last_seen') }
    const now = this.#now()
    let count = 0
    for (const { state, base } of this.slots()) {
      if (state === flowState.closing || view.getUint16(base + at.real, true) !== real) continue
      const idleMs = this.#idleMs(view.getUint32(base + at.lastSeen, true), now)
      if (idleMs <= (timeoutMsOf[state] ?? 0)) count++
    }
    return count
  }

  /** The freshest entry that fits. */
  lookup(query: FlowQuery): Flow | null {
    const { view } = this.#set.rows('lb_buckets')
    const reals = this.#set.rows('lb_reals')
    const now = this.#now()
    const sourcePort = this.#layout.flow.offsetOf('sport')
    let best: (Flow & { idleMs: number }) | null = null
    for (const { state, base } of this.slots()) {
      if (view.getUint16(base + sourcePort) !== query.clientPort) continue
      const flow = this.#layout.flow.read(view, base)
      if (flow.daddr !== query.vip || flow.dport !== query.port) continue
      if (query.clientAddress !== undefined && flow.saddr !== query.clientAddress) continue
      const real = this.#layout.real.read(reals.view, reals.at(flow.real))
      if (real.use !== realUse.inUse || real.generation !== flow.generation) continue
      const idleMs = this.#idleMs(flow.last_seen, now)
      if (best !== null && best.idleMs <= idleMs) continue
      best = {
        clientAddress: flow.saddr,
        clientPort: flow.sport,
        vip: flow.daddr,
        port: flow.dport,
        realServer: { address: real.addr, port: real.port },
        state: stateNames[state as keyof typeof stateNames],
        packets: flow.packets,
        bytes: flow.bytes,
        idleMs,
      }
    }
    return best
  }

  /** Frees what has expired or lost its server, and counts the rest. Gives the real indices that entries still hold. */
  sweep(): SweepResult & { readonly held: ReadonlySet<number> } {
    const { view } = this.#set.rows('lb_buckets')
    const at = { real: this.#layout.flow.offsetOf('real'), lastSeen: this.#layout.flow.offsetOf('last_seen') }
    const active = new Uint32Array(this.#set.sizes.reals)
    const held = new Set<number>()
    const now = this.#now()
    let freed = 0
    let used = 0
    for (const { word, state, base } of this.slots()) {
      const index = view.getUint16(base + at.real, true)
      const isGone = this.#isGone(index, base)
      const idleMs = this.#idleMs(view.getUint32(base + at.lastSeen, true), now)
      if ((isGone || idleMs > (timeoutMsOf[state] ?? 0)) && this.#free(word, state)) {
        freed++
        continue
      }
      used++
      held.add(index)
      if (!isGone && state !== flowState.closing) active[index] = (active[index] ?? 0) + 1
    }
    this.#active = active
    return { freed, used, released: 0, held }
  }

  /** Whether the real server that a record names is another one by now, or none. */
  #isGone(index: number, base: number): boolean {
    const { flow, real } = this.#layout
    const reals = this.#set.rows('lb_reals')
    const row = reals.at(index)
    const generation = this.#set.rows('lb_buckets').view.getUint32(base + flow.offsetOf('generation'), true)
    return (
      reals.view.getUint8(row + real.offsetOf('use')) !== realUse.inUse ||
      reals.view.getUint32(row + real.offsetOf('generation'), true) !== generation
    )
  }

  /** False where a program was faster: then the entry lives on, or has another owner. */
  #free(word: number, state: number): boolean {
    const seen = this.#words[word] ?? 0n
    if (Number(seen & 0xffn) !== state) return false
    return Atomics.compareExchange(this.#words, word, seen, seen & sequenceMask) === seen
  }
}
