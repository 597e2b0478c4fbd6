import { z } from 'zod'
import { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { ServiceKey } from '../../core/model/service.ts'
import { DirectorId } from '../../core/model/ssh.ts'
import { type PendingChange, useChange } from './change-store.ts'

/** Of this window alone: two windows may have edits of their own, and neither may overwrite the other's. */
const storageKey = 'signalbox-changes'

const Kept = z.record(
  DirectorId,
  z.strictObject({
    baseRevision: z.int().nonnegative(),
    baseDigest: z.string(),
    base: ClusterSpec,
    spec: ClusterSpec,
    adopt: z.array(ServiceKey),
    without: z.array(DirectorId),
    // As typed, like the seconds: the review says what is wrong with it.
    message: z.string(),
    confirmWithinSec: z.string(),
    drainSec: z.string(),
  }),
)

/** The text of edits that shall outlive the page. Those that are being applied live in the agent by now. */
export function textOfChanges(pending: Readonly<Record<string, PendingChange>>): string {
  const kept: z.input<typeof Kept> = {}
  for (const [directorId, { isApplying, error: _error, ...change }] of Object.entries(pending)) {
    if (!isApplying) kept[directorId] = { ...change, adopt: [...change.adopt], without: [...change.without] }
  }
  return JSON.stringify(kept)
}

/** Reads that text; what an older page wrote in another shape is let go. */
export function changesOfText(text: string): Record<string, PendingChange> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return {}
  }
  const parsed = Kept.safeParse(value)
  if (!parsed.success) return {}
  return Object.fromEntries(
    Object.entries(parsed.data).map(([id, change]) => [id, { ...change, isApplying: false, error: null }]),
  )
}

/** Edits that are not applied yet survive a reload of the page. */
export function startKeepingChanges(storage: Storage): void {
  const text = storage.getItem(storageKey)
  if (text !== null) useChange.setState({ pending: changesOfText(text) })
  // Not at each edit: a thousand services are a megabyte of text.
  window.addEventListener('pagehide', () => {
    try {
      storage.setItem(storageKey, textOfChanges(useChange.getState().pending))
    } catch {
      // The browser's quota is full: then the edits end with the page, as without this file.
      storage.removeItem(storageKey)
    }
  })
}
