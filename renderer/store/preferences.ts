import type { Preferences } from '../../core/contract/console.ts'
import { client } from '../connection/client.ts'
import { useConsole } from './console-store.ts'

/**
 * Changes preferences at once on the page and then in the console core. Where that fails they hold until the page is
 * closed: a preference is nothing to interrupt the operator for.
 */
export function savePreferences(change: Partial<Preferences>): void {
  useConsole.setState(({ preferences }) => ({ preferences: { ...preferences, ...change } }))
  client.call('preferences.set', change).then(
    (preferences) => useConsole.setState({ preferences }),
    () => {},
  )
}

/** Something dismissed stays dismissed. */
export function dismiss(id: string): void {
  const { dismissed } = useConsole.getState().preferences
  if (!dismissed.includes(id)) savePreferences({ dismissed: [...dismissed, id].slice(-200) })
}

export function useIsDismissed(id: string | undefined): boolean {
  return useConsole((s) => id !== undefined && s.preferences.dismissed.includes(id))
}
