import { AppError } from '../../core/contract/errors.ts'
import type { ApplyRequest, InterfaceFacts, PlanRequest } from '../../core/contract/agent.ts'
import type { ObservedState } from '../../core/model/observed.ts'
import type { Plan, Step } from '../../core/model/plan.ts'
import type { ApplyProgress, ApplyResult, RevertReason, RevisionSummary } from '../../core/model/revision.ts'
import { type Desired, emptyDesired } from '../../core/reconcile/desired.ts'
import { plan } from '../../core/reconcile/plan.ts'
import type { RingMember } from '../../core/reconcile/risk.ts'
import { touchedServices } from '../../core/reconcile/touched.ts'
import type { Clock } from '../clock.ts'
import type { Disk } from '../disk.ts'
import type { EventLog } from '../events.ts'
import { desiredOfRevision, digestOf, type RevisionStore, type StoredRevision } from '../store.ts'
import type { Countdown } from './countdown.ts'
import type { StepTargets } from './execute.ts'
import type { Journal, JournalHead } from './journal.ts'
import { Mutex } from './mutex.ts'
import { observe } from './observe.ts'
import { describePlan, type Prepared, prepare } from './prepare.ts'
import { alreadyApplying, awaitsConfirmation, notAwaited, outdatedBase } from './refusals.ts'
import { runAll, runOrRollBack, type StepFailure } from './run-steps.ts'

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
  /** Told at once what each look at the kernel found; later it may be outdated by what was done since. */
  readonly onLook: (state: ObservedState) => void
  /** Told whenever something changed that a watcher would see. */
  readonly onChange: () => void
}

interface Running {
  readonly revision: StoredRevision
  readonly phase: ApplyProgress['phase']
  readonly steps: readonly Step[]
  readonly startedAtMs: number
  stepsDone: number
}

const bootFile = 'boot.json'
const nothing: ObservedState = { services: [], vips: [], attachments: [] }

