// IPVS behind the agent's interface: programs the services, and remembers what the kernel has no word for.
import { AppError } from '../../../core/contract/errors.ts'
import type { IpvsAvailability, ObservedService } from '../../../core/model/observed.ts'
import type { NatEntry } from '../../../core/model/plan.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import type { Flow } from '../../../core/model/telemetry.ts'
import type { Desired, DesiredService } from '../../../core/reconcile/desired.ts'
import type { OwnObjects } from '../../apply/own-objects.ts'
import { isErrno, type KernelError } from '../../kernel/errno.ts'
import type { Dataplane, DataplaneReading, DataplaneStep, Execution, FlowQuery, ServiceStep } from '../dataplane.ts'
import type { ConnectionTable } from './connection-table.ts'
import { ipvsErrorMeaning, ipvsMeanings } from './errors.ts'
import { availabilityOf, availabilityReasons, hasNetAdmin, type KernelPlaces } from './offer.ts'
import { readingOf } from './reading.ts'
import { nothingSeen, see } from './seen.ts'
import { ipvsServiceKey } from './requests.ts'
import { changesOf, otherForm } from './steps.ts'
import type { IpvsKernel } from './ipvs-kernel.ts'
import type { IpvsOperation, IpvsTableEntry } from './types.ts'
import { destinationOf, serviceIdOf } from './wanted.ts'

export interface IpvsOptions {
  readonly open: () => IpvsKernel
  readonly places: KernelPlaces
  readonly own: OwnObjects
  readonly connections: ConnectionTable
  readonly monotonicMs: () => number
  readonly bootId: string
}

/** One reading of everything, with what it cost. */
interface Reading {
  readonly at: number
  readonly rows: readonly IpvsTableEntry[]
  readonly tookMs: number
  isBeforeChange: boolean
}

type KernelStep = Exclude<ServiceStep, { kind: 'service.adopt' | 'service.release' }>

/** The kernel refreshes its counters every 2 s: a younger table has nothing new. */
const tableIsFreshMs = 1500
/** A sample that was taken a moment before a look has read the same. */
const lookIsFreshMs = 100
/** A plan asks for every real server that it removes, one after the other. */
const countIsFreshMs = 400

export class IpvsDataplane implements Dataplane {
  readonly #options: IpvsOptions
  #opened: IpvsKernel | null = null
  #table: Reading | null = null
  #counts: { readonly rows: readonly IpvsTableEntry[]; readonly flows: ReadonlyMap<string, number> } | null = null
  #seen = nothingSeen
  #natEntries: readonly NatEntry[] = []
  /** What health checking told, by service and real server; lives as long as the agent. */
  readonly #health = new Map<string, ReadonlyMap<string, boolean>>()

  constructor(options: IpvsOptions) {
    this.#options = options
  }

  availability(): IpvsAvailability {
    const { places } = this.#options
    return availabilityOf(places, hasNetAdmin(places))
  }

