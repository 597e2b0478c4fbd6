import { PlanRequest } from '../../core/contract/agent.ts'

/** Seconds that are offered. */
export const defaultConfirmWithin = '60'

/** Stands for "no confirmation wanted" where seconds are kept as typed; an empty field is a mistake, not this. */
export const neverReverts = 'never'

/** Seconds as typed: a number, null for "no confirmation wanted", or undefined where they are no time to wait. */
export function confirmSeconds(text: string): number | null | undefined {
  if (text === neverReverts) return null
  const seconds = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isInteger(seconds) && seconds >= 5 && seconds <= 3600 ? seconds : undefined
}

/** Seconds that removed real servers may drain, as offered first. */
export const defaultDrainSec = '10'

/** Seconds to drain as typed; undefined where they are none. The agent takes 0 to 90 (core/contract/agent.ts). */
export function drainSeconds(text: string): number | undefined {
  const parsed = PlanRequest.shape.drainSec.safeParse(text.trim() === '' ? Number.NaN : Number(text))
  return parsed.success ? parsed.data : undefined
}
