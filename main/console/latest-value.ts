/** A value that changes, and streams of it: each reader gets the present one, then the newest whenever it changed. */
export class LatestValue<T> {
  #value: T
  #version = 0
  readonly #waiting = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
    this.#version++
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** Ends when the signal aborts. A slow reader misses what lies in between, never the last one. */
  async *watch(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    let seen = -1
    while (!signal.aborted) {
      if (seen === this.#version) await this.#nextChange(signal)
      else {
        seen = this.#version
        yield this.#value
      }
    }
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    })
  }
}
