import { AppError } from '../../core/contract/errors.ts'
import type { ApplyRequest, PlanRequest } from '../../core/contract/agent.ts'
import type { ObservedState } from '../../core/model/observed.ts'
import type { Plan, Step } from '../../core/model/plan.ts'
import type { ApplyProgress, ApplyResult, RevisionSummary } from '../../core/model/revision.ts'
import type { DirectorRole } from '../../core/reconcile/desired.ts'
import type { RingMember } from '../../core/reconcile/risk.ts'
import { touchedServices } from '../../core/reconcile/touched.ts'
import type { Clock } from '../clock.ts'
import type { Disk } from '../disk.ts'
import type { EventLog } from '../events.ts'
import { digestOf, type RevisionStore, type StoredRevision, summaryOf } from '../store.ts'
import type { Countdown } from './countdown.ts'
import type { StepTargets } from './execute.ts'
import type { Journal } from './journal.ts'
import { KernelView } from './kernel-view.ts'
import { Mutex } from './mutex.ts'
import { describePlan, type Prepared, prepare } from './prepare.ts'
import { Progress } from './progress.ts'
import { alreadyApplying, awaitsConfirmation, notAwaited, outdatedBase } from './refusals.ts'
import { runOrRollBack, type StepFailure } from './run-steps.ts'
import { WayBack } from './way-back.ts'

export interface ReconcilerOptions {
  readonly targets: StepTargets
  readonly disk: Disk
  readonly store: RevisionStore
  readonly journal: Journal
  readonly countdown: Countdown
  readonly clock: Clock
  readonly events: EventLog
  /** Owner of each ring slot, as the dataplane would fill it. */
  readonly ringOf: (members: readonly RingMember[]) => readonly string[]
  /** Told at once what each look at the kernel found. */
  readonly onLook: (state: ObservedState) => void
  /** Told whenever something changed that a watcher would see. */
  readonly onChange: () => void
}

const bootFile = 'boot.json'

