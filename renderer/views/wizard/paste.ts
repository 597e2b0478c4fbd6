import type { ServiceForm } from '../../../core/model/draft.ts'

type Row = ServiceForm['realServers'][number]

/** One pasted line that could not be read; `line` counts from 1. */
export interface UnreadLine {
  line: number
  text: string
}

const linePattern = /^(?<address>[^\s:,;]+)(?::(?<port>[^\s:,;]+))?(?:[\s,;]+(?<weight>[^\s,;]+))?$/

/**
 * Reads lines such as `192.0.2.21:80 3` (address, port and weight; the last two may be missing) as rows of the form.
 * Blank lines and lines after `#` are left out. Values are not judged here: a wrong port becomes a row whose field shows
 * the error, so that nothing pasted is lost.
 */
export function rowsOfPaste(text: string, newId: () => string): { rows: Row[]; unread: UnreadLine[] } {
  const rows: Row[] = []
  const unread: UnreadLine[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const content = line.replace(/#.*/, '').trim()
    if (content === '') continue
    const found = linePattern.exec(content)?.groups
    if (found?.['address'] === undefined) unread.push({ line: i + 1, text: content })
    else {
      rows.push({
        id: newId(),
        address: found['address'],
        port: found['port'] ?? '',
        weight: found['weight'] ?? '',
        name: '',
        access: { kind: 'direct' },
      })
    }
  }
  return { rows, unread }
}
