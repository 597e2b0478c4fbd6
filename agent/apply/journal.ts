import { z } from 'zod'
import { Step } from '../../core/model/plan.ts'
import { RevertReason } from '../../core/model/revision.ts'
import type { Disk } from '../disk.ts'

const JournalHead = z.object({
  /**
   * What the steps were for. After a crash, `apply` and `revert` are taken to the end that `backTo` names, the others to
   * the newest accepted revision.
   */
  kind: z.enum(['apply', 'revert', 'restore', 'retire']),
  revision: z.number().int(),
  backTo: z.number().int(),
  reason: RevertReason.nullable(),
  startedAtMs: z.number(),
  steps: z.array(Step),
})
export type JournalHead = z.infer<typeof JournalHead>

const file = 'journal.jsonl'

/** What the agent was about to do when it was last seen: the head, and each step before the kernel is asked for it. */
export class Journal {
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** The head of a journal that was not closed; null where there is none. */
  async unfinished(): Promise<JournalHead | null> {
    const text = await this.#disk.read(file)
    if (text === null) return null
    return JournalHead.parse(JSON.parse(text.slice(0, text.indexOf('\n') + 1)))
  }

  /** Written as a whole before the first step: a head is never half there. */
  async open(head: JournalHead): Promise<void> {
    await this.#disk.write(file, `${JSON.stringify(head)}\n`)
  }

  /** Call before the kernel is asked for these steps. */
  async begin(first: number, count: number, direction: 'do' | 'undo'): Promise<void> {
    await this.#disk.append(file, `${JSON.stringify({ [direction]: first, ...(count > 1 ? { count } : {}) })}\n`)
  }

  async close(): Promise<void> {
    await this.#disk.remove(file)
  }
}
