import type { ClockPort } from './ports.ts'

const maxLines = 500
const maxLineLength = 2000

/** What was said and done on one connection: the last lines, for copying. Secrets that were given never show in it. */
export interface ConnectionLog {
  add(line: string): void
  /** From now on this text is written as `[secret]`. */
  hide(secret: string): void
  text(): string
}

export function connectionLog(clock: ClockPort): ConnectionLog {
  const lines: string[] = []
  const secrets = new Set<string>()
  return {
    add(line) {
      let text = line
      for (const secret of secrets) text = text.replaceAll(secret, '[secret]')
      const oneLine = text.replaceAll(/\s*\n\s*/g, ' | ').slice(0, maxLineLength)
      lines.push(`${new Date(clock.nowMs()).toISOString()} ${oneLine}`)
      if (lines.length > maxLines) lines.shift()
    },
    hide(secret) {
      // Too short to be told from ordinary text; such a secret is never put into a line in the first place.
      if (secret.length >= 4) secrets.add(secret)
    },
    text: () => lines.map((line) => `${line}\n`).join(''),
  }
}
