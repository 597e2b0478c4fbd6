import { AppError } from '../../core/contract/errors.ts'
import type { ApplyResult, RevertReason } from '../../core/model/revision.ts'
import { emptyDesired } from '../../core/reconcile/desired.ts'
import { plan } from '../../core/reconcile/plan.ts'
import type { Clock } from '../clock.ts'
import type { EventLog } from '../events.ts'
import type { RevisionStore, StoredRevision } from '../store.ts'
import type { Countdown } from './countdown.ts'
import type { StepTargets } from './execute.ts'
import type { Journal, JournalHead } from './journal.ts'
import type { KernelView } from './kernel-view.ts'
import { observe } from './observe.ts'
import type { Progress } from './progress.ts'
import { runAll, type StepFailure } from './run-steps.ts'

export interface WayBackOptions {
  readonly targets: StepTargets
  readonly store: RevisionStore
  readonly journal: Journal
  readonly countdown: Countdown
  readonly clock: Clock
  readonly events: EventLog
  readonly view: KernelView
  readonly progress: Progress
}

/**
 * The ways to what was accepted before: each begins with a look at the kernel and plans from there, so that it arrives
 * from any state that a crash may have left. Whoever calls sees to it that nothing else runs.
 */
export class WayBack {
  readonly #options: WayBackOptions
  /** After a boot, until everything is as the revision wants it: interfaces may come up later than the agent. */
  #isRestoring = false

  constructor(options: WayBackOptions) {
    this.#options = options
  }

  get isRestoring(): boolean {
    return this.#isRestoring
  }

  /** Takes a revision back, and says why. */
  async takeBack(number: number, backTo: number, reason: RevertReason): Promise<ApplyResult> {
    const { store, journal, countdown, events, progress, view } = this.#options
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
      const failure = await this.walkTo(target, { kind: 'revert', revision: number, reason })
      if (revision !== undefined) await store.put({ ...revision, outcome: 'reverted', revertReason: reason })
      if (countdown.pending?.revision === number) await countdown.end()
      await journal.close()
      if (failure !== null) {
        events.add('revert.incomplete', { params: { revision: number, error: failure.errno ?? failure.message } })
      } else if (reason !== 'step-failed') events.add(`revert.${reason}`, { params: { revision: number } })
      progress.end()
      const drift = await view.look(target)
      const told = failure === null ? null : { ...failure, revision: number }
      return { revision: number, outcome: 'reverted', failure: told, drift }
    } finally {
      progress.end()
    }
  }

  /** From wherever the kernel is to this revision; the journal stays open. Returns the first step that failed. */
  async walkTo(
    target: StoredRevision,
    why: Pick<JournalHead, 'kind' | 'revision' | 'reason'>,
  ): Promise<StepFailure | null> {
    const { targets, clock, store, progress } = this.#options
    const desired = store.desiredOf(target)
    const taken = store.get(why.revision)
    const hints = taken === undefined || taken === target ? [desired] : [desired, store.desiredOf(taken)]
    const { state } = await observe(targets, hints)
    // What was taken over since goes back to whoever set it up: it must not vanish with the revision.
    const steps = plan(desired, state, { release: targets.dataplane.originals() }).map(({ step }) => step)
    const startedAtMs = clock.nowMs()
    const shown = store.get(why.revision) ?? target
    progress.begin(shown, why.kind === 'restore' ? 'applying' : 'reverting', steps, startedAtMs)
    return runAll({ ...why, backTo: target.revision, startedAtMs, steps }, this.#runOptions())
  }

  /** After a boot the kernel is empty: everything comes back. To be called again while `isRestoring`. */
  async restore(): Promise<void> {
    const { store, journal, events, progress, view } = this.#options
    const current = store.current()
    try {
      await this.walkTo(current, { kind: 'restore', revision: current.revision, reason: null })
      await journal.close()
    } finally {
      progress.end()
    }
    this.#isRestoring = (await view.look(current)).length > 0
    if (!this.#isRestoring) events.add('agent.restored', { params: { revision: current.revision } })
  }

  /** Takes everything of ours off the kernel; revisions stay on the disk. */
  async retire(): Promise<{ detached: boolean; vipsLowered: string[] }> {
    const { targets, journal, clock, countdown, store, events, view } = this.#options
    const { pending } = countdown
    if (pending !== null) await this.takeBack(pending.revision, pending.backTo, 'operator')
    const { state } = await observe(targets, [store.desiredOf(store.current())])
    const steps = plan(emptyDesired, state).map(({ step }) => step)
    const { revision } = store.current()
    const startedAtMs = clock.nowMs()
    const head: JournalHead = { kind: 'retire', revision, backTo: revision, reason: null, startedAtMs, steps }
    const failure = await runAll(head, this.#runOptions())
    if (failure !== null) throw new AppError('KERNEL', `Not everything could be taken down: ${failure.message}`)
    await targets.dataplane.takeDown()
    await journal.close()
    this.#isRestoring = false
    events.add('agent.retired')
    await view.look(store.current())
    const vipsLowered = steps.flatMap((step) => (step.kind === 'vip.lower' ? [step.address] : []))
    return { detached: state.attachments.length > 0, vipsLowered }
  }

  #runOptions() {
    const { targets, journal, progress } = this.#options
    return { targets, journal, onProgress: (stepsDone: number) => progress.stepped(stepsDone) }
  }
}
