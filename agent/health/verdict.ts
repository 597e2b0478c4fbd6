import type { TcpCheck } from '../../core/model/health-check.ts'
import type { ProbeResult } from './tcp-probe.ts'

/** What checks have found out about one real server. */
export interface Verdict {
  /** Null: nothing known yet; the first result decides at once. */
  readonly isUp: boolean | null
  /** Results in a row that speak against `isUp`. */
  readonly against: number
}

export const unknown: Verdict = { isUp: null, against: 0 }

/** One result more. `fall` failures in a row bring a real server down, `rise` passes in a row bring it up. */
export function judge(verdict: Verdict, result: ProbeResult, { rise, fall }: Pick<TcpCheck, 'rise' | 'fall'>): Verdict {
  if (verdict.isUp === null) return { isUp: result.isUp, against: 0 }
  if (result.isUp === verdict.isUp) return { isUp: verdict.isUp, against: 0 }
  const against = verdict.against + 1
  return against >= (result.isUp ? rise : fall) ? { isUp: result.isUp, against: 0 } : { isUp: verdict.isUp, against }
}
