import type { ApplyRequest, DirectorState } from '../../../core/contract/agent.ts'
import type { ClusterJob, ClusterMember } from '../../../core/contract/clusters.ts'
import { AppError } from '../../../core/contract/errors.ts'
import { checkAll } from './check.ts'
import { isUnanswered, type Member, wireErrorOf } from './member.ts'

/** How long a director that was lost in the middle may take to be there again, to be taken back. */
const patienceMs = 30_000

export type ClusterApply = Pick<ApplyRequest, 'spec' | 'adopt' | 'drainSec' | 'confirmWithinSec' | 'message'> & {
  readonly baseRevisions: Readonly<Record<string, number>>
}

/** Where the apply says how far it is. */
export interface Report {
  member(directorId: string, change: Partial<Omit<ClusterMember, 'directorId'>>): void
  state(state: ClusterJob['state']): void
}

/** A director with what it had before. */
interface Before {
  readonly member: Member
  readonly former: DirectorState
}

/**
 * Applies one document to several directors: checks all, applies one after the other, and takes back at the first
 * failure what was applied, last one first. Never rejects: what happened stands in the report.
 */
export async function applyToAll(members: readonly Member[], wanted: ClusterApply, report: Report): Promise<void> {
  report.state('checking')
  for (const { id } of members) report.member(id, { phase: 'checking' })
  const { spec, adopt, drainSec } = wanted
  const checks = await checkAll(members, { spec, adopt, drainSec }, (member, former) =>
    refuseOutdated(member, former, wanted.baseRevisions[member.id]),
  )
  for (const check of checks) {
    const { member, error } = check
    if (error !== null) report.member(member.id, { phase: 'refused', error })
    else report.member(member.id, { phase: 'checked', steps: check.plan.steps.length })
  }
  const checked = checks.filter((one) => one.error === null)
  if (checked.length < members.length) return report.state('refused')
  report.state('applying')
  const applied: Before[] = []
  for (const one of checked) {
    const outcome = await applyTo(one, wanted, report)
    if (outcome === 'applied') {
      applied.push(one)
      continue
    }
    report.state('takingBack')
    const changed = outcome === 'nothing' ? applied : [...applied, one]
    let isClean = outcome !== 'stuck'
    for (const back of changed.toReversed()) {
      if (back === one && outcome === 'stuck') continue
      isClean = (await takeBack(back, one.member.name, wanted, report)) && isClean
    }
    return report.state(isClean ? 'takenBack' : 'notTakenBack')
  }
  report.state('applied')
}

function refuseOutdated({ name }: Member, { revision, progress }: DirectorState, base: number | undefined): void {
  if (progress !== null) {
    throw new AppError('BUSY', `${name}: revision ${progress.revision} is running or awaits its confirmation.`, {
      retryable: true,
    })
  }
  if (revision !== base) {
    const made = base === undefined ? 'without its revision' : `on revision ${base}`
    throw new AppError('CONFLICT', `${name} is at revision ${revision} by now; the change was made ${made}.`)
  }
}

/**
 * What an apply left on a director: the document, nothing, something that must be taken back, or something that the
 * director itself could not take back.
 */
type Outcome = 'applied' | 'nothing' | 'something' | 'stuck'

async function applyTo({ member, former }: Before, wanted: ClusterApply, report: Report): Promise<Outcome> {
  report.member(member.id, { phase: 'applying' })
  const { spec, adopt, drainSec, confirmWithinSec, message } = wanted
  try {
    const result = await member.apply({
      spec,
      adopt,
      drainSec,
      confirmWithinSec,
      message,
      baseRevision: former.revision,
      protectedAddresses: [],
    })
    const { failure, drift } = result
    if (failure !== null) {
      const error = new AppError('KERNEL', `${member.name}: ${failure.message}`, {
        details: failure.errno === null ? {} : { errno: failure.errno },
      })
      const phase = failure.rolledBack ? 'failed' : 'notTakenBack'
      report.member(member.id, { phase, result, error: wireErrorOf(member, error) })
      return failure.rolledBack ? 'nothing' : 'stuck'
    }
    if (drift.length > 0) {
      const message = `${member.name}: all steps were done, and ${drift.length} are still wanted.`
      report.member(member.id, {
        phase: 'failed',
        result,
        error: wireErrorOf(member, new AppError('KERNEL', message, { hint: 'Look at its drift under Changes.' })),
      })
      return 'something'
    }
    report.member(member.id, { phase: 'applied', result })
    return 'applied'
  } catch (error) {
    report.member(member.id, { phase: 'failed', error: wireErrorOf(member, error) })
    return isUnanswered(error) ? 'something' : 'nothing'
  }
}

/** Looks at what the director has now, and brings back what it had. False where that could not be done. */
async function takeBack(
  { member, former }: Before,
  culprit: string,
  wanted: ClusterApply,
  report: Report,
): Promise<boolean> {
  report.member(member.id, { phase: 'takingBack' })
  try {
    await member.comeBack(patienceMs)
    const now = await member.settledState()
    if (now.progress !== null) refuseFailure(member, await member.revert(now.progress.revision))
    else if (now.digest !== former.digest) {
      const result = await member.apply({
        spec: former.spec,
        adopt: [],
        drainSec: 0,
        baseRevision: now.revision,
        confirmWithinSec: null,
        message: `Back to revision ${former.revision}: the change failed on ${culprit}`.slice(0, 500),
        protectedAddresses: [],
      })
      refuseFailure(member, result)
    }
    report.member(member.id, { phase: 'takenBack' })
    return true
  } catch (error) {
    const wire = wireErrorOf(member, error)
    const hint =
      wanted.confirmWithinSec === null
        ? `It may run the new document. Bring it in line when it answers again.`
        : `It reverts by itself ${wanted.confirmWithinSec} s after it was applied, unless somebody confirms it there.`
    report.member(member.id, { phase: 'notTakenBack', error: { ...wire, hint } })
    return false
  }
}

function refuseFailure({ name }: Member, { failure }: Awaited<ReturnType<Member['apply']>>): void {
  if (failure !== null) throw new AppError('KERNEL', `${name} could not be taken back: ${failure.message}`)
}
