import { useEffect } from 'react'
import { create } from 'zustand'
import type { WireError } from '../../core/contract/errors.ts'
import type { Sample } from '../../core/model/telemetry.ts'
import { client } from '../connection/client.ts'
import { follow } from '../connection/follow.ts'
import { withSamples } from '../series/window.ts'
import { updateDirector, useConsole } from './console-store.ts'

interface StatsState {
  /** Samples of a quarter of an hour by director, oldest first. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>
  /** True once the history was read: before that, nothing is "no samples yet". */
  readonly isLoaded: Readonly<Record<string, boolean>>
  /** Why there are no counters although the director is there; null while they come. */
  readonly errors: Readonly<Record<string, WireError | null>>
}

export const useStats = create<StatsState>(() => ({ samples: {}, isLoaded: {}, errors: {} }))

const none: readonly Sample[] = []

function add(directorId: string, added: readonly Sample[]): void {
  useStats.setState(({ samples, isLoaded }) => ({
    samples: { ...samples, [directorId]: withSamples(samples[directorId] ?? none, added) },
    isLoaded: { ...isLoaded, [directorId]: true },
  }))
}

interface Watch {
  readers: number
  stop: () => void
}
const watches = new Map<string, Watch>()
const lingerMs = 3000
const againAfterMs = 2000

function setError(directorId: string, error: WireError | null): void {
  useStats.setState(({ errors }) => ({ errors: { ...errors, [directorId]: error } }))
}

/** Reads the history and then every sample; a stream that ends although the director is there is opened again. */
function start(directorId: string): () => void {
  const stop = new AbortController()
  let again: ReturnType<typeof setTimeout> | undefined
  client.call('director.stats.history', { directorId, input: {} }, { signal: stop.signal }).then(
    (history) => !stop.signal.aborted && add(directorId, history),
    () => {
      // The stream below says why the director does not answer; graphs then start empty.
    },
  )
  let stopStream = () => {}
  const watch = (): void => {
    stopStream = follow(
      (signal) => client.stream('director.stats.watch', { directorId, input: {} }, { signal }),
      (sample) => {
        add(directorId, [sample])
        setError(directorId, null)
        updateDirector(directorId, { heardAtMs: Date.now() })
      },
      (error) => {
        setError(directorId, error)
        again = setTimeout(watch, againAfterMs)
      },
    )
  }
  watch()
  return () => {
    stop.abort()
    clearTimeout(again)
    stopStream()
    setError(directorId, null)
  }
}

/**
 * Watches the counters of a director while the component is shown, shared by all that show them. A change of view does
 * not end the watch: it lingers for a moment.
 */
export function useWatchStats(directorId: string): void {
  const isLive = useConsole((s) => s.link.phase === 'open' && (s.data[directorId]?.isLive ?? false))
  useEffect(() => {
    if (!isLive) return
    let watch = watches.get(directorId)
    if (watch === undefined) {
      watch = { readers: 0, stop: start(directorId) }
      watches.set(directorId, watch)
    }
    const own = watch
    own.readers++
    return () => {
      own.readers--
      setTimeout(() => {
        if (own.readers > 0 || watches.get(directorId) !== own) return
        own.stop()
        watches.delete(directorId)
      }, lingerMs)
    }
  }, [directorId, isLive])
  // A lost director's watch is over at once: the next one starts with its own history.
  useEffect(() => {
    if (isLive) return
    watches.get(directorId)?.stop()
    watches.delete(directorId)
  }, [directorId, isLive])
}

export function useSamples(directorId: string): readonly Sample[] {
  return useStats((s) => s.samples[directorId] ?? none)
}

export function useLatestSample(directorId: string): Sample | undefined {
  return useStats((s) => s.samples[directorId]?.at(-1))
}
