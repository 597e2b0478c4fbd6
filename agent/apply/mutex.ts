/** One at a time, in the order of asking. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0

  get isBusy(): boolean {
    return this.#waiting > 0
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++
    const before = this.#tail
    const mine = before.then(work, work)
    this.#tail = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      this.#waiting--
    }
  }
}
