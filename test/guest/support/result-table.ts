// What a run has found, as the table of docs/testing.md: a row for each mode and family, a column for each scheduler.
import { allCells, type Cell, cellName, guestSchedulers, protocols } from './cells.ts'

/** What each cell came to, by its name: `pass`, or what was found. */
export type Results = ReadonlyMap<string, string>

const begin = '<!-- traffic matrix: begin -->'
const end = '<!-- traffic matrix: end -->'

const row = (words: readonly string[]): string => `| ${words.join(' | ')} |`

/** All protocols of one field; the table is dense where all is well. */
function field(cells: readonly Cell[], results: Results): string {
  const words = cells.map((cell) => [cell.protocol.toUpperCase(), results.get(cellName(cell)) ?? 'not run'] as const)
  const whole = words.every(([, result]) => result === 'pass')
  return whole ? 'pass' : words.map(([protocol, result]) => `${protocol}: ${result}`).join('; ')
}

export function resultTable(results: Results): string {
  const rows = Map.groupBy(allCells, ({ mode, family }) => `${mode}|${family}`)
  const lines = [...rows].map(([name, cells]) => {
    const [mode = '', family = ''] = name.split('|')
    const fields = guestSchedulers.map((scheduler) =>
      field(
        cells.filter((cell) => cell.scheduler === scheduler),
        results,
      ),
    )
    return row([mode, family, ...fields])
  })
  return [
    row(['mode', 'family', ...guestSchedulers]),
    row(['---', '---', ...guestSchedulers.map(() => '---')]),
    ...lines,
  ].join('\n')
}

/** The table between its marks in a document; throws where it is not there. */
export function tableIn(document: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the document has no table between ${begin} and ${end}`)
  return document.slice(from + begin.length, to).trim()
}

export const withTable = (document: string, table: string): string => document.replace(tableIn(document), () => table)

/** Cells that the run has tried and of which the table says something else than the run. */
export function disagreements(table: string, results: Results): string[] {
  const [head = '', , ...lines] = table.split('\n')
  const words = (line: string): string[] =>
    line
      .split('|')
      .map((word) => word.trim())
      .slice(1, -1)
  const columns = words(head)
  const told = new Map<string, string>()
  for (const line of lines) {
    const [mode, family, ...fields] = words(line)
    for (const [i, text] of fields.entries()) {
      for (const protocol of protocols) {
        const own = text.split('; ').find((part) => part.startsWith(`${protocol.toUpperCase()}: `))
        const result = own === undefined ? text : own.slice(protocol.length + 2)
        told.set(`${mode}, ${family}, ${protocol}, ${columns[i + 2]}`, result)
      }
    }
  }
  return [...results]
    .filter(([name, result]) => told.get(name) !== result)
    .map(([name, result]) => `${name}: the table says ${told.get(name) ?? 'nothing'}, the run ${result}`)
}
