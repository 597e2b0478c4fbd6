import type { ServiceForm } from '../../../core/model/draft.ts'

/** The modes by the names that the console shows; what can be programmed is `dr` alone in this version. */
export const modes = ['dr', 'nat', 'tunnel', 'fullnat'] as const
export type Mode = (typeof modes)[number]

/** Why a mode fits or not: a key of `wizard.mode.reason.*` in the locales. */
export type ModeReason =
  | 'drFits'
  | 'drNeedsSameNetwork'
  | 'drKeepsPort'
  | 'drPreparesServers'
  | 'natMapsPorts'
  | 'natIsGateway'
  | 'tunnelCrossesRouters'
  | 'tunnelKeepsPort'
  | 'tunnelNoWindows'
  | 'fullnatNoPreparation'
  | 'fullnatHidesClient'
  | 'notProgrammed'

export interface ModeAdvice {
  mode: Mode
  /** Nothing that the answers say speaks against it. */
  fits: boolean
  /** This version's agent can program it. */
  isAvailable: boolean
  reasons: readonly ModeReason[]
}

type Answers = Pick<ServiceForm, 'placement' | 'needsClientAddress' | 'portsDiffer' | 'hasWindows'>

/**
 * The four modes, the best fit first. DR where it fits: its replies do not pass the director, so it carries the most;
 * then what fits with the least preparation.
 */
export function adviseModes(answers: Answers): ModeAdvice[] {
  const isNear = answers.placement === 'sameNetwork'
  const advice: ModeAdvice[] = [
    {
      mode: 'dr',
      fits: isNear && !answers.portsDiffer,
      isAvailable: true,
      reasons: [
        ...(isNear ? [] : (['drNeedsSameNetwork'] as const)),
        ...(answers.portsDiffer ? (['drKeepsPort'] as const) : []),
        ...(isNear && !answers.portsDiffer ? (['drFits', 'drPreparesServers'] as const) : []),
      ],
    },
    {
      mode: 'nat',
      fits: answers.placement !== 'otherSite',
      isAvailable: false,
      reasons: ['natMapsPorts', 'natIsGateway', 'notProgrammed'],
    },
    {
      mode: 'tunnel',
      fits: !answers.portsDiffer && !answers.hasWindows,
      isAvailable: false,
      reasons: [
        'tunnelCrossesRouters',
        ...(answers.portsDiffer ? (['tunnelKeepsPort'] as const) : []),
        ...(answers.hasWindows ? (['tunnelNoWindows'] as const) : []),
        'notProgrammed',
      ],
    },
    {
      mode: 'fullnat',
      fits: !answers.needsClientAddress,
      isAvailable: false,
      reasons: [
        'fullnatNoPreparation',
        ...(answers.needsClientAddress ? (['fullnatHidesClient'] as const) : []),
        'notProgrammed',
      ],
    },
  ]
  const order = isNear ? ['dr', 'nat', 'fullnat', 'tunnel'] : ['tunnel', 'fullnat', 'nat', 'dr']
  return advice.sort((a, b) => Number(b.fits) - Number(a.fits) || order.indexOf(a.mode) - order.indexOf(b.mode))
}
