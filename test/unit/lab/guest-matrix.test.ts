import { expect, test } from 'vitest'
import { allCells, cellName } from '../../guest/support/cells.ts'
import { coverPairs } from '../../guest/support/pairwise.ts'
import { disagreements, resultTable, tableIn, withTable } from '../../guest/support/result-table.ts'

test('a pairwise choice holds every pair that occurs, in far fewer cells', () => {
  const colours = ['red', 'green', 'blue']
  const cells = colours.flatMap((colour) => colours.flatMap((edge) => colours.map((fill) => ({ colour, edge, fill }))))
  const chosen = coverPairs(cells)
  expect(chosen.length).toBeLessThan(15)
  for (const [a, b] of [
    ['colour', 'edge'],
    ['colour', 'fill'],
    ['edge', 'fill'],
  ] as const) {
    expect(new Set(chosen.map((cell) => `${cell[a]} ${cell[b]}`)).size).toBe(9)
  }
})

test('the matrix has every way to balance once', () => {
  // 8 modes in 2 families, 3 of them tunnels in 2 more; 3 protocols, 13 schedulers.
  expect(allCells).toHaveLength((8 * 2 + 3 * 2) * 3 * 13)
  expect(new Set(allCells.map(cellName)).size).toBe(allCells.length)
})

test('a table of results is read back as it was written, and each difference is named', () => {
  const results = new Map(allCells.map((cell) => [cellName(cell), 'pass']))
  results.set('dr, ipv6, udp, mh', '3 of 8 failed: answer timeout')
  const document = withTable(
    'before\n<!-- traffic matrix: begin -->\nold\n<!-- traffic matrix: end -->\nafter',
    resultTable(results),
  )
  expect(document.startsWith('before')).toBe(true)
  expect(document.endsWith('after')).toBe(true)
  expect(disagreements(tableIn(document), results)).toEqual([])
  const others = new Map([
    ['dr, ipv6, udp, mh', 'pass'],
    ['nat, ipv4, tcp, rr', 'shares 5:3'],
  ])
  expect(disagreements(tableIn(document), others)).toEqual([
    'dr, ipv6, udp, mh: the table says 3 of 8 failed: answer timeout, the run pass',
    'nat, ipv4, tcp, rr: the table says pass, the run shares 5:3',
  ])
})
