import type { DirectorState } from '../../../core/contract/agent.ts'
import type { ConsoleContract } from '../../../core/contract/console.ts'
import type { OutputOf } from '../../../core/contract/define.ts'
import type { WireError } from '../../../core/contract/errors.ts'
import { type Member, wireErrorOf } from './member.ts'

type Row = OutputOf<ConsoleContract['clusters.failover']>[number]

interface Standing {
  readonly member: Member
  /** Null where nobody knows. */
  role: DirectorState['role'] | null
  error: WireError | null
}

/**
 * Makes `target` carry the VIPs. Nothing is done where the target, or another director that the operator does not call
 * dead, cannot be reached. The others lower theirs before the target raises them: for a moment nobody answers, which
 * clients bear; two owners they would not.
 */
export async function failOver(target: Member, others: readonly Member[], dead: ReadonlySet<string>): Promise<Row[]> {
  const standing = await Promise.all([...others, target].map(look))
  const here = standing.at(-1) as Standing
  const rest = standing.slice(0, -1)
  const isGivenUp = ({ member, error }: Standing) => error !== null && dead.has(member.id)
  if (standing.some((one) => one.error !== null && !isGivenUp(one))) return standing.map(rowOf)
  const lowered: Standing[] = []
  for (const one of rest) {
    if (one.role !== 'active') continue
    if (await turn(one, 'standby')) lowered.push(one)
    else if (!dead.has(one.member.id)) return undo(standing, lowered)
  }
  if (!(await turn(here, 'active'))) return undo(standing, lowered)
  return standing.map(rowOf)
}

const rowOf = ({ member, role, error }: Standing): Row => ({ directorId: member.id, role, error })

async function look(member: Member): Promise<Standing> {
  try {
    return { member, role: (await member.state()).role, error: null }
  } catch (error) {
    return { member, role: null, error: wireErrorOf(member, error) }
  }
}

async function turn(one: Standing, role: DirectorState['role']): Promise<boolean> {
  try {
    await one.member.setRole(role)
    one.role = role
    return true
  } catch (error) {
    // It may have been done before the answer was lost.
    one.role = null
    one.error = wireErrorOf(one.member, error)
    return false
  }
}

/** Who was active carries the VIPs again. */
async function undo(standing: readonly Standing[], lowered: readonly Standing[]): Promise<Row[]> {
  for (const one of lowered) await turn(one, 'active')
  return standing.map(rowOf)
}
