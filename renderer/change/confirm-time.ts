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
