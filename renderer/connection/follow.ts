import { type WireError, toWireError } from '../../core/contract/errors.ts'

/**
 * Reads a stream until it is stopped.
 *
 * @param open opens the stream under a signal
 * @param onEnd told once when the stream ends by itself: with null, or with why
 * @returns stops reading; nothing is called afterwards
 */
export function follow<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  onItem: (item: T) => void,
  onEnd: (error: WireError | null) => void = () => {},
): () => void {
  const stop = new AbortController()
  const read = async () => {
    for await (const item of open(stop.signal)) {
      if (stop.signal.aborted) return
      onItem(item)
    }
  }
  read().then(
    () => !stop.signal.aborted && onEnd(null),
    (error: unknown) => !stop.signal.aborted && onEnd(toWireError(error)),
  )
  return () => stop.abort()
}
