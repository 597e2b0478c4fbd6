// The agent's side of the flow cache: look up, count, list, sweep. See agent/bpf/lb_flow.h for the words.
import type { Connection } from '../../../core/model/connection.ts'
import { ebpfStates } from '../../../core/model/connection.ts'
import type { Flow } from '../../../core/model/telemetry.ts'
import type { BpfProgram } from '../../kernel/bpf-program.ts'
import type { FlowQuery, SweepResult } from '../dataplane.ts'
import { FlowSelection, type SelectionOrder } from './flow-selection.ts'
import { type FlowSlot, FlowWalk } from './flow-walk.ts'
import { flowState, type Layout, realUse, word as wordsOf, wordOf } from './layout.ts'
import { type MapSet, timeoutMsOf } from './map-set.ts'

const stateNames = { 2: 'syn', 3: 'established', 4: 'closing' } as const
const stateWords = { 2: ebpfStates[0], 3: ebpfStates[1], 4: ebpfStates[2] } as const
const sequenceMask = 0xffff_ff00n

/** Any frame: the program that tells the time does not look at it. */
const anyFrame = Buffer.alloc(64)

/** Which flows a list shows, and in what order. */
export interface FlowFilter {
  /** By index of the real server; null = all. */
  readonly reals: ReadonlySet<number> | null
  /** Beginning of the client's address as it is written; null = all. */
  readonly client: string | null
  /** Beginning of one of `ebpfStates`; null = all. */
  readonly state: string | null
  readonly order: SelectionOrder
  /** How many of the first to keep, and how many of these to leave out of the rows. */
  readonly keep: number
  readonly skip: number
}

export interface FlowList {
  readonly rows: readonly Connection[]
  readonly matched: number
  readonly total: number
}

export class FlowTable {
  readonly #set: MapSet
  readonly #layout: Layout
  readonly #clock: BpfProgram
  readonly #walk: FlowWalk
  readonly #words: BigInt64Array
  readonly #protocolAt: number
  /** Entries in use at the last sweep. */
  used = 0
  /** Flows by real index that were neither closed nor expired at the last sweep. */
  #active: Uint32Array

  constructor(set: MapSet, layout: Layout, clock: BpfProgram) {
    this.#set = set
    this.#layout = layout
    this.#clock = clock
    this.#walk = new FlowWalk(set, layout)
    this.#words = new BigInt64Array(set.map('lb_buckets').memory())
    this.#protocolAt = layout.flow.offsetOf('proto')
    this.#active = new Uint32Array(set.sizes.reals)
  }

  /** Before the maps are: a walk that waits for its next slice must not go on. */
  close(): void {
    this.#walk.close()
  }

  activeOf(real: number): number {
    return this.#active[real] ?? 0
  }