/** The one writer of a director: takes it from revision to revision, and back. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #mutex = new Mutex()
  readonly #view: KernelView
  readonly #progress: Progress
  readonly #wayBack: WayBack
  #lastResult: ApplyResult | null = null

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#view = new KernelView(options)
    this.#progress = new Progress(options)
    this.#wayBack = new WayBack({ ...options, view: this.#view, progress: this.#progress })
  }

  get observed(): ObservedState {
    return this.#view.observed
  }
  get drift(): readonly Step[] {
    return this.#view.drift
  }
  get lastResult(): ApplyResult | null {
    return this.#lastResult
  }
  /** What runs or waits for its confirmation. */
  progress(): ApplyProgress | null {
    return this.#progress.shown()
  }

  /** Takes up what the last agent left: unfinished steps are taken back, a countdown goes on, a boot is made good. */
  async start(): Promise<void> {
    await this.#mutex.run(async () => {
      const { journal, countdown, store, disk, clock } = this.#options
      const bootId = await disk.read(bootFile)
      const unfinished = await journal.unfinished()
      if (unfinished !== null && (unfinished.kind === 'apply' || unfinished.kind === 'revert')) {
        const { revision, backTo, reason } = unfinished
        this.#lastResult = await this.#wayBack.takeBack(revision, backTo, reason ?? 'agent-restarted')
      }
      await this.#settleOutcomes()
      if (countdown.pending !== null && countdown.remainingMs() === 0) {
        const { revision, backTo } = countdown.pending
        this.#lastResult = await this.#wayBack.takeBack(revision, backTo, 'deadline')
      }
      const isOtherBoot = bootId !== null && bootId.trim() !== clock.bootId
      const wasSettingUp = unfinished?.kind === 'restore' || unfinished?.kind === 'retire'
      if (isOtherBoot || wasSettingUp) await this.#wayBack.restore()
      await disk.write(bootFile, `${clock.bootId}\n`)
      await this.#options.targets.dataplane.tidy(store.desiredOf(store.current()))
      await this.#view.look(store.current())
      countdown.watch(() => void this.#onDeadline())
    })
  }

  /** Outcomes that a crash left between two files. */
  async #settleOutcomes(): Promise<void> {
    const { store, countdown } = this.#options
    for (const { revision, outcome } of store.history(500)) {
      const stored = store.get(revision)
      if (outcome !== 'applying' || stored === undefined) continue
      await store.put({ ...stored, outcome: 'failed', revertReason: 'agent-restarted' })
    }
    const { pending } = countdown
    if (pending !== null && store.get(pending.revision)?.outcome !== 'unconfirmed') await countdown.end()
  }

  /** No revert at a deadline any more from this object; the deadline itself stays on the disk. */
  stop(): void {
    this.#options.countdown.pause()
  }

  /** A look at the kernel, for a timer: nothing is done about a difference, except after a boot. */
  async look(): Promise<void> {
    if (this.#mutex.isBusy) return
    await this.#mutex.run(async () => {
      if (this.#wayBack.isRestoring) await this.#wayBack.restore()
      else await this.#view.look(this.#options.store.current())
    })
  }

  async plan(request: PlanRequest): Promise<Plan> {
    const { targets, ringOf, store } = this.#options
    const prepared = await prepare(request, store.desiredOf(store.current()), targets)
    this.#requireDataplane(prepared)
    return describePlan(request.spec, store.current().revision, prepared, { ...targets, ringOf })
  }

  async apply(request: ApplyRequest): Promise<ApplyResult> {
    if (this.#progress.isRunning) throw alreadyApplying()
    return this.#mutex.run(async () => {
      const { countdown, store, targets } = this.#options
      if (countdown.pending !== null) {
        throw awaitsConfirmation(countdown.pending.revision, store.get(countdown.pending.revision)?.author)
      }
      const base = store.current()
      if (request.baseRevision !== base.revision) throw outdatedBase(request.baseRevision, store)
      const prepared = await prepare(request, store.desiredOf(base), targets)
      if (prepared.steps.length === 0 && digestOf(request.spec) === base.digest) {
        return { revision: base.revision, outcome: base.outcome, failure: null, drift: [] }
      }
      this.#requireDataplane(prepared)
      try {
        this.#lastResult = await this.#applyOn(base, request, prepared)
        return this.#lastResult
      } finally {
        this.#progress.end()
        await this.#view.look(store.current())
      }
    })
  }

  #requireDataplane(prepared: Prepared): void {
    const { dataplane } = this.#options.targets
    if (prepared.steps.some(({ step }) => step.kind === 'dataplane.attach')) {
      const { isAvailable, reason } = dataplane.capabilities()
      if (!isAvailable) {
        throw new AppError('REFUSED', `The eBPF dataplane cannot run here: ${reason ?? 'unknown reason'}`)
      }
    }
    if (prepared.normalized.desired.services.some(({ config }) => config.dataplane === 'ipvs')) {
      const { availability, reason, fullnatObstacle } = dataplane.ipvsOffer()
      if (availability === 'module-missing' || availability === 'no-permission') {
        throw new AppError('REFUSED', `IPVS cannot be used here: ${reason ?? 'unknown reason'}`)
      }
      if (prepared.normalized.desired.natEntries.length > 0 && fullnatObstacle !== null) {
        throw new AppError('REFUSED', fullnatObstacle)
      }
    }
  }

  async #applyOn(base: StoredRevision, request: ApplyRequest, prepared: Prepared): Promise<ApplyResult> {
    const { store, targets, journal } = this.#options
    const steps = prepared.steps.map(({ step }) => step)
    const revision = this.#newRevision(base, request, prepared)
    const { revision: number, atMs: startedAtMs } = revision
    try {
      await store.put(revision)
      this.#progress.begin(revision, 'applying', steps, startedAtMs)
      const failure = await runOrRollBack(
        { kind: 'apply', revision: number, backTo: base.revision, reason: null, startedAtMs, steps },
        { targets, journal, onProgress: (stepsDone) => this.#progress.stepped(stepsDone) },
      )
      if (failure !== null) return await this.#failed(revision, base, failure)
      await this.#accept(revision, base, request.confirmWithinSec, steps)
    } catch (error) {
      // Only the disk can fail here: what cannot be written down is not done.
      await this.#wayBack.takeBack(number, base.revision, 'step-failed').catch(() => undefined)
      throw new AppError('REFUSED', `The agent could not write its state, so nothing was changed: ${String(error)}`, {
        cause: error,
      })
    }
    this.#progress.end()
    const current = store.current()
    return { revision: number, outcome: current.outcome, failure: null, drift: await this.#view.look(current) }
  }

  #newRevision(base: StoredRevision, request: ApplyRequest, { normalized }: Prepared): StoredRevision {
    const { store, clock } = this.#options
    return {
      revision: store.newestNumber() + 1,
      digest: digestOf(request.spec),
      author: request.author,
      message: request.message,
      atMs: clock.nowMs(),
      outcome: 'applying',
      revertReason: null,
      touched: touchedServices(base.spec, request.spec),
      spec: request.spec,
      interfaces: { ...normalized.interfaces },
    }
  }

  /** All steps are done. Until the journal is closed, a crash takes them back. */
  async #accept(
    revision: StoredRevision,
    base: StoredRevision,
    confirmWithinSec: number | null,
    steps: Step[],
  ): Promise<void> {
    const { store, journal, countdown, events } = this.#options
    const { revision: number, atMs: startedAtMs, author } = revision
    if (confirmWithinSec === null) {
      await store.put({ ...revision, outcome: 'confirmed' })
      await journal.close()
      events.add('apply.done', { params: { revision: number, user: author.user } })
      return
    }
    const confirmWithinMs = confirmWithinSec * 1000
    await countdown.begin({ revision: number, backTo: base.revision, confirmWithinMs, startedAtMs, steps })
    await store.put({ ...revision, outcome: 'unconfirmed' })
    await journal.close()
    events.add('apply.unconfirmed', { params: { revision: number, user: author.user, seconds: confirmWithinSec } })
    countdown.watch(() => void this.#onDeadline())
  }

  async #failed(revision: StoredRevision, base: StoredRevision, failure: StepFailure): Promise<ApplyResult> {
    const { store, journal, events } = this.#options
    const { revision: number, author } = revision
    let { rolledBack } = failure
    if (!rolledBack) {
      // Step by step it did not work; perhaps from what is there now.
      await this.#wayBack.walkTo(base, { kind: 'revert', revision: number, reason: 'step-failed' })
      rolledBack = (await this.#view.look(base)).length === 0
    }
    await store.put({ ...revision, outcome: 'failed', revertReason: 'step-failed' })
    await journal.close()
    const { stepIndex, errno, message } = failure
    events.add(rolledBack ? 'apply.failed' : 'apply.broken', {
      params: { revision: number, user: author.user, step: stepIndex + 1, error: errno ?? message },
    })
    this.#progress.end()
    const drift = await this.#view.look(base)
    return { revision: number, outcome: 'failed', failure: { ...failure, revision: number, rolledBack }, drift }
  }

  async confirm(revision: number): Promise<RevisionSummary> {
    return this.#mutex.run(async () => {
      const { countdown, store, events, onChange } = this.#options
      const stored = store.get(revision)
      if (countdown.pending?.revision !== revision || stored === undefined) {
        throw notAwaited(revision, countdown.pending?.revision ?? null)
      }
      const confirmed: StoredRevision = { ...stored, outcome: 'confirmed' }
      await store.put(confirmed)
      await countdown.end()
      events.add('confirm.done', { params: { revision } })
      if (this.#lastResult?.revision === revision) this.#lastResult = { ...this.#lastResult, outcome: 'confirmed' }
      onChange()
      return summaryOf(confirmed)
    })
  }

  async revert(revision: number): Promise<ApplyResult> {
    return this.#mutex.run(async () => {
      const { pending } = this.#options.countdown
      if (pending?.revision !== revision) throw notAwaited(revision, pending?.revision ?? null)
      this.#lastResult = await this.#wayBack.takeBack(revision, pending.backTo, 'operator')
      return this.#lastResult
    })
  }

  async #onDeadline(): Promise<void> {
    try {
      await this.#mutex.run(async () => {
        const { countdown, onChange } = this.#options
        // Confirmed or reverted while this waited for its turn.
        if (countdown.pending === null || countdown.remainingMs() !== 0) return
        const { revision, backTo } = countdown.pending
        this.#lastResult = await this.#wayBack.takeBack(revision, backTo, 'deadline')
        onChange()
      })
    } catch (error) {
      this.#options.targets.log(`The revert at the deadline failed: ${String(error)}`)
    }
  }

  /** Raises or lowers the VIPs of the revision in force; everything else stays. */
  async setRole(role: DirectorRole): Promise<{ role: DirectorRole; drift: Step[] }> {
    return this.#mutex.run(async () => {
      const { countdown, store, journal, events } = this.#options
      if (countdown.pending !== null) {
        throw awaitsConfirmation(countdown.pending.revision, store.get(countdown.pending.revision)?.author)
      }
      const current = store.current()
      const former = store.role
      await store.setRole(role)
      try {
        const failure = await this.#wayBack.walkTo(current, {
          kind: 'restore',
          revision: current.revision,
          reason: null,
        })
        await journal.close()
        if (failure !== null) {
          const details = { errno: failure.errno ?? 'unknown' }
          throw new AppError('KERNEL', `The director did not become ${role}: ${failure.message}`, { details })
        }
      } catch (error) {
        await store.setRole(former)
        throw error
      } finally {
        this.#progress.end()
      }
      events.add(`role.${role}`)
      return { role, drift: await this.#view.look(current) }
    })
  }

  /** Takes everything of ours off the kernel; revisions stay on the disk. */
  retire(): Promise<{ detached: boolean; vipsLowered: string[] }> {
    return this.#mutex.run(() => this.#wayBack.retire())
  }
}
