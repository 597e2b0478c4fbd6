import { useEffect, useRef, useState } from 'react'
import { type WireError, toWireError } from '../../core/contract/errors.ts'

export interface Polled<T> {
  /** The last answer; stays while the next one is on its way, and where that fails. */
  readonly value: T | null
  readonly error: WireError | null
  /** Asks now instead of when the time has come. */
  readonly reload: () => void
}

/**
 * Asks again and again while the page is in view: the next question `everyMs` after the answer to the last, so that a
 * slow answer is never asked for twice. Another key asks at once, and late answers to the old one are dropped.
 *
 * @param key what the answer depends on; null asks nothing
 * @param everyMs null asks once
 */
export function usePolled<T>(
  key: string | null,
  everyMs: number | null,
  ask: (signal: AbortSignal) => Promise<T>,
): Polled<T> {
  const [state, setState] = useState<Omit<Polled<T>, 'reload'>>({ value: null, error: null })
  const [round, setRound] = useState(0)
  const latestAsk = useRef(ask)
  latestAsk.current = ask
  useEffect(() => {
    if (key === null) return
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = () => {
      if (stop.signal.aborted || everyMs === null) return
      timer = setTimeout(look, everyMs)
    }
    const look = (): void => {
      // Out of view nothing is asked; the tick goes on, and finds the page when it is back.
      if (document.hidden) return again()
      latestAsk
        .current(stop.signal)
        .then(
          (value) => !stop.signal.aborted && setState({ value, error: null }),
          (error: unknown) => !stop.signal.aborted && setState((before) => ({ ...before, error: toWireError(error) })),
        )
        .finally(again)
    }
    look()
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [key, everyMs, round])
  return { ...state, reload: () => setRound((before) => before + 1) }
}