  /** Throws AppError REFUSED with what is missing. */
  kernel(): IpvsKernel {
    if (this.#opened !== null) return this.#opened
    const reason = availabilityReasons[this.availability()]
    if (reason !== null) throw new AppError('REFUSED', `IPVS cannot be used here: ${reason}.`)
    this.#opened = this.#options.open()
    return this.#opened
  }

  /** Asks the kernel; a module that was unloaded and loaded again since the last question answers as another family. */
  ask<T>(question: (kernel: IpvsKernel) => T): T {
    try {
      return question(this.kernel())
    } catch (error) {
      if (!(error instanceof AppError) || error.details?.['meaning'] !== 'familyGone') throw error
      this.forgetKernel()
      return question(this.kernel())
    }
  }

  /** After the module went, its family and with it the socket's peer are gone. */
  forgetKernel(): void {
    this.#opened?.close()
    this.#opened = null
    this.#table = null
  }

  /** FullNAT's half of the truth; to be told before each look. */
  setNatEntries(entries: readonly NatEntry[]): void {
    this.#natEntries = entries
  }

  get unspoken(): readonly string[] {
    return this.#seen.unspoken
  }

  observe(hints: readonly Desired[]): ObservedService[] {
    if (this.availability() !== 'ready') {
      this.forgetKernel()
      this.#seen = nothingSeen
      return []
    }
    const { own } = this.#options
    const knowledge = {
      isOurs: (service: string) => own.has(service),
      hints,
      natEntries: this.#natEntries,
      healthOf: (service: string) => this.#health.get(service),
    }
    this.#seen = see(this.#read(lookIsFreshMs), knowledge, this.#seen)
    return [...this.#seen.services]
  }

  /** @param freshMs how old a reading may be; one from before our last change only where `mayBeBeforeChange` */
  #read(freshMs: number, mayBeBeforeChange = false): readonly IpvsTableEntry[] {
    const { monotonicMs } = this.#options
    const now = monotonicMs()
    const last = this.#table
    const isUsable = last !== null && now - last.at < freshMs && (mayBeBeforeChange || !last.isBeforeChange)
    if (isUsable) return last.rows
    const rows = this.ask((kernel) => kernel.table())
    this.#table = { at: now, rows, tookMs: monotonicMs() - now, isBeforeChange: false }
    return rows
  }

  originals(): Map<string, DesiredService> {
    const { own } = this.#options
    return new Map(
      own.services.flatMap((key) => {
        const original = own.original(key)
        return original === undefined ? [] : [[key, original] as const]
      }),
    )
  }

  /** A crash may have come between the record and the kernel: what is neither there nor wanted is not ours. */
  async forgetMissing(wanted: Desired): Promise<void> {
    const { own } = this.#options
    const known = new Set([
      ...this.observe([wanted]).map(serviceKey),
      ...wanted.services.filter(({ config }) => config.dataplane === 'ipvs').map(({ config }) => serviceKey(config)),
    ])
    await own.removeServices(own.services.filter((key) => !known.has(key)))
  }

  async execute(steps: readonly DataplaneStep[]): Promise<Execution> {
    const [first] = steps
    if (first === undefined) return { done: [], failure: null }
    const { own } = this.#options
    switch (first.kind) {
      case 'service.adopt':
        await own.adopt(first.service, { config: first.config, realServers: first.realServers })
        return { done: [0], failure: null }
      case 'service.release':
        await own.removeServices([first.service])
        this.#health.delete(first.service)
        return { done: [0], failure: null }
      default:
        return this.#change(steps.filter((step) => isKernelStep(step)))
    }
  }

  async #change(steps: readonly KernelStep[]): Promise<Execution> {
    const { own } = this.#options
    const added = steps.flatMap((step) => (step.kind === 'service.add' ? [step.service] : []))
    const newcomers = new Set(added.filter((key) => !own.has(key)))
    const isUp = (service: string, realServer: string) => this.#health.get(service)?.get(realServer) ?? true
    // Before the kernel has them: after a crash they must be known as ours. Meanwhile the changes are made ready.
    const recorded = own.addServices(added)
    const changes = changesOf(steps, isUp)
    await recorded
    const outcomes = this.kernel().change(changes)
    if (this.#table !== null) this.#table.isBeforeChange = true
    const done: number[] = []
    let failure: Execution['failure'] = null
    for (const [at, step] of steps.entries()) {
      const change = changes[at]
      const refused = outcomes[at] ?? null
      if (change === undefined) continue
      const error = refused === null ? null : this.#secondTry(change, refused, !newcomers.has(step.service))
      if (error === null) done.push(at)
      else failure ??= { at, error }
    }
    await this.#settle(steps, done, newcomers)
    return { done, failure }
  }

  /** Null where the refusal means that all is well, or where the other form of the change was taken. */
  #secondTry(operation: IpvsOperation, refused: KernelError, wasOurs: boolean): KernelError | null {
    const meaning = ipvsErrorMeaning(operation.kind, refused.errno)
    const remedy = meaning === null ? 'fail' : ipvsMeanings[meaning].remedy
    if (remedy === 'done') return null
    const other = otherForm(operation, remedy, wasOurs)
    if (other === null) return refused
    return this.kernel().change([other])[0] ?? null
  }

