import type { DirectorState, PlanRequest } from '../../../core/contract/agent.ts'
import type { WireError } from '../../../core/contract/errors.ts'
import type { Plan } from '../../../core/model/plan.ts'
import { type Member, wireErrorOf } from './member.ts'

export type Checked =
  | { readonly member: Member; readonly former: DirectorState; readonly plan: Plan; readonly error: null }
  | { readonly member: Member; readonly error: WireError }

/**
 * Asks every director what it has and what the document would do there.
 *
 * @param refuse throws where a director must not get it, by what it has now
 */
export async function checkAll(
  members: readonly Member[],
  wanted: Pick<PlanRequest, 'spec' | 'adopt' | 'drainSec'>,
  refuse: (member: Member, former: DirectorState) => void = () => {},
): Promise<Checked[]> {
  const checked = await Promise.all(
    members.map(async (member): Promise<Checked> => {
      try {
        const former = await member.state()
        refuse(member, former)
        return { member, former, plan: await member.plan({ ...wanted, protectedAddresses: [] }), error: null }
      } catch (error) {
        return { member, error: wireErrorOf(member, error) }
      }
    }),
  )
  return withoutSecondOwners(checked, wanted)
}

/**
 * Two active directors would both answer ARP for a VIP. Those after the first are refused, unless routers see to it:
 * then several owners are what is wanted.
 */
function withoutSecondOwners(checked: readonly Checked[], { spec }: Pick<PlanRequest, 'spec'>): Checked[] {
  const vip = spec.services.find((service) => service.announce === 'arp' && service.vip !== undefined)?.vip
  const [first, ...others] = checked.filter((one) => one.error === null && one.former.role === 'active')
  if (vip === undefined || first === undefined) return [...checked]
  return checked.map((one) => {
    if (!others.includes(one)) return one
    const message = `${one.member.name} and ${first.member.name} are both active: both would answer for ${vip}.`
    const hint = 'Make one of them active under Hosts: the others become standby.'
    return { member: one.member, error: { code: 'REFUSED', message, hint } }
  })
}
