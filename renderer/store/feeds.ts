import type { ConsoleClient } from '../connection/client.ts'
import { follow } from '../connection/follow.ts'
import { updateDirector, useConsole } from './console-store.ts'

/**
 * What the frame always shows: preferences and the list of directors, and the state of each director that is connected
 * (states come only when something changes). Counters are watched by the views that show them.
 *
 * @returns ends everything; what was learned stays, marked as not live
 */
export function startFeeds(client: ConsoleClient): () => void {
  const stops = new Map<string, () => void>()

  void client.call('app.info', {}).then(
    (info) => useConsole.setState({ info, preferences: info.preferences }),
    () => {
      // Only a lost connection can fail here; the next one asks again.
    },
  )

  const watch = (directorId: string): void => {
    const stop = follow(
      (signal) => client.stream('director.director.watch', { directorId, input: {} }, { signal }),
      (state) =>
        updateDirector(directorId, {
          state,
          receivedAtMs: performance.now(),
          heardAtMs: Date.now(),
          isLive: true,
          error: null,
        }),
      (error) => {
        stops.delete(directorId)
        updateDirector(directorId, { isLive: false, error })
        // Still ready although the stream ended: the agent was restarted under the connection.
        setTimeout(() => reconsider(), 1000)
      },
    )
    stops.set(directorId, stop)
  }

  const reconsider = (): void => {
    if (isOver) return
    for (const { profile, session } of useConsole.getState().directors ?? []) {
      const isReady = session.phase === 'ready'
      const stop = stops.get(profile.id)
      if (isReady && stop === undefined) watch(profile.id)
      if (!isReady && stop !== undefined) {
        stop()
        stops.delete(profile.id)
        updateDirector(profile.id, { isLive: false })
      }
    }
  }

  let isOver = false
  const stopList = follow(
    (signal) => client.stream('directors.watch', {}, { signal }),
    (directors) => {
      useConsole.setState({ directors })
      reconsider()
    },
  )

  const stopJobs = follow(
    (signal) => client.stream('clusters.watch', {}, { signal }),
    (jobs) => useConsole.setState({ jobs }),
  )

  return () => {
    isOver = true
    stopList()
    stopJobs()
    for (const [directorId, stop] of stops) {
      stop()
      updateDirector(directorId, { isLive: false })
    }
  }
}
