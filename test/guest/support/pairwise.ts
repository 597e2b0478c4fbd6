// A small choice of cells in which every pair of two fields' values that occurs together at all occurs at least once.

type Fields = Readonly<Record<string, string>>

const pairsOf = (cell: Fields): string[] => {
  const fields = Object.entries(cell)
  return fields.flatMap(([name, value], i) =>
    fields.slice(i + 1).map(([other, otherValue]) => `${name}=${value} ${other}=${otherValue}`),
  )
}

/** Takes the cell with the most pairs that are new, again and again; the same cells for the same input. */
export function coverPairs<T extends Fields>(cells: readonly T[]): T[] {
  const candidates = cells.map((cell) => ({ cell, pairs: pairsOf(cell) }))
  const missing = new Set(candidates.flatMap(({ pairs }) => pairs))
  const chosen: T[] = []
  while (missing.size > 0) {
    let best = candidates[0]
    let most = 0
    for (const candidate of candidates) {
      const news = candidate.pairs.filter((pair) => missing.has(pair)).length
      if (news > most) [best, most] = [candidate, news]
    }
    if (best === undefined) break
    chosen.push(best.cell)
    for (const pair of best.pairs) missing.delete(pair)
  }
  return chosen
}
