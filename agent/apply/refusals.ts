import { AppError } from '../../core/contract/errors.ts'
import type { Author } from '../../core/model/revision.ts'
import type { RevisionStore } from '../store.ts'

const nameOf = (author: Author): string => `${author.user} (${author.via}, ${author.from})`

/** The operator looked at another revision than the newest: somebody was first. */
export function outdatedBase(baseRevision: number, store: RevisionStore): AppError {
  const current = store.current()
  // A base that is no longer accepted was taken back: then who took it, or whose it was, is the last word.
  const winner = baseRevision < current.revision ? current : (store.get(store.newestNumber()) ?? current)
  return new AppError(
    'CONFLICT',
    `The change is based on revision ${baseRevision}, but revision ${current.revision} is in force; the last change is revision ${winner.revision} by ${nameOf(winner.author)}.`,
    {
      hint: 'Compare both documents, then apply on the newest revision.',
      details: {
        winner: winner.author.user,
        winnerFrom: winner.author.from,
        winnerVia: winner.author.via,
        winnerRevision: String(winner.revision),
        currentRevision: String(current.revision),
      },
    },
  )
}

export const alreadyApplying = (): AppError =>
  new AppError('BUSY', 'Another apply is running on this director.', { retryable: true })

export const awaitsConfirmation = (revision: number, author: Author | undefined): AppError =>
  new AppError(
    'BUSY',
    `Revision ${revision}${author === undefined ? '' : ` by ${nameOf(author)}`} awaits its confirmation.`,
    { hint: 'Confirm it or revert it first.', retryable: true, details: { revision: String(revision) } },
  )

export const notAwaited = (revision: number, pending: number | null): AppError =>
  new AppError(
    'NOT_FOUND',
    pending === null
      ? `Revision ${revision} does not await a confirmation: none does.`
      : `Revision ${revision} does not await a confirmation; revision ${pending} does.`,
  )