  async #settle(steps: readonly KernelStep[], done: readonly number[], newcomers: ReadonlySet<string>): Promise<void> {
    const succeeded = new Set(done)
    const gone: string[] = []
    for (const [at, step] of steps.entries()) {
      const isDone = succeeded.has(at)
      if (step.kind === 'service.remove' && isDone) gone.push(step.service)
      if (step.kind === 'service.add' && !isDone && newcomers.has(step.service)) gone.push(step.service)
      if (step.kind === 'realServer.remove' && isDone) {
        this.#noteHealth(step.service, realServerKey(step.before), undefined)
      }
    }
    for (const key of gone) this.#health.delete(key)
    await this.#options.own.removeServices(gone)
  }

  /** A list is never changed: looks tell by it whether anything is new. */
  #noteHealth(service: string, realServer: string, isUp: boolean | undefined): void {
    const before = this.#health.get(service)
    if (before?.get(realServer) === isUp) return
    const known = new Map(before)
    if (isUp === undefined) known.delete(realServer)
    else known.set(realServer, isUp)
    this.#health.set(service, known)
  }

  setHealth(service: string, realServer: string, isUp: boolean): void {
    this.#noteHealth(service, realServer, isUp)
    const found = this.#seen.services.find((one) => !one.isForeign && serviceKey(one) === service)
    const member = found?.realServers.find((one) => realServerKey(one) === realServer)
    if (found === undefined || member === undefined) return
    const [error] = this.kernel().change([
      { kind: 'destination.set', service: serviceIdOf(found), destination: destinationOf(member, isUp) },
    ])
    member.isUp = isUp
    // One that is gone meanwhile is drift, which the next look finds.
    if (error !== null && error !== undefined && !isErrno(error, 'ENOENT', 'ESRCH')) throw error
  }

  read(): DataplaneReading {
    const { bootId } = this.#options
    if (this.availability() !== 'ready') return { counterEpoch: bootId, services: [], verdicts: {}, flowTable: null }
    // A sample takes a twentieth of the agent's time at most, however large the cluster.
    const freshMs = Math.max(tableIsFreshMs, 20 * (this.#table?.tookMs ?? 0))
    return readingOf(this.#read(freshMs, true), this.#seen.services, bootId)
  }

  async lookupFlow(query: FlowQuery): Promise<Flow | null> {
    return this.#options.connections.lookup(query)
  }

  /** A drain ends with the last established connection; UDP has no such state, so all of it counts. */
  async countFlows(service: string, realServer: string): Promise<number> {
    if (this.availability() !== 'ready') return 0
    const rows = this.#read(countIsFreshMs)
    if (this.#counts?.rows !== rows) this.#counts = { rows, flows: flowsByName(rows) }
    return this.#counts.flows.get(`${service} ${realServer}`) ?? 0
  }

  /** Whatever is ours was removed by steps before. */
  async takeDown(): Promise<void> {}

  close(): void {
    this.forgetKernel()
  }
}

const isKernelStep = (step: DataplaneStep): step is KernelStep =>
  step.kind === 'service.add' ||
  step.kind === 'service.change' ||
  step.kind === 'service.remove' ||
  step.kind.startsWith('realServer.')

/** Connections that a drain waits for, by service and real server. */
function flowsByName(rows: readonly IpvsTableEntry[]): Map<string, number> {
  return new Map(
    rows.flatMap(({ id, destinations }) => {
      const service = ipvsServiceKey(id)
      const isUdp = !('fwmark' in id) && id.protocol === 'udp'
      return destinations.map((one): [string, number] => [
        `${service} ${realServerKey(one.id)}`,
        one.activeConnections + (isUdp ? one.inactiveConnections : 0),
      ])
    }),
  )
}
