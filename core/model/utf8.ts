import type { Issue } from './issue.ts'
import type { Parsed } from './cluster-spec.ts'

const decodeStrictly = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)

/**
 * A file's bytes as text. Bytes that are no UTF-8 are refused with their line: replaced without a word, they would make
 * another name than the file has.
 */
export function textOfBytes(bytes: Uint8Array): Parsed<string> {
  try {
    return { ok: true, value: decodeStrictly(bytes) }
  } catch {
    const issue: Issue = {
      path: [],
      found: 'bytes that are not UTF-8',
      expectation: 'syntax',
      params: { what: 'text in UTF-8' },
      line: lineOfBadByte(bytes),
    }
    return { ok: false, issues: [issue] }
  }
}

const lineFeed = 0x0a

/** No character of UTF-8 but the line feed itself has the byte of a line feed, so each line can be tried alone. */
function lineOfBadByte(bytes: Uint8Array): number {
  for (let line = 1, start = 0; ; line++) {
    const end = bytes.indexOf(lineFeed, start)
    try {
      decodeStrictly(bytes.subarray(start, end === -1 ? bytes.length : end))
    } catch {
      return line
    }
    if (end === -1) return line
    start = end + 1
  }
}
