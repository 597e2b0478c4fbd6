/**
 * Names whose values never reach a log: whole words of a camelCase, snake_case or kebab-case name. `key` counts only at
 * the end (`privateKey`), so that `keyFile` and `keyType`, which help and tell nothing, stay readable.
 */
const secretName =
  /(^|_)(passwords?|passphrases?|passwd|pwd|tokens?|secrets?|cookies?|credentials?|authorization)(_|$)|(^|_)keys?$/

/** The same in running text: `token=…`, `"password": "…"`, `cookie: …`. */
const secretInText =
  /((?:password|passphrase|passwd|token|secret|cookie|authorization|private[_-]?key|api[_-]?key)s?["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&,;"']+)/gi
const privateKeyBlock = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g

const hidden = '[redacted]'
const maxDepth = 12

const words = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase()

/**
 * The value as a log may have it: a copy in which everything under a secret's name is hidden, in objects as in text.
 * Every log of every program goes through here, and there is no way to turn it off.
 */
export function redact(value: unknown): unknown {
  return redactAt(value, 0)
}

/** {@link redact} for a line of text. */
export function redactText(text: string): string {
  return text.replace(privateKeyBlock, hidden).replace(secretInText, `$1${hidden}`)
}

function redactAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= maxDepth) return '[nested deeper]'
  if (value instanceof Error) return redactText(`${value.name}: ${value.message}`)
  if (Array.isArray(value)) return value.map((item) => redactAt(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      secretName.test(words(name)) ? hidden : redactAt(item, depth + 1),
    ]),
  )
}
