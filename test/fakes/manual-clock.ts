import type { ClockPort } from '../../main/console/ports.ts'

/** Time that passes only when told to. */
export class ManualClock implements ClockPort {
  #nowMs = 1_700_000_000_000
  readonly #timers = new Set<{ atMs: number; callback: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs - 1_600_000_000_000
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  random(): number {
    return 0.5
  }

  advance(ms: number): void {
    this.#nowMs += ms
    for (const timer of [...this.#timers].sort((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.#nowMs || !this.#timers.delete(timer)) continue
      timer.callback()
    }
  }
}
