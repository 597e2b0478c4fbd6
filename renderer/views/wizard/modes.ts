import type { AgentHello } from '../../../core/contract/agent.ts'
import type { ForwardingMethod } from '../../../core/model/dataplane.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { dataplanesFor, presenceOf } from './choices.ts'

/** The modes that are offered for a whole service; `local` is a matter of one real server. */
export const modes = ['dr', 'nat', 'tun', 'fullnat'] as const satisfies readonly ForwardingMethod[]
export type Mode = (typeof modes)[number]

/** Why a mode fits or not: a key of `wizard.mode.reason.*` in the locales. */
export type ModeReason =
  | 'drFits'
  | 'drNeedsSameNetwork'
  | 'keepsPort'
  | 'natFits'
  | 'natMapsPorts'
  | 'natNeedsGateway'
  | 'tunFits'
  | 'tunNoWindows'
  | 'fullnatFits'
  | 'fullnatHidesClient'
  | 'noVip'

export interface ModeAdvice {
  readonly mode: Mode
  /** Nothing that the answers say speaks against it. */
  readonly fits: boolean
  readonly reasons: readonly ModeReason[]
  /** True where no dataplane of this director can do it. */
  readonly isMissing: boolean
  /** What FullNAT lacks on this director, as the agent says it. */
  readonly obstacle: string | null
}

type Answers = Pick<ServiceForm, 'matchBy' | 'placement' | 'needsClientAddress' | 'portsDiffer' | 'hasWindows'>

/**
 * The four modes, the best fit first. DR where it fits: its replies do not pass the director, so it carries the most;
 * then what fits with the least preparation.
 */
export function adviseModes(answers: Answers, hello: AgentHello | null): ModeAdvice[] {
  const isNear = answers.placement === 'sameNetwork'
  const against: Readonly<Record<Mode, readonly ModeReason[]>> = {
    dr: [...when(!isNear, 'drNeedsSameNetwork'), ...when(answers.portsDiffer, 'keepsPort')],
    nat: when(answers.placement === 'otherSite', 'natNeedsGateway'),
    tun: [...when(answers.portsDiffer, 'keepsPort'), ...when(answers.hasWindows, 'tunNoWindows')],
    fullnat: [
      ...when(answers.needsClientAddress, 'fullnatHidesClient'),
      ...when(answers.matchBy === 'fwmark', 'noVip'),
    ],
  }
  const inFavour: Readonly<Record<Mode, ModeReason>> = {
    dr: 'drFits',
    nat: answers.portsDiffer ? 'natMapsPorts' : 'natFits',
    tun: 'tunFits',
    fullnat: 'fullnatFits',
  }
  const order: readonly Mode[] = isNear ? ['dr', 'nat', 'fullnat', 'tun'] : ['tun', 'fullnat', 'nat', 'dr']
  return order
    .map((mode): ModeAdvice => {
      const fits = against[mode].length === 0
      return {
        mode,
        fits,
        reasons: fits ? [inFavour[mode]] : against[mode],
        isMissing: dataplanesFor(mode).every((name) => presenceOf(name, hello) === 'missing'),
        obstacle: mode === 'fullnat' ? (hello?.ipvs.fullnatObstacle ?? null) : null,
      }
    })
    .toSorted((a, b) => Number(b.fits) - Number(a.fits))
}

const when = (isSo: boolean, reason: ModeReason): ModeReason[] => (isSo ? [reason] : [])
