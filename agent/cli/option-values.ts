import { InvalidArgumentError } from 'commander'

/** An option that may be given several times. */
export const collect = (value: string, before: readonly string[]): string[] => [...before, value]

export function roleName(text: string): 'active' | 'standby' {
  if (text === 'active' || text === 'standby') return text
  throw new InvalidArgumentError(`Found ${JSON.stringify(text)}, expected active or standby.`)
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`Found ${JSON.stringify(text)}, expected a whole number.`)
  return Number(text)
}

export function formatName(text: string): string {
  if (text !== 'yaml' && text !== 'json') {
    throw new InvalidArgumentError(`Found ${JSON.stringify(text)}, expected yaml or json.`)
  }
  return text
}
