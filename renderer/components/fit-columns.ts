interface Sized {
  readonly width?: number
  readonly least?: number
  readonly isOptional?: boolean
}

/** The least that a column without a width is worth, unless it says so itself. */
const leastFlexible = 170

export const widthOf = (columns: readonly Sized[]): number =>
  columns.reduce((sum, { width, least }) => sum + (width ?? least ?? leastFlexible), 0)

/** The columns that fit; those that are not optional stay and scroll. */
export function fitting<C extends Sized>(columns: readonly C[], available: number): readonly C[] {
  let kept = columns
  while (available > 0 && widthOf(kept) > available) {
    const dropped = kept.findLast(({ isOptional }) => isOptional === true)
    if (dropped === undefined) break
    kept = kept.filter((column) => column !== dropped)
  }
  return kept
}
