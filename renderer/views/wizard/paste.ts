import type { RealServerForm } from '../../../core/model/draft.ts'
import { emptyRow } from './form.ts'

/** One pasted line that could not be read; `line` counts from 1. */
export interface UnreadLine {
  line: number
  text: string
}

/** An IPv6 address stands in brackets, or alone where no port follows: two colons or more tell it. */
const address = String.raw`(?:\[(?<inBrackets>[^\]\s]+)\]|(?<bare>[^\s,;[\]]*:[^\s,;]*:[^\s,;]*)|(?<plain>[^\s:,;[\]]+))`
const linePattern = new RegExp(String.raw`^${address}(?::(?<port>[^\s:,;]+))?(?:[\s,;]+(?<weight>[^\s,;]+))?$`)

/**
 * Reads lines such as `192.0.2.21:80 3` or `[2001:db8::1]:80 3` (address, port and weight; the last two may be missing)
 * as rows of the form. Blank lines and lines after `#` are left out. Values are not judged here: a wrong port becomes a
 * row whose field shows the error, so that nothing pasted is lost.
 */
export function rowsOfPaste(text: string, newId: () => string): { rows: RealServerForm[]; unread: UnreadLine[] } {
  const rows: RealServerForm[] = []
  const unread: UnreadLine[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const content = line.replace(/#.*/, '').trim()
    if (content === '') continue
    const found = linePattern.exec(content)?.groups
    const own = found?.['inBrackets'] ?? found?.['bare'] ?? found?.['plain']
    if (own === undefined) unread.push({ line: i + 1, text: content })
    else {
      rows.push({
        ...emptyRow(newId()),
        address: own,
        port: found?.['port'] ?? '',
        weight: found?.['weight'] ?? '',
      })
    }
  }
  return { rows, unread }
}
