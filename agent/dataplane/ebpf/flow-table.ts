// The agent's side of the flow cache: look up, count, sweep. See agent/bpf/lb_flow.h for the words.
import type { Flow } from '../../../core/model/telemetry.ts'
import type { BpfProgram } from '../../kernel/bpf-program.ts'
import type { FlowQuery, SweepResult } from '../dataplane.ts'
import { flowState, type Layout, realUse } from './layout.ts'
import { type MapSet, slotsOf, timeoutMsOf } from './map-set.ts'

const stateNames = { 2: 'syn', 3: 'established', 4: 'closing' } as const
const sequenceMask = 0xffff_ff00n
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

  /** Calls for each entry in use, with its place and state. */
  #each(visit: (slot: number, state: number) => void): void {
    const slots = slotsOf(this.#set.sizes.buckets)
    for (let slot = 0; slot < slots; slot++) {
      const state = (this.#halves[slot * 2] ?? 0) & 0xff
      if (state >= flowState.halfOpen) visit(slot, state)
    }
  }

  /** Entries of one real server that are neither closed nor expired, counted now. */
  countOf(real: number): number {
    const flows = this.#set.rows('lb_flows')
    const at = { real: this.#layout.flow.offsetOf('real'), lastSeen: this.#layout.flow.offsetOf('last_seen') }
    const now = this.#now()
    let count = 0
    this.#each((slot, state) => {
      const base = flows.at(slot)
      if (state === flowState.closing || flows.view.getUint16(base + at.real, true) !== real) return
      const idleMs = this.#idleMs(flows.view.getUint32(base + at.lastSeen, true), now)
      if (idleMs <= (timeoutMsOf[state] ?? 0)) count++
    })
    return count
  }

  /** The freshest entry that fits. */
  lookup(query: FlowQuery): Flow | null {
    const flows = this.#set.rows('lb_flows')
    const reals = this.#set.rows('lb_reals')
    const now = this.#now()
    let best: Flow | null = null
    const sourcePort = this.#layout.flow.offsetOf('sport')
    this.#each((slot, state) => {
      if (flows.view.getUint16(flows.at(slot) + sourcePort) !== query.clientPort) return
      const flow = this.#layout.flow.read(flows.view, flows.at(slot))
      if (flow.daddr !== query.vip || flow.dport !== query.port) return
      if (query.clientAddress !== undefined && flow.saddr !== query.clientAddress) return
      const real = this.#layout.real.read(reals.view, reals.at(flow.real))
      if (real.use !== realUse.inUse || real.generation !== flow.generation) return
      const idleMs = this.#idleMs(flow.last_seen, now)
      if (best !== null && best.idleMs <= idleMs) return
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
    })
    return best
  }

  /** Frees what has expired or lost its server, and counts the rest. Gives the real indices that entries still hold. */
  sweep(): SweepResult & { readonly held: ReadonlySet<number> } {
    const flows = this.#set.rows('lb_flows')
    const reals = this.#set.rows('lb_reals')
    const { flow, real } = this.#layout
    const at = {
      real: flow.offsetOf('real'),
      generation: flow.offsetOf('generation'),
      lastSeen: flow.offsetOf('last_seen'),
    }
    const atReal = { use: real.offsetOf('use'), generation: real.offsetOf('generation') }
    const active = new Uint32Array(this.#set.sizes.reals)
    const held = new Set<number>()
    const now = this.#now()
    let freed = 0
    let used = 0
    this.#each((slot, state) => {
      const word = this.#words[slot] ?? 0n
      const base = flows.at(slot)
      const index = flows.view.getUint16(base + at.real, true)
      const row = reals.at(index)
      const isGone =
        reals.view.getUint8(row + atReal.use) !== realUse.inUse ||
        reals.view.getUint32(row + atReal.generation, true) !== flows.view.getUint32(base + at.generation, true)
      const idleMs = this.#idleMs(flows.view.getUint32(base + at.lastSeen, true), now)
      if (isGone || idleMs > (timeoutMsOf[state] ?? 0)) {
        // Lost to a program that has just used the entry: then it lives on.
        if (Atomics.compareExchange(this.#words, slot, word, word & sequenceMask) === word) {
          freed++
          return
        }
      }
      used++
      held.add(index)
      if (!isGone && state !== flowState.closing) active[index] = (active[index] ?? 0) + 1
    })
    this.#active = active
    return { freed, used, released: 0, held }
  }
}
