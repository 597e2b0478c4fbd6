/** Steps that people count in. */
const steps = [1, 2, 2.5, 5, 10] as const

/** Round values from zero to just above `max`, three to five of them; 0 and 1 where there is nothing to show. */
export function niceTicks(max: number): number[] {
  if (!(max > 0)) return [0, 1]
  const rough = max / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = (steps.find((one) => one * power >= rough) ?? 10) * power
  const count = Math.ceil(max / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, i) => i * step)
}
