import { InvalidArgumentError } from 'commander'

/** Reads a whole number within bounds; commander names the option in front of the message. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`found "${text}", expected a whole number from ${min} to ${max}.`)
    }
    return value
  }
