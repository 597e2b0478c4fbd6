// What is said about many runs of one thing.

export const median = (values: readonly number[]): number => {
  const middle = values.toSorted((a, b) => a - b)[values.length >> 1]
  if (middle === undefined) throw new RangeError('a median of nothing')
  return middle
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
})

/** Median of the ratios pair by pair: the machine's speed drifts, and what ran beside each other shares it. */
export const ratioOf = (above: readonly number[], below: readonly number[]): number =>
  median(above.map((value, i) => value / (below[i] ?? Number.NaN)))

/** Two decimals, as a number. */
export const rounded = (value: number): number => Math.round(value * 100) / 100
