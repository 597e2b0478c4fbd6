import { useCallback, useEffect, useRef, useState } from 'react'
import { type WireError, toWireError } from '../../core/contract/errors.ts'

export interface Fetched<T> {
  readonly value: T | null
  readonly error: WireError | null
  readonly isLoading: boolean
  /** Asks again; what is shown stays until the answer is there. */
  readonly reload: () => void
}

/**
 * Asks when the component is shown and whenever `key` changes; a late answer to an older key is dropped.
 *
 * @param key what the answer depends on, as a comparable value; null asks nothing
 */
export function useFetched<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>): Fetched<T> {
  const [state, setState] = useState<{ value: T | null; error: WireError | null; isLoading: boolean }>({
    value: null,
    error: null,
    isLoading: key !== null,
  })
  const [round, setRound] = useState(0)
  const latestAsk = useRef(ask)
  latestAsk.current = ask
  useEffect(() => {
    if (key === null) return
    const stop = new AbortController()
    setState((before) => ({ ...before, isLoading: true }))
    latestAsk.current(stop.signal).then(
      (value) => !stop.signal.aborted && setState({ value, error: null, isLoading: false }),
      (error: unknown) =>
        !stop.signal.aborted && setState((before) => ({ ...before, error: toWireError(error), isLoading: false })),
    )
    return () => stop.abort()
  }, [key, round])
  const reload = useCallback(() => setRound((before) => before + 1), [])
  return { ...state, reload }
}

export interface Command<A extends readonly unknown[], T> {
  /** Runs the action; resolves with its result, or with null where it failed (the error is in `error`). */
  readonly run: (...args: A) => Promise<T | null>
  readonly isRunning: boolean
  readonly error: WireError | null
  readonly reset: () => void
}

/** One user action: runs once at a time, keeps its error until the next try. */
export function useCommand<A extends readonly unknown[], T>(action: (...args: A) => Promise<T>): Command<A, T> {
  const [state, setState] = useState<{ isRunning: boolean; error: WireError | null }>({ isRunning: false, error: null })
  const latestAction = useRef(action)
  latestAction.current = action
  const isRunning = useRef(false)
  const run = useCallback(async (...args: A): Promise<T | null> => {
    if (isRunning.current) return null
    isRunning.current = true
    setState({ isRunning: true, error: null })
    try {
      const value = await latestAction.current(...args)
      setState({ isRunning: false, error: null })
      return value
    } catch (error) {
      setState({ isRunning: false, error: toWireError(error) })
      return null
    } finally {
      isRunning.current = false
    }
  }, [])
  const reset = useCallback(() => setState({ isRunning: false, error: null }), [])
  return { run, ...state, reset }
}
