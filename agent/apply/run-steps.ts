import type { Step } from '../../core/model/plan.ts'
import { invert } from '../../core/reconcile/invert.ts'
import { errnoOf, executeStep, type StepTargets } from './execute.ts'
import type { Journal, JournalHead } from './journal.ts'

export interface StepFailure {
  readonly stepIndex: number
  readonly step: Step
  readonly errno: string | null
  readonly message: string
  /** True where everything done before has been taken back. */
  readonly rolledBack: boolean
}

export interface RunOptions {
  readonly targets: StepTargets
  readonly journal: Journal
  /** Told after each step how many are done. */
  readonly onProgress: (stepsDone: number) => void
}

/**
 * Carries out the steps of an apply, each journalled before the kernel is asked. A failing step has left the kernel as it
 * was (the dataplane's promise); those before it are undone, last first. The journal stays open: its owner closes it when
 * the outcome is on the disk.
 */
export async function runOrRollBack(head: JournalHead, options: RunOptions): Promise<StepFailure | null> {
  const { targets, journal, onProgress } = options
  await journal.open(head)
  for (const [index, step] of head.steps.entries()) {
    try {
      await journal.begin(index, 'do')
      await executeStep(step, targets)
    } catch (error) {
      const rolledBack = await undo(head.steps.slice(0, index), options)
      return { stepIndex: index, step, ...told(error), rolledBack }
    }
    onProgress(index + 1)
  }
  return null
}

/** Last first; goes on where one cannot be undone, since the others still can. */
async function undo(done: readonly Step[], { targets, journal, onProgress }: RunOptions): Promise<boolean> {
  let isComplete = true
  for (const [index, step] of [...done.entries()].toReversed()) {
    try {
      await noted(journal.begin(index, 'undo'), targets)
      await executeStep(invert(step), targets)
    } catch (error) {
      isComplete = false
      targets.log(`Undoing step ${index} (${step.kind}) failed: ${told(error).message}`)
    }
    onProgress(index)
  }
  return isComplete
}

/**
 * Carries out the steps of a way back (revert, recovery, retirement): a step that fails does not keep the others from
 * running, since half a way back is better than none. Returns the first failure.
 */
export async function runAll(head: JournalHead, options: RunOptions): Promise<StepFailure | null> {
  const { targets, journal, onProgress } = options
  await noted(journal.open(head), targets)
  let failure: StepFailure | null = null
  for (const [index, step] of head.steps.entries()) {
    try {
      await noted(journal.begin(index, 'do'), targets)
      await executeStep(step, targets)
    } catch (error) {
      failure ??= { stepIndex: index, step, ...told(error), rolledBack: false }
      targets.log(`Step ${index} (${step.kind}) failed: ${told(error).message}`)
    }
    onProgress(index + 1)
  }
  return failure
}

/** A full disk may keep an apply from beginning, but no way back from ending. */
async function noted(writing: Promise<void>, { log }: StepTargets): Promise<void> {
  try {
    await writing
  } catch (error) {
    log(`The journal could not be written: ${told(error).message}`)
  }
}

const told = (error: unknown): { errno: string | null; message: string } => ({
  errno: errnoOf(error),
  message: error instanceof Error ? error.message : String(error),
})
