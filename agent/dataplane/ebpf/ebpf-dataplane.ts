// The eBPF dataplane behind the agent's interface: one place that knows what is loaded.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../../core/contract/errors.ts'
import type { ConnectionPage, ConnectionQuery } from '../../../core/model/connection.ts'
import type { DataplaneHook, NewFlows, ObservedAttachment, ObservedService } from '../../../core/model/observed.ts'
import { realServerKey } from '../../../core/model/service.ts'
import type { Counters, Flow } from '../../../core/model/telemetry.ts'
import type { BpfProgram } from '../../kernel/bpf-program.ts'
import { type ObjectFile, readObject } from '../../kernel/object.ts'
import { RouteSocket } from '../../kernel/route.ts'
import { TcSocket } from '../../kernel/tc-filter.ts'
import type {
  DataplaneCapabilities,
  DataplaneEvent,
  DataplaneReading,
  DataplaneStep,
  EbpfDataplaneLike,
  Execution,
  FlowQuery,
  SweepResult,
} from '../dataplane.ts'
import { Attachments } from './attachments.ts'
import { lookForCapabilities } from './capabilities.ts'
import { flowPage } from './flow-page.ts'
import { FlowTable } from './flow-table.ts'
import { bindLayout, type Layout } from './layout.ts'
import {
  type Capacity,
  bpffs,
  createMaps,
  isBpffsMounted,
  isPinned,
  type MapSet,
  openMaps,
  removePins,
} from './map-set.ts'
import { Neighbours } from './neighbours.ts'
import { isTranslated, Tables } from './tables.ts'

export interface EbpfOptions {
  /** Folder on the bpffs; left out: /sys/fs/bpf/signalbox. */
  readonly pinFolder?: string
  /** Hooks to try, best first; left out: all. */
  readonly hooks?: readonly DataplaneHook[]
  /** The compiled object; left out: beside the bundle, or in the checkout's dist. */
  readonly objectFile?: string
  readonly capacity?: Capacity
  /** Told of what went wrong in the background and is tried again. */
  readonly log?: (message: string) => void
}

/** What is loaded; absent while the director has no service of ours. */
interface Loaded {
  readonly set: MapSet
  readonly programs: ReadonlyMap<string, BpfProgram>
  readonly attachments: Attachments
  readonly tables: Tables
  readonly flows: FlowTable
  readonly neighbours: Neighbours
}

/** How long a new real server on XDP is waited for before it joins the ring all the same. */
const resolveWithinMs = 300
const allHooks: readonly DataplaneHook[] = ['tcx', 'clsact', 'xdp-native', 'xdp-generic']

function findObject(): string {
  const here = import.meta.dirname
  const places = [join(here, 'bpf', 'lb.bpf.o'), join(here, '..', '..', '..', 'dist', 'agent', 'bpf', 'lb.bpf.o')]
  const found = places.find((place) => existsSync(place))
  if (found === undefined) {
    throw new AppError('REFUSED', `The dataplane's object was not found at ${places.join(' or ')}.`)
  }
  return found
}

export class EbpfDataplane implements EbpfDataplaneLike {
  readonly #folder: string
  readonly #hooks: readonly DataplaneHook[]
  readonly #object: ObjectFile
  readonly #layout: Layout
  readonly #routes = new RouteSocket()
  readonly #tc = new TcSocket()
  readonly #capacity: Capacity
  readonly #log: (error: unknown) => void
  readonly #listeners = new Set<(event: DataplaneEvent) => void>()
  #loaded: Loaded | null = null

