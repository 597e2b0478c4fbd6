import { nothingObserved, type ObservedState } from '../../core/model/observed.ts'
import type { Step } from '../../core/model/plan.ts'
import { plan } from '../../core/reconcile/plan.ts'
import type { EventLog } from '../events.ts'
import type { RevisionStore, StoredRevision } from '../store.ts'
import type { StepTargets } from './execute.ts'
import { observe } from './observe.ts'

export interface KernelViewOptions {
  readonly targets: StepTargets
  readonly store: RevisionStore
  readonly events: EventLog
  /** Told at once what each look at the kernel found; later it may be outdated by what was done since. */
  readonly onLook: (state: ObservedState) => void
  readonly onChange: () => void
}

/** What the last look at the kernel found, and how that differs from the revision in force. */
export class KernelView {
  readonly #options: KernelViewOptions
  #observed: ObservedState = nothingObserved
  #drift: readonly Step[] = []

  constructor(options: KernelViewOptions) {
    this.#options = options
  }

  get observed(): ObservedState {
    return this.#observed
  }
  get drift(): readonly Step[] {
    return this.#drift
  }

  /** Looks anew. Returns what a plan of this revision would still do. */
  async look(inForce: StoredRevision): Promise<Step[]> {
    const { targets, store, events, onLook, onChange } = this.#options
    const desired = store.desiredOf(inForce)
    const { state } = await observe(targets, [desired])
    this.#observed = state
    onLook(state)
    const drift = plan(desired, state).map(({ step }) => step)
    const { revision } = inForce
    if (drift.length > 0 && this.#drift.length === 0) {
      events.add('drift.found', { params: { revision, steps: drift.length } })
    }
    if (drift.length === 0 && this.#drift.length > 0) events.add('drift.gone', { params: { revision } })
    this.#drift = drift
    onChange()
    return drift
  }
}
