import type { ConsoleContract } from '../../../core/contract/console.ts'
import type { OutputOf } from '../../../core/contract/define.ts'
import { AppError } from '../../../core/contract/errors.ts'
import { type Member, wireErrorOf } from './member.ts'

type Settled = OutputOf<ConsoleContract['clusters.settle']>[number]

interface Waiting {
  readonly member: Member
  /** Revision that awaits its confirmation; null where none does. */
  readonly revision: number | null
  readonly error: Settled['error']
}

/**
 * Confirms on all or on none, as far as that can be known before: a director that cannot be reached, or that awaits
 * nothing any more, keeps the others from being confirmed.
 */
export async function confirmAll(members: readonly Member[]): Promise<Settled[]> {
  const waiting = await Promise.all(members.map(whatWaits))
  const lacking = waiting.map((one) => one.error ?? (one.revision === null ? nothingWaits(one.member) : null))
  if (lacking.some((error) => error !== null)) {
    return waiting.map(({ member }, i) => ({
      directorId: member.id,
      outcome: 'untouched',
      error: lacking[i] ?? null,
    }))
  }
  return Promise.all(waiting.map((one) => settle(one, 'confirmed')))
}

/** Takes back wherever it can be taken back; what awaits nothing is as it was. */
export async function revertAll(members: readonly Member[]): Promise<Settled[]> {
  const waiting = await Promise.all(members.map(whatWaits))
  return Promise.all(waiting.map((one) => settle(one, 'reverted')))
}

async function whatWaits(member: Member): Promise<Waiting> {
  try {
    const { progress } = await member.settledState()
    return { member, revision: progress?.revision ?? null, error: null }
  } catch (error) {
    return { member, revision: null, error: wireErrorOf(member, error) }
  }
}

const nothingWaits = (member: Member): Settled['error'] =>
  wireErrorOf(member, new AppError('NOT_FOUND', `${member.name}: no revision awaits its confirmation.`))

async function settle({ member, revision, error }: Waiting, outcome: 'confirmed' | 'reverted'): Promise<Settled> {
  const directorId = member.id
  if (error !== null || revision === null) return { directorId, outcome: 'untouched', error }
  try {
    if (outcome === 'confirmed') await member.confirm(revision)
    else {
      const { failure } = await member.revert(revision)
      if (failure !== null) throw new AppError('KERNEL', `${member.name} could not be taken back: ${failure.message}`)
    }
    return { directorId, outcome, error: null }
  } catch (problem) {
    return { directorId, outcome: 'untouched', error: wireErrorOf(member, problem) }
  }
}
