import { useCallback, useEffect, useRef, useState } from 'react'
import { toWireError, type WireError } from '../../../core/contract/errors.ts'
import type { Draft, ServiceForm } from '../../../core/model/draft.ts'
import { client } from '../../connection/client.ts'
import { emptyForm } from './form.ts'

const saveDelayMs = 300

export interface DraftInHand {
  /** Null until it is read. */
  readonly draft: Draft | null
  /** False where the link names a draft that is not there. */
  readonly isFound: boolean
  /** Why it could not be read or kept; the entries stay on the page. */
  readonly error: WireError | null
  readonly change: (part: Partial<Omit<Draft, 'id' | 'directorId'>>) => void
  readonly changeForm: (part: Partial<ServiceForm>) => void
  /** Writes what is not kept yet; resolves when it is. */
  readonly flush: () => Promise<void>
}

/** A new draft, kept at once so that its link works. */
export async function startDraft(directorId: string): Promise<string> {
  const id = crypto.randomUUID()
  const draft: Draft = {
    id,
    directorId,
    step: 'what',
    form: emptyForm(),
    accepted: [],
    appliedRevision: null,
    updatedAtMs: Date.now(),
  }
  await client.call('drafts.save', { draft })
  return id
}

/** The draft of a wizard: every entry is kept by the console core shortly after it is typed. */
export function useDraft(directorId: string, draftId: string): DraftInHand {
  const [draft, setDraft] = useState<Draft | null>(null)
  const [isFound, setFound] = useState(true)
  const [error, setError] = useState<WireError | null>(null)
  const latest = useRef<Draft | null>(null)
  const unsaved = useRef<ReturnType<typeof setTimeout> | null>(null)

  useEffect(() => {
    const stop = new AbortController()
    client.call('drafts.list', { directorId }, { signal: stop.signal }).then(
      (drafts) => {
        const found = drafts.find(({ id }) => id === draftId)
        latest.current = found ?? null
        setDraft(found ?? null)
        setFound(found !== undefined)
        setError(null)
      },
      (reason: unknown) => !stop.signal.aborted && setError(toWireError(reason)),
    )
    return () => stop.abort()
  }, [directorId, draftId])

  const flush = useCallback(async () => {
    if (unsaved.current === null || latest.current === null) return
    clearTimeout(unsaved.current)
    unsaved.current = null
    try {
      await client.call('drafts.save', { draft: latest.current })
      setError(null)
    } catch (reason) {
      setError(toWireError(reason))
    }
  }, [])

  const change = useCallback(
    (part: Partial<Omit<Draft, 'id' | 'directorId'>>) => {
      if (latest.current === null) return
      latest.current = { ...latest.current, ...part, updatedAtMs: Date.now() }
      setDraft(latest.current)
      if (unsaved.current !== null) clearTimeout(unsaved.current)
      unsaved.current = setTimeout(() => void flush(), saveDelayMs)
    },
    [flush],
  )
  const changeForm = useCallback(
    (part: Partial<ServiceForm>) => {
      if (latest.current !== null) change({ form: { ...latest.current.form, ...part } })
    },
    [change],
  )

  // A page that is left within the delay must not lose the last word.
  useEffect(() => {
    const keep = () => void flush()
    window.addEventListener('pagehide', keep)
    return () => {
      window.removeEventListener('pagehide', keep)
      keep()
    }
  }, [flush])

  return { draft, isFound, error, change, changeForm, flush }
}
