import type { Clock } from '../../agent/clock.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that stands still until it is told to go on; each of its hands can be set by itself. */
export class FakeClock implements Clock {
  bootId = 'boot-1'
  #wall = Date.UTC(2030, 0, 1)
  #elapsed = 1_000_000
  readonly #timers = new Set<Timer>()

  nowMs = (): number => this.#wall
  monotonicMs = (): number => this.#elapsed
  bootMs = (): number => this.#elapsed

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#elapsed + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Somebody sets the wall clock. */
  setWall(byMs: number): void {
    this.#wall += byMs
  }

  /** Another boot: the running clocks begin anew, the wall clock goes on. */
  reboot(bootId: string, downMs: number): void {
    this.bootId = bootId
    this.#wall += downMs
    this.#elapsed = 5_000
    this.#timers.clear()
  }

  /** The process is gone, and its timers with it; time goes on. */
  forgetTimers(): void {
    this.#timers.clear()
  }

  /** Lets time pass, timer by timer, and lets what each of them started come to rest. */
  async advance(byMs: number): Promise<void> {
    const end = this.#elapsed + byMs
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers.delete(due)
      this.#pass(Math.max(0, due.at - this.#elapsed))
      due.callback()
      await settle()
    }
    this.#pass(end - this.#elapsed)
    await settle()
  }

  #pass(ms: number): void {
    this.#elapsed += ms
    this.#wall += ms
  }
}

/** What was started has done what it can without time passing. Disks need some turns of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
