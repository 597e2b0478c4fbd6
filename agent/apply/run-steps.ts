import type { Step } from '../../core/model/plan.ts'
import { invert } from '../../core/reconcile/invert.ts'
import type { Execution } from '../dataplane/dataplane.ts'
import { errnoOf, executeSteps, type StepTargets } from './execute.ts'
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
 * So many changes are handed over at once; one journal entry and one record of what is ours cover them all. After a crash
 * the way back starts from what the kernel has, so that a batch may be as long as the agent can be deaf: ten thousand
 * changes take 0.3 s where all is emulated.
 */
const largestBatch = 16_384

interface Batch {
  readonly first: number
  readonly steps: readonly Step[]
}

/** Steps on IPVS services travel together, every other one by itself: netlink answers each in the batch for itself. */
function batchesOf(steps: readonly Step[]): Batch[] {
  const batches: { first: number; steps: Step[]; isOpen: boolean }[] = []
  for (const [index, step] of steps.entries()) {
    const last = batches.at(-1)
    const isOpen = isPipelined(step)
    if (isOpen && last?.isOpen === true && last.steps.length < largestBatch) last.steps.push(step)
    else batches.push({ first: index, steps: [step], isOpen })
  }
  return batches
}

function isPipelined(step: Step): boolean {
  switch (step.kind) {
    case 'service.add':
    case 'service.change':
      return step.after.dataplane === 'ipvs'
    case 'service.remove':
      return step.before.dataplane === 'ipvs'
    case 'realServer.add':
    case 'realServer.change':
    case 'realServer.remove':
      return step.dataplane === 'ipvs'
    default:
      return false
  }
}

/**
 * Carries out the steps of an apply, each journalled before the kernel is asked. A failing step has left the kernel as it
 * was (the dataplane's promise); those that took effect are undone, last first. The journal stays open: its owner closes
 * it when the outcome is on the disk.
 */
export async function runOrRollBack(head: JournalHead, options: RunOptions): Promise<StepFailure | null> {
  const { targets, journal, onProgress } = options
  await journal.open(head)
  for (const { first, steps } of batchesOf(head.steps)) {
    let execution: Execution
    try {
      await journal.begin(first, steps.length, 'do')
      execution = await executeSteps(steps, targets)
    } catch (error) {
      execution = { done: [], failure: { at: 0, error } }
    }
    const { done, failure } = execution
    if (failure !== null) {
      const stepIndex = first + failure.at
      const before = head.steps.slice(0, first)
      const within = done.toSorted((a, b) => a - b).flatMap((at) => steps.slice(at, at + 1))
      const rolledBack = await undo([...before, ...within], options)
      return { stepIndex, step: stepAt(head.steps, stepIndex), ...told(failure.error), rolledBack }
    }
    onProgress(first + steps.length)
  }
  return null
}

function stepAt(steps: readonly Step[], index: number): Step {
  const step = steps[index]
  if (step === undefined) throw new TypeError(`there is no step ${index}`)
  return step
}

/** Last first; goes on where one cannot be undone, since the others still can. */
async function undo(done: readonly Step[], options: RunOptions): Promise<boolean> {
  const { targets, journal, onProgress } = options
  let isComplete = true
  for (const { first, steps } of batchesOf(done.toReversed().map(invert))) {
    await noted(journal.begin(first, steps.length, 'undo'), targets)
    const failures = await eachOnItsOwn(steps, targets)
    isComplete &&= failures.length === 0
    onProgress(Math.max(0, done.length - first - steps.length))
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
  for (const { first, steps } of batchesOf(head.steps)) {
    await noted(journal.begin(first, steps.length, 'do'), targets)
    for (const { at, error } of await eachOnItsOwn(steps, targets)) {
      const stepIndex = first + at
      failure ??= { stepIndex, step: stepAt(head.steps, stepIndex), ...told(error), rolledBack: false }
    }
    onProgress(first + steps.length)
  }
  return failure
}

/** All of a batch, also behind one that fails. */
async function eachOnItsOwn(steps: readonly Step[], targets: StepTargets): Promise<{ at: number; error: unknown }[]> {
  const failures: { at: number; error: unknown }[] = []
  for (let first = 0; first < steps.length; ) {
    const { failure, done } = await executeSteps(steps.slice(first), targets).catch(
      (error: unknown): Execution => ({ done: [], failure: { at: 0, error } }),
    )
    if (failure === null) break
    const at = first + failure.at
    targets.log(`Step ${steps[at]?.kind} failed: ${told(failure.error).message}`)
    failures.push({ at, error: failure.error })
    // A pipelined batch has run to its end; what follows the failure and took effect is not asked for again.
    const ran = new Set(done.map((one) => one + first))
    first = at + 1
    while (ran.has(first)) first++
  }
  return failures
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