/** The one writer of a director: takes it from revision to revision, and back. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #mutex = new Mutex()
  #running: Running | null = null
  #lastResult: ApplyResult | null = null
  #observed: ObservedState = nothing
  #interfaces: readonly InterfaceFacts[] = []
  #drift: readonly Step[] = []
  /** After a boot, until everything is as the revision wants it: interfaces may come up later than the agent. */
  #isRestoring = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  get observed(): ObservedState {
    return this.#observed
  }
  get interfaces(): readonly InterfaceFacts[] {
    return this.#interfaces
  }
  get drift(): readonly Step[] {
    return this.#drift
  }
  get lastResult(): ApplyResult | null {
    return this.#lastResult
  }

  /** What runs or waits for its confirmation. */
  progress(): ApplyProgress | null {
    const { countdown, clock, store } = this.#options
    if (this.#running !== null) {
      const { revision, phase, steps, startedAtMs, stepsDone } = this.#running
      const { author, message } = revision
      const fixed = { remainingMs: null, revertsAtMs: null }
      return {
        revision: revision.revision,
        author,
        message,
        phase,
        stepsDone,
        steps: [...steps],
        startedAtMs,
        ...fixed,
      }
    }
    const { pending } = countdown
    const revision = pending === null ? undefined : store.get(pending.revision)
    const remainingMs = countdown.remainingMs()
    if (pending === null || revision === undefined || remainingMs === null) return null
    return {
      revision: pending.revision,
      author: revision.author,
      message: revision.message,
      phase: 'awaiting-confirmation',
      stepsDone: pending.steps.length,
      steps: pending.steps,
      startedAtMs: pending.startedAtMs,
      remainingMs,
      revertsAtMs: clock.nowMs() + remainingMs,
    }
  }

  /** Takes up what the last agent left: unfinished steps are taken back, a countdown goes on, a boot is made good. */
  async start(): Promise<void> {
    await this.#mutex.run(async () => {
      const { journal, countdown, store, disk, clock } = this.#options
      const bootId = await disk.read(bootFile)
      const unfinished = await journal.unfinished()
      if (unfinished !== null && (unfinished.kind === 'apply' || unfinished.kind === 'revert')) {
        await this.#takeBack(unfinished.revision, unfinished.backTo, unfinished.reason ?? 'agent-restarted')
      }
      await this.#settleOutcomes()
      if (countdown.pending !== null && countdown.remainingMs() === 0) {
        await this.#takeBack(countdown.pending.revision, countdown.pending.backTo, 'deadline')
      }
      const isOtherBoot = bootId !== null && bootId.trim() !== clock.bootId
      const wasSettingUp = unfinished?.kind === 'restore' || unfinished?.kind === 'retire'
      if (isOtherBoot || wasSettingUp) await this.#restore()
      await disk.write(bootFile, `${clock.bootId}\n`)
      await this.#look(desiredOfRevision(store.current()))
      countdown.watch(() => void this.#onDeadline())
    })
  }

  /** No revert at a deadline any more from this object; the deadline itself stays on the disk. */
  stop(): void {
    this.#options.countdown.pause()
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

  /** A look at the kernel, for a timer: nothing is done about a difference, except after a boot. */
  async look(): Promise<void> {
    if (this.#mutex.isBusy) return
    await this.#mutex.run(async () => {
      if (this.#isRestoring) await this.#restore()
      await this.#look(desiredOfRevision(this.#options.store.current()))
    })
  }

  async #look(desired: Desired): Promise<Step[]> {
    const { targets, events, store } = this.#options
    const { state, interfaces } = await observe(targets, desired)
    this.#observed = state
    this.#interfaces = interfaces
    this.#options.onLook(state)
    const drift = plan(desired, state).map(({ step }) => step)
    const { revision } = store.current()
    if (drift.length > 0 && this.#drift.length === 0) {
      events.add('drift.found', { params: { revision, steps: drift.length } })
    }
    if (drift.length === 0 && this.#drift.length > 0) events.add('drift.gone', { params: { revision } })
    this.#drift = drift
    this.#options.onChange()
    return drift
  }

  async plan({ spec, protectedAddresses }: PlanRequest): Promise<Plan> {
    const { targets, ringOf, store } = this.#options
    const prepared = await prepare(spec, protectedAddresses, targets)
    return describePlan(spec, store.current().revision, prepared, { ...targets, ringOf })
  }

  async apply(request: ApplyRequest): Promise<ApplyResult> {
    if (this.#mutex.isBusy && this.#running !== null) throw alreadyApplying()
    return this.#mutex.run(async () => {
      const { countdown, store, targets } = this.#options
      if (countdown.pending !== null) {
        throw awaitsConfirmation(countdown.pending.revision, store.get(countdown.pending.revision)?.author)
      }
      const base = store.current()
      if (request.baseRevision !== base.revision) throw outdatedBase(request.baseRevision, store)
      const prepared = await prepare(request.spec, request.protectedAddresses, targets)
      if (prepared.steps.length === 0 && digestOf(request.spec) === base.digest) {
        return { revision: base.revision, outcome: base.outcome, failure: null, drift: [] }
      }
      this.#requireDataplane(prepared)
      try {
        this.#lastResult = await this.#applyOn(base, request, prepared)
        return this.#lastResult
      } finally {
        this.#running = null
        await this.#look(desiredOfRevision(store.current()))
      }
    })
  }

  #requireDataplane(prepared: Prepared): void {
    if (prepared.steps.length === 0) return
    const { isAvailable, reason } = this.#options.targets.dataplane.capabilities()
    if (!isAvailable) throw new AppError('REFUSED', `The eBPF dataplane cannot run here: ${reason ?? 'unknown reason'}`)
  }

  async #applyOn(base: StoredRevision, request: ApplyRequest, prepared: Prepared): Promise<ApplyResult> {
    const { store, journal, countdown, clock, events } = this.#options
    const steps = prepared.steps.map(({ step }) => step)
    const startedAtMs = clock.nowMs()
    const revision: StoredRevision = {
      revision: store.newestNumber() + 1,
      digest: digestOf(request.spec),
      author: request.author,
      message: request.message,
      atMs: startedAtMs,
      outcome: 'applying',
      revertReason: null,
      touched: touchedServices(base.spec, request.spec),
      spec: request.spec,
      interfaces: { ...prepared.normalized.interfaces },
    }
    const head: JournalHead = {
      kind: 'apply',
      revision: revision.revision,
      backTo: base.revision,
      reason: null,
      startedAtMs,
      steps,
    }
    const about = { revision: revision.revision, user: request.author.user }
    try {
      await store.put(revision)
      this.#begin(revision, 'applying', steps, startedAtMs)
      const failure = await runOrRollBack(head, this.#runOptions())
      if (failure !== null) return await this.#failed(revision, base, failure)
      if (request.confirmWithinSec === null) {
        await store.put({ ...revision, outcome: 'confirmed' })
        await journal.close()
        events.add('apply.done', { params: about })
      } else {
        const confirmWithinMs = request.confirmWithinSec * 1000
        const { revision: number } = revision
        await countdown.begin({ revision: number, backTo: base.revision, confirmWithinMs, startedAtMs, steps })
        await store.put({ ...revision, outcome: 'unconfirmed' })
        await journal.close()
        events.add('apply.unconfirmed', { params: { ...about, seconds: request.confirmWithinSec } })
        countdown.watch(() => void this.#onDeadline())
      }
    } catch (error) {
      // Only the disk can fail here: what cannot be written down is not done.
      await this.#takeBack(revision.revision, base.revision, 'step-failed').catch(() => undefined)
      throw new AppError('REFUSED', `The agent could not write its state, so nothing was changed: ${String(error)}`, {
        cause: error,
      })
    }
    this.#running = null
    const drift = await this.#look(prepared.normalized.desired)
    const outcome = request.confirmWithinSec === null ? 'confirmed' : 'unconfirmed'
    return { revision: revision.revision, outcome, failure: null, drift }
  }

  async #failed(revision: StoredRevision, base: StoredRevision, failure: StepFailure): Promise<ApplyResult> {
    const { store, journal, events } = this.#options
    let { rolledBack } = failure
    if (!rolledBack) {
      // Step by step it did not work; perhaps from what is there now.
      await this.#walkTo(base, { kind: 'revert', revision: revision.revision, reason: 'step-failed' })
      rolledBack = (await this.#look(desiredOfRevision(base))).length === 0
    }
    await store.put({ ...revision, outcome: 'failed', revertReason: 'step-failed' })
    await journal.close()
    events.add(rolledBack ? 'apply.failed' : 'apply.broken', {
      params: {
        revision: revision.revision,
        user: revision.author.user,
        step: failure.stepIndex + 1,
        error: failure.errno ?? failure.message,
      },
    })
    this.#running = null
    const drift = await this.#look(desiredOfRevision(base))
    const told = { ...failure, revision: revision.revision, rolledBack }
    return { revision: revision.revision, outcome: 'failed', failure: told, drift }
  }

  async confirm(revision: number): Promise<RevisionSummary> {
    return this.#mutex.run(async () => {
      const { countdown, store, events } = this.#options
      const stored = store.get(revision)
      if (countdown.pending?.revision !== revision || stored === undefined) {
        throw notAwaited(revision, countdown.pending?.revision ?? null)
      }
      await store.put({ ...stored, outcome: 'confirmed' })
      await countdown.end()
      events.add('confirm.done', { params: { revision } })
      if (this.#lastResult?.revision === revision) this.#lastResult = { ...this.#lastResult, outcome: 'confirmed' }
      this.#options.onChange()
      const { spec: _spec, interfaces: _interfaces, ...summary } = { ...stored, outcome: 'confirmed' as const }
      return summary
    })
  }

  async revert(revision: number): Promise<ApplyResult> {
    return this.#mutex.run(async () => {
      const { pending } = this.#options.countdown
      if (pending?.revision !== revision) throw notAwaited(revision, pending?.revision ?? null)
      return this.#takeBack(revision, pending.backTo, 'operator')
    })
  }

  async #onDeadline(): Promise<void> {
    try {
      await this.#mutex.run(async () => {
        const { countdown } = this.#options
        // Confirmed or reverted while this waited for its turn.
        if (countdown.pending === null || countdown.remainingMs() !== 0) return
        await this.#takeBack(countdown.pending.revision, countdown.pending.backTo, 'deadline')
      })
    } catch (error) {
      this.#options.targets.log(`The revert at the deadline failed: ${String(error)}`)
    }
  }

  /** From wherever the kernel is to what was accepted before. */
  async #takeBack(number: number, backTo: number, reason: RevertReason): Promise<ApplyResult> {
    const { store, journal, countdown, events } = this.#options
    const target = store.get(backTo)
    const revision = store.get(number)
    if (target === undefined) {
      throw new AppError(
        'REFUSED',
        `Revision ${number} cannot be taken back: the record of revision ${backTo} is damaged.`,
      )
    }
    countdown.pause()
    try {
      const failure = await this.#walkTo(target, { kind: 'revert', revision: number, reason })
      if (revision !== undefined) await store.put({ ...revision, outcome: 'reverted', revertReason: reason })
      if (countdown.pending?.revision === number) await countdown.end()
      await journal.close()
      if (failure !== null) {
        events.add('revert.incomplete', { params: { revision: number, error: failure.errno ?? failure.message } })
      } else if (reason !== 'step-failed') events.add(`revert.${reason}`, { params: { revision: number } })
      this.#running = null
      const drift = await this.#look(desiredOfRevision(target))
      const told = failure === null ? null : { ...failure, revision: number }
      this.#lastResult = { revision: number, outcome: 'reverted', failure: told, drift }
      return this.#lastResult
    } finally {
      this.#running = null
    }
  }

  async #walkTo(
    target: StoredRevision,
    why: Pick<JournalHead, 'kind' | 'revision' | 'reason'>,
  ): Promise<StepFailure | null> {
    const { targets, clock, store } = this.#options
    const desired = desiredOfRevision(target)
    const { state } = await observe(targets, desired)
    const steps = plan(desired, state).map(({ step }) => step)
    const startedAtMs = clock.nowMs()
    const shown = store.get(why.revision) ?? target
    this.#begin(shown, why.kind === 'restore' ? 'applying' : 'reverting', steps, startedAtMs)
    return runAll({ ...why, backTo: target.revision, startedAtMs, steps }, this.#runOptions())
  }

  /** After a boot the kernel is empty: everything comes back. Tried again at each look until nothing is missing. */
  async #restore(): Promise<void> {
    const { store, journal, events } = this.#options
    const current = store.current()
    try {
      await this.#walkTo(current, { kind: 'restore', revision: current.revision, reason: null })
      await journal.close()
    } finally {
      this.#running = null
    }
    this.#isRestoring = (await this.#look(desiredOfRevision(current))).length > 0
    if (!this.#isRestoring) events.add('agent.restored', { params: { revision: current.revision } })
  }

  /** Takes everything of ours off the kernel; revisions stay on the disk. */
  async retire(): Promise<{ detached: boolean; vipsLowered: string[] }> {
    return this.#mutex.run(async () => {
      const { targets, journal, clock, countdown, store, events } = this.#options
      const { pending } = countdown
      if (pending !== null) await this.#takeBack(pending.revision, pending.backTo, 'operator')
      const { state } = await observe(targets, emptyDesired)
      const steps = plan(emptyDesired, state).map(({ step }) => step)
      const { revision } = store.current()
      const head = {
        kind: 'retire' as const,
        revision,
        backTo: revision,
        reason: null,
        startedAtMs: clock.nowMs(),
        steps,
      }
      const failure = await runAll(head, this.#runOptions())
      if (failure !== null) throw new AppError('KERNEL', `Not everything could be taken down: ${failure.message}`)
      await targets.dataplane.takeDown()
      await journal.close()
      events.add('agent.retired')
      await this.#look(desiredOfRevision(store.current()))
      const vipsLowered = steps.flatMap((step) => (step.kind === 'vip.lower' ? [step.address] : []))
      return { detached: state.attachments.length > 0, vipsLowered }
    })
  }

  #begin(revision: StoredRevision, phase: Running['phase'], steps: readonly Step[], startedAtMs: number): void {
    this.#running = { revision, phase, steps, startedAtMs, stepsDone: 0 }
    this.#options.onChange()
  }

  #runOptions() {
    const { targets, journal, onChange } = this.#options
    const onProgress = (stepsDone: number) => {
      if (this.#running !== null) this.#running.stepsDone = stepsDone
      onChange()
    }
    return { targets, journal, onProgress }
  }
}
