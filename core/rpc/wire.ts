/** What carries messages: Electron's channel, a WebSocket, a framed byte stream, or a pair in memory. */
export interface Wire {
  /**
   * Hands one JSON-like value over. Throws AppError TOO_LARGE where the transport has a limit and the message is over
   * it. Never throws after a close; the message is lost then.
   */
  send(message: unknown): void
  /** One listener at a time; messages that came before it are kept for it. Returns a way to stop listening. */
  onMessage(listener: (message: unknown) => void): () => void
  /** Called once, at once where the wire is closed already. */
  onClose(listener: (reason: string) => void): () => void
  close(reason?: string): void
}

/** Messages that wait for the first listener; a far end that is never listened to must not fill the memory. */
const maxWaiting = 1024

/** The part of a wire that every transport needs: messages wait for a listener, close is told once to each. */
export class WireState {
  #listener: ((message: unknown) => void) | undefined
  #waiting: unknown[] = []
  #closed: string | undefined
  readonly #closeListeners = new Set<(reason: string) => void>()

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  receive(message: unknown): void {
    if (this.#closed !== undefined) return
    if (this.#listener !== undefined) this.#listener(message)
    else if (this.#waiting.length < maxWaiting) this.#waiting.push(message)
    else this.close(`More than ${maxWaiting} messages came before anybody listened.`)
  }

  onMessage(listener: (message: unknown) => void): () => void {
    this.#listener = listener
    const waiting = this.#waiting
    this.#waiting = []
    for (const message of waiting) listener(message)
    return () => {
      if (this.#listener === listener) this.#listener = undefined
    }
  }

  onClose(listener: (reason: string) => void): () => void {
    if (this.#closed !== undefined) {
      const reason = this.#closed
      queueMicrotask(() => listener(reason))
      return () => {}
    }
    this.#closeListeners.add(listener)
    return () => this.#closeListeners.delete(listener)
  }

  /** Returns false where it was closed before. */
  close(reason: string): boolean {
    if (this.#closed !== undefined) return false
    this.#closed = reason
    this.#waiting = []
    this.#listener = undefined
    const listeners = [...this.#closeListeners]
    this.#closeListeners.clear()
    for (const listener of listeners) listener(reason)
    return true
  }
}
