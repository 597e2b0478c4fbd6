import type { Step } from '../../core/model/plan.ts'
import type { ApplyProgress } from '../../core/model/revision.ts'
import type { Clock } from '../clock.ts'
import type { RevisionStore, StoredRevision } from '../store.ts'
import type { Countdown } from './countdown.ts'

interface Running {
  readonly revision: StoredRevision
  readonly phase: ApplyProgress['phase']
  readonly steps: readonly Step[]
  readonly startedAtMs: number
  stepsDone: number
}

export interface ProgressOptions {
  readonly clock: Clock
  readonly store: RevisionStore
  readonly countdown: Countdown
  readonly onChange: () => void
}

/** What runs now, or waits for its confirmation. */
export class Progress {
  readonly #options: ProgressOptions
  #running: Running | null = null

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#running !== null
  }

  begin(revision: StoredRevision, phase: ApplyProgress['phase'], steps: readonly Step[], startedAtMs: number): void {
    this.#running = { revision, phase, steps, startedAtMs, stepsDone: 0 }
    this.#options.onChange()
  }

  stepped(stepsDone: number): void {
    if (this.#running !== null) this.#running.stepsDone = stepsDone
    this.#options.onChange()
  }

  end(): void {
    this.#running = null
  }

  shown(): ApplyProgress | null {
    if (this.#running === null) return this.#waiting()
    const { revision, phase, steps, startedAtMs, stepsDone } = this.#running
    return {
      revision: revision.revision,
      author: revision.author,
      message: revision.message,
      phase,
      stepsDone,
      steps: [...steps],
      startedAtMs,
      remainingMs: null,
      revertsAtMs: null,
    }
  }

  #waiting(): ApplyProgress | null {
    const { clock, store, countdown } = this.#options
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
}