  /** Adopts what an earlier agent has pinned. REFUSED where that has another layout. */
  constructor(options: EbpfOptions = {}) {
    this.#folder = options.pinFolder ?? join(bpffs, 'signalbox')
    this.#hooks = options.hooks ?? allHooks
    this.#capacity = options.capacity ?? {}
    this.#log = (error) => options.log?.(`A look at the neighbours failed: ${String(error)}`)
    const file = options.objectFile ?? findObject()
    this.#object = readObject(readFileSync(file), 'lb.bpf.o')
    this.#layout = bindLayout(this.#object)
    if (isBpffsMounted() && isPinned(this.#folder)) {
      this.#loaded = this.#take(openMaps(this.#folder, this.#object, this.#layout))
      this.#loaded.neighbours.refresh()
    }
  }

  #take(set: MapSet): Loaded {
    const programs = set.load()
    const clock = programs.get('lb_clock')
    if (clock === undefined) throw new TypeError('the object has no program lb_clock')
    const attachments = new Attachments(this.#folder, this.#routes, this.#tc)
    attachments.adopt(programs)
    return {
      set,
      programs,
      attachments,
      tables: new Tables(set, this.#layout),
      flows: new FlowTable(set, this.#layout, clock),
      neighbours: new Neighbours(set, this.#layout, this.#routes, {
        tell: (event) => {
          for (const listener of this.#listeners) listener(event)
        },
        refreshed: () => this.#followReplies(),
        failed: this.#log,
      }),
    }
  }

  /** Answers come in by the interfaces that lead to the real servers; routes and real servers change. */
  #followReplies(): void {
    const loaded = this.#loaded
    if (loaded === null) return
    loaded.attachments.followReplies(loaded.tables.replyInterfaces(), this.#hooks, loaded.programs)
  }

  #load(): Loaded {
    this.#loaded ??= this.#take(createMaps(this.#folder, this.#object, this.#layout, this.#capacity))
    return this.#loaded
  }

  capabilities(interfaceName?: string): DataplaneCapabilities {
    const own = new Set([...(this.#loaded?.programs.values() ?? [])].map((program) => program.id))
    return lookForCapabilities(this.#routes, this.#tc, this.#hooks, interfaceName, own)
  }

  /** The maps know everything: hints are not needed. */
  observe(): ObservedService[] {
    return this.#loaded?.tables.observed() ?? []
  }

  attachments(): ObservedAttachment[] {
    return [...(this.#loaded?.attachments.observed() ?? [])]
  }

  newFlows(): NewFlows {
    const loaded = this.#loaded
    if (loaded === null) return 'balanced'
    const { view } = loaded.set.rows('lb_switches')
    return this.#layout.switches.read(view, 0).new_flows_stopped === 0 ? 'balanced' : 'stopped'
  }

  setNewFlows(newFlows: NewFlows): void {
    if (this.#loaded === null) throw new AppError('REFUSED', 'The eBPF dataplane has no service: nothing is loaded.')
    const { view } = this.#loaded.set.rows('lb_switches')
    this.#layout.switches.write(view, 0, { new_flows_stopped: newFlows === 'stopped' ? 1 : 0 })
  }

  /** Ends at the first step that fails. */
  async execute(steps: readonly DataplaneStep[]): Promise<Execution> {
    const done: number[] = []
    for (const [at, step] of steps.entries()) {
      try {
        await this.#executeOne(step)
      } catch (error) {
        return { done, failure: { at, error } }
      }
      done.push(at)
    }
    return { done, failure: null }
  }

  async #executeOne(step: DataplaneStep): Promise<void> {
    switch (step.kind) {
      case 'dataplane.attach': {
        const loaded = this.#load()
        // Before the first packet: XDP must know which frames are meant for this host.
        loaded.neighbours.refresh()
        try {
          loaded.attachments.attach(step.interface, this.#hooks, loaded.programs)
        } catch (error) {
          this.#unloadIfUnused(loaded)
          throw error
        }
        return
      }
      case 'dataplane.detach':
        return this.#detach(step.interface)
      case 'service.add':
      case 'service.change':
        this.#load().tables.putService(step.service, step.after)
        return
      case 'service.remove':
        this.#loaded?.tables.removeService(step.service)
        return
      case 'realServer.add':
      case 'realServer.change': {
        const loaded = this.#load()
        if (step.kind === 'realServer.add' && loaded.attachments.hasXdp) {
          await loaded.neighbours.resolve(step.after, resolveWithinMs)
        }
        loaded.tables.putReal(step.service, step.after)
        loaded.neighbours.refresh()
        return
      }
      case 'realServer.remove':
        this.#loaded?.tables.removeReal(step.service, realServerKey(step.before))
        this.#loaded?.neighbours.refresh()
        return
      default:
        throw new AppError('REFUSED', `The eBPF dataplane does not know the step ${step.kind}.`)
    }
  }

  #detach(interfaceName: string): void {
    const loaded = this.#loaded
    if (loaded === null) return
    loaded.attachments.release(interfaceName, loaded.tables.replyInterfaces())
    this.#unloadIfUnused(loaded)
  }

  #unloadIfUnused(loaded: Loaded): void {
    if (loaded.attachments.count === 0 && loaded.tables.services().length === 0) this.#unload(loaded)
  }

  /** Nothing is left to do here: maps and pins go, so that the bpffs is as it was. */
  #unload(loaded: Loaded): void {
    loaded.flows.close()
    loaded.neighbours.close(true)
    loaded.attachments.close()
    removePins(this.#folder)
    for (const program of loaded.programs.values()) program.close()
    loaded.set.close()
    this.#loaded = null
  }

  setHealth(service: string, realServer: string, isUp: boolean): void {
    this.#loaded?.tables.setUp(service, realServer, isUp)
  }

  read(): DataplaneReading {
    const loaded = this.#loaded
    if (loaded === null) return { counterEpoch: 'none', services: [], verdicts: {}, flowTable: null }
    const { set, tables, flows } = loaded
    return {
      counterEpoch: set.epoch,
      services: tables.services().map(({ id, key, ringDigest, reals }) => {
        const shares = tables.ringShares(id)
        return {
          key,
          ringDigest,
          counters: this.#sum(set, 'lb_svc_stats', set.sizes.services, id, reals.some(isTranslated)),
          rates: null,
          realServers: reals.map(({ index, address, port, forwarding }) => ({
            address,
            port,
            activeFlows: flows.activeOf(index),
            inactiveFlows: null,
            persistentFlows: null,
            rates: null,
            ringShare: shares[index] ?? 0,
            counters: this.#sum(set, 'lb_real_stats', set.sizes.reals, index, isTranslated({ forwarding })),
          })),
        }
      }),
      verdicts: this.#verdicts(set),
      flowTable: { used: flows.used, size: set.sizes.buckets * this.#layout.bucket.ways },
    }
  }

  /** Where replies do not pass the director they are not zero, but unknown. */
  #sum(set: MapSet, name: string, perCpu: number, index: number, seesReplies: boolean): Counters {
    const rows = set.rows(name)
    const sum = { connections: 0, packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0 }
    for (let cpu = 0; cpu < set.cpus; cpu++) {
      const row = this.#layout.stats.read(rows.view, rows.at(cpu * perCpu + index))
      sum.connections += row.connections
      sum.packetsIn += row.packets
      sum.bytesIn += row.bytes
      sum.packetsOut += row.reply_packets
      sum.bytesOut += row.reply_bytes
    }
    return seesReplies ? sum : { ...sum, packetsOut: null, bytesOut: null }
  }

  /** The layout names a CPU's counters by their place. */
  #verdicts(set: MapSet): Record<string, number> {
    const rows = set.rows('lb_cpus')
    const sums = new Map<string, number>()
    for (let cpu = 0; cpu < set.cpus; cpu++) {
      const { count } = this.#layout.cpu.read(rows.view, rows.at(cpu))
      for (const [place, name] of this.#layout.counters.entries()) {
        if (name !== '') sums.set(name, (sums.get(name) ?? 0) + Number(count[place] ?? 0n))
      }
    }
    return Object.fromEntries(sums)
  }

  async lookupFlow(query: FlowQuery): Promise<Flow | null> {
    return this.#loaded?.flows.lookup(query) ?? null
  }

  async countFlows(service: string, realServer: string): Promise<number> {
    const loaded = this.#loaded
    if (loaded === null) return 0
    const row = loaded.tables.services().find(({ key }) => key === service)
    const index = row?.reals.find(({ key }) => key === realServer)?.index
    return index === undefined ? 0 : loaded.flows.countOf(index)
  }

  async connections(query: ConnectionQuery): Promise<ConnectionPage> {
    const loaded = this.#loaded
    if (loaded === null) return { rows: [], matched: 0, total: 0, isCut: false, takenAtMs: Date.now() }
    return flowPage(loaded.flows, loaded.tables.services(), query)
  }

  async sweep(): Promise<SweepResult> {
    const loaded = this.#loaded
    const swept = loaded === null ? null : await loaded.flows.sweep()
    // Taken down meanwhile: nothing is left to release.
    if (loaded === null || swept === null || this.#loaded !== loaded) return { freed: 0, used: 0, released: 0 }
    const { held, ...result } = swept
    return { ...result, released: loaded.tables.release(held) }
  }

  onEvent(listener: (event: DataplaneEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async takeDown(): Promise<void> {
    const loaded = this.#loaded
    if (loaded === null) return
    for (const attachment of loaded.attachments.observed()) loaded.attachments.detach(attachment.interface)
    this.#unload(loaded)
  }

  close(): void {
    const loaded = this.#loaded
    this.#loaded = null
    loaded?.flows.close()
    loaded?.neighbours.close()
    loaded?.attachments.close()
    for (const program of loaded?.programs.values() ?? []) program.close()
    loaded?.set.close()
    this.#routes.close()
    this.#tc.close()
  }
}
