/** Colours with their dash: lines are told apart without colour too. */
export const lineStyles = [
  { color: 'var(--sb-series-1)', dash: undefined },
  { color: 'var(--sb-series-2)', dash: '5 3' },
  { color: 'var(--sb-series-3)', dash: '2 2' },
  { color: 'var(--sb-series-4)', dash: '8 3 2 3' },
] as const
