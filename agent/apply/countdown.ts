import { z } from 'zod'
import { Step } from '../../core/model/plan.ts'
import type { Clock } from '../clock.ts'
import type { Disk } from '../disk.ts'

const Pending = z.object({
  revision: z.number().int(),
  /** Accepted revision to go back to. */
  backTo: z.number().int(),
  confirmWithinMs: z.number(),
  startedAtMs: z.number(),
  /** What was done, for those who look at the countdown. */
  steps: z.array(Step),
  bootId: z.string(),
  /** CLOCK_BOOTTIME of that boot. */
  deadlineBootMs: z.number(),
  /** For another boot, where the first clock means nothing. */
  deadlineWallMs: z.number(),
})
export type Pending = z.infer<typeof Pending>

const file = 'pending.json'

/** An apply that waits for its confirmation: on the disk, and on a timer that neither sleep nor a set clock fools. */
export class Countdown {
  readonly #disk: Disk
  readonly #clock: Clock
  #pending: Pending | null
  #stop: () => void = () => {}

  private constructor(disk: Disk, clock: Clock, pending: Pending | null) {
    this.#disk = disk
    this.#clock = clock
    this.#pending = pending
  }

  static async open(disk: Disk, clock: Clock): Promise<Countdown> {
    const text = await disk.read(file)
    return new Countdown(disk, clock, text === null ? null : Pending.parse(JSON.parse(text)))
  }

  get pending(): Pending | null {
    return this.#pending
  }

  /** Writes the deadline down; nothing happens by itself before {@link watch}. */
  async begin(what: Pick<Pending, 'revision' | 'backTo' | 'confirmWithinMs' | 'startedAtMs' | 'steps'>): Promise<void> {
    const { confirmWithinMs } = what
    const pending: Pending = {
      ...what,
      bootId: this.#clock.bootId,
      deadlineBootMs: this.#clock.bootMs() + confirmWithinMs,
      deadlineWallMs: this.#clock.nowMs() + confirmWithinMs,
    }
    await this.#disk.write(file, `${JSON.stringify(pending)}\n`)
    this.#pending = pending
  }

  /**
   * Time left, not below 0. In another boot than the one that it began in, the wall clock decides; one that was set back
   * so far that more is left than was given has nothing to say: 0.
   */
  remainingMs(): number | null {
    const pending = this.#pending
    if (pending === null) return null
    const isSameBoot = pending.bootId === this.#clock.bootId
    const left = isSameBoot
      ? pending.deadlineBootMs - this.#clock.bootMs()
      : pending.deadlineWallMs - this.#clock.nowMs()
    return left > pending.confirmWithinMs ? 0 : Math.max(0, left)
  }

  /** Calls once when the time is up. A timer alone would be late by the time that the machine slept. */
  watch(onDeadline: () => void): void {
    this.#stop()
    const look = () => {
      const left = this.remainingMs()
      if (left === null) return
      if (left === 0) onDeadline()
      else this.#stop = this.#clock.after(Math.min(left, 1000), look)
    }
    look()
  }

  /** The timer stops; the deadline stays on the disk. */
  pause(): void {
    this.#stop()
  }

  async end(): Promise<void> {
    this.#stop()
    this.#pending = null
    await this.#disk.remove(file)
  }
}
