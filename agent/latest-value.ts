/** A value that many watch: each watcher sees the newest one, a slow watcher skips those in between. */
export class LatestValue<T> {
  #newest: { readonly version: number; readonly value: T } | undefined
  readonly #waiting = new Set<() => void>()

  set(value: T): void {
    this.#newest = { version: (this.#newest?.version ?? 0) + 1, value }
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /** The present value first, where there is one, then each newer one until the signal. */
  async *watch(signal: AbortSignal): AsyncGenerator<T> {
    let seen = 0
    while (!signal.aborted) {
      const newest = this.#newest
      if (newest === undefined || newest.version === seen) await this.#next(signal)
      else {
        seen = newest.version
        yield newest.value
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
