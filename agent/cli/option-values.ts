import { InvalidArgumentError } from 'commander'
import { NewFlows } from '../../core/model/observed.ts'

/** An option that may be given several times. */
export const collect = (value: string, before: readonly string[]): string[] => [...before, value]

export function roleName(text: string): 'active' | 'standby' {
  if (text === 'active' || text === 'standby') return text
  throw new InvalidArgumentError(`Found ${JSON.stringify(text)}, expected active or standby.`)
}

export function newFlowsName(text: string): NewFlows {
  const parsed = NewFlows.safeParse(text)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError(`Found ${JSON.stringify(text)}, expected ${NewFlows.options.join(' or ')}.`)
}

/** A whole number within bounds; commander names the option in front of the message. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Found ${JSON.stringify(text)}, expected a whole number from ${min} to ${max}.`)
    }
    return value
  }

export function formatName(text: string): string {
  if (text !== 'yaml' && text !== 'json') {
    throw new InvalidArgumentError(`Found ${JSON.stringify(text)}, expected yaml or json.`)
  }
  return text
}
