import { appendFileSync, chmodSync, renameSync, statSync } from 'node:fs'
import { redactText } from '../../core/rpc/redact.ts'

const maxBytes = 2 * 1024 * 1024

/**
 * The console's own log: lines with UTC time, redacted, readable by its owner only. At two megabytes it starts anew and
 * the old one is kept as `<file>.1`.
 */
export function openLogFile(file: string): (line: string) => void {
  let bytes = sizeOf(file)
  if (bytes > 0) chmodSync(file, 0o600)
  return (line) => {
    const text = `${new Date().toISOString()} ${redactText(line)}\n`
    if (bytes + text.length > maxBytes) {
      renameSync(file, `${file}.1`)
      bytes = 0
    }
    // At once, so that the last line before a crash is there.
    appendFileSync(file, text, { mode: 0o600 })
    bytes += Buffer.byteLength(text)
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
