/** A value that many watch: each watcher sees the newest one, a slow watcher skips those in between. */
export class LatestValue<T> {
  #version = 0
  #value: T | undefined
  readonly #waiting = new Set<() => void>()

  set(value: T): void {
    this.#value = value
    this.#version++
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /** The present value first, where there is one, then each newer one until the signal. */
  async *watch(signal: AbortSignal): AsyncGenerator<T> {
    let seen = 0
    while (!signal.aborted) {
      if (this.#version === seen) await this.#next(signal)
      else {
        seen = this.#version
        yield this.#value as T
      }
    }
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }
}