  /** The kernel's jiffies, as entries carry them. */
  #now(): number {
    return this.#clock.testRun(anyFrame).result >>> 0
  }

  /**
   * Time since the last packet. An entry that was used after the clock was read is not 2^32 jiffies old. Jiffies, not
   * the clock of the agent: the programs know no other.
   */
  #idleMs(lastSeen: number, now: number): number {
    return Math.max(0, (now - lastSeen) | 0) * this.#set.millisecondsPerJiffy
  }

  #timeoutOf({ base, state }: FlowSlot): number {
    return timeoutMsOf(state, this.#set.rows('lb_buckets').view.getUint8(base + this.#protocolAt))
  }

  /** Whether an entry is still somebody's flow, and for how long it has been idle: negative where it is nobody's. */
  #reader(): (slot: FlowSlot) => number {
    const { view } = this.#set.rows('lb_buckets')
    const { flow, real } = this.#layout
    const reals = this.#set.rows('lb_reals')
    const at = {
      real: flow.offsetOf('real'),
      seen: flow.offsetOf('last_seen'),
      generation: flow.offsetOf('generation'),
    }
    const use = real.offsetOf('use')
    const generation = real.offsetOf('generation')
    const now = this.#now()
    return (slot) => {
      const { base } = slot
      const row = reals.at(view.getUint16(base + at.real, true))
      if (reals.view.getUint8(row + use) !== realUse.inUse) return -1
      if (reals.view.getUint32(row + generation, true) !== view.getUint32(base + at.generation, true)) return -1
      const idleMs = this.#idleMs(view.getUint32(base + at.seen, true), now)
      return idleMs > this.#timeoutOf(slot) ? -1 : idleMs
    }
  }

  /** Entries of one real server that are neither closed nor expired, counted now. */
  async countOf(real: number): Promise<number> {
    const { view } = this.#set.rows('lb_buckets')
    const at = this.#layout.flow.offsetOf('real')
    const idleOf = this.#reader()
    let count = 0
    await this.#walk.all((slot) => {
      if (view.getUint16(slot.base + at, true) !== real || slot.state === flowState.closing) return
      if (idleOf(slot) >= 0) count++
    })
    return count
  }

  /** The freshest entry that fits. */
  async lookup(query: FlowQuery): Promise<Flow | null> {
    const { view } = this.#set.rows('lb_buckets')
    const reals = this.#set.rows('lb_reals')
    const sourcePort = this.#layout.flow.offsetOf('sport')
    const idleOf = this.#reader()
    let best: (Flow & { idleMs: number }) | null = null
    await this.#walk.all((slot) => {
      if (view.getUint16(slot.base + sourcePort) !== query.clientPort) return
      const flow = this.#layout.flow.read(view, slot.base)
      if (flow.daddr !== query.vip || flow.dport !== query.port) return
      if (query.clientAddress !== undefined && flow.saddr !== query.clientAddress) return
      const idleMs = idleOf(slot)
      if (idleMs < 0 || (best !== null && best.idleMs <= idleMs)) return
      const real = this.#layout.real.read(reals.view, reals.at(flow.real))
      best = {
        clientAddress: flow.saddr,
        clientPort: flow.sport,
        vip: flow.daddr,
        port: flow.dport,
        realServer: { address: real.addr, port: real.port },
        state: stateNames[slot.state as keyof typeof stateNames],
        packets: flow.packets,
        bytes: flow.bytes,
        idleMs,
      }
    })
    return best
  }

  /** The first flows in an order, of those that are asked for. Rows are decoded only where they are shown. */
  async list(filter: FlowFilter): Promise<FlowList> {
    const { view } = this.#set.rows('lb_buckets')
    const { flow } = this.#layout
    const at = { real: flow.offsetOf('real') }
    const states = ebpfStates.map((name) => filter.state === null || name.startsWith(filter.state))
    const idleOf = this.#reader()
    const chosen = new FlowSelection(this.#layout, filter)
    let [matched, total] = [0, 0]
    await this.#walk.all((slot) => {
      const idleMs = idleOf(slot)
      if (idleMs < 0) return
      total++
      if (states[slot.state - flowState.halfOpen] !== true) return
      if (filter.reals !== null && !filter.reals.has(view.getUint16(slot.base + at.real, true))) return
      const stamp = this.#walk.stampOf(slot.word)
      const leftMs = this.#timeoutOf(slot) - idleMs
      chosen.consider(view, slot, leftMs, (copy, place) => {
        // Another flow took the way while it was read.
        if (this.#walk.stampOf(slot.word) !== stamp) return false
        if (filter.client !== null && !flow.readField(copy, place, 'saddr').startsWith(filter.client)) return false
        matched++
        return true
      })
    })
    return {
      rows: chosen
        .inOrder()
        .slice(filter.skip)
        .map((one) => this.#connectionOf(one)),
      matched,
      total,
    }
  }

  #connectionOf({ bytes, state, leftMs }: ReturnType<FlowSelection['inOrder']>[number]): Connection {
    const record = this.#layout.flow.read(bytes, 0)
    const reals = this.#set.rows('lb_reals')
    const real = this.#layout.real.read(reals.view, reals.at(record.real))
    return {
      dataplane: 'ebpf',
      protocol: wordOf(wordsOf.protocol, record.proto, 'proto'),
      clientAddress: record.saddr,
      clientPort: record.sport,
      vip: record.daddr,
      port: record.dport,
      fwmark: null,
      realServer: { address: real.addr, port: real.port },
      state: stateWords[state as keyof typeof stateWords],
      isTemplate: false,
      packets: record.packets,
      bytes: record.bytes,
      expiresSec: Math.ceil(leftMs / 1000),
    }
  }

  /**
   * Frees what has expired or lost its server, and counts the rest. Gives the real indices that entries still hold, or
   * null where the walk was cut off.
   */
  async sweep(): Promise<(SweepResult & { readonly held: ReadonlySet<number> }) | null> {
    const { view } = this.#set.rows('lb_buckets')
    const at = this.#layout.flow.offsetOf('real')
    const active = new Uint32Array(this.#set.sizes.reals)
    const held = new Set<number>()
    const idleOf = this.#reader()
    const before = this.#activeInMaps()
    let freed = 0
    let used = 0
    const isWhole = await this.#walk.all((slot) => {
      const { word, state, base } = slot
      const index = view.getUint16(base + at, true)
      const isOver = idleOf(slot) < 0
      if (isOver && this.#free(word, state)) {
        freed++
        return
      }
      used++
      held.add(index)
      if (!isOver && state !== flowState.closing) active[index] = (active[index] ?? 0) + 1
    })
    if (!isWhole) return null
    this.#active = active
    this.#setActiveInMaps(active, before)
    this.used = used
    return { freed, used, released: 0, held }
  }

  /** What the programs have counted for least connections, by real index. */
  #activeInMaps(): Uint32Array {
    const rows = this.#set.rows('lb_reals')
    const field = this.#layout.real.offsetOf('active')
    return Uint32Array.from({ length: this.#set.sizes.reals }, (_, index) =>
      rows.view.getUint32(rows.at(index) + field, true),
    )
  }

  /** Sets them right by the difference: flows that came during the walk stay counted. */
  #setActiveInMaps(active: Uint32Array, before: Uint32Array): void {
    const rows = this.#set.rows('lb_reals')
    const words = new Uint32Array(rows.view.buffer)
    const field = this.#layout.real.offsetOf('active')
    for (let index = 0; index < active.length; index++) {
      const difference = (active[index] ?? 0) - (before[index] ?? 0)
      if (difference !== 0) Atomics.add(words, (rows.at(index) + field) / 4, difference)
    }
  }

  /** False where a program was faster: then the entry lives on, or has another owner. */
  #free(word: number, state: number): boolean {
    const seen = this.#words[word] ?? 0n
    if (Number(seen & 0xffn) !== state) return false
    return Atomics.compareExchange(this.#words, word, seen, seen & sequenceMask) === seen
  }
}
