/** What a figure counts; decides the prefix and the unit that stands beside it. */
export type Unit = 'connections/s' | 'packets/s' | 'bit/s' | 'connections' | 'ms'

const prefixes = [
  { factor: 1e12, symbol: 'T' },
  { factor: 1e9, symbol: 'G' },
  { factor: 1e6, symbol: 'M' },
  { factor: 1e3, symbol: 'k' },
] as const

const decimals = new Map<string, Intl.NumberFormat>()

/** Making a format costs a hundred times its use, and tables use them by the hundred each second. */
function decimal(language: string, digits: number): Intl.NumberFormat {
  const key = `${language} ${digits}`
  const known = decimals.get(key)
  if (known !== undefined) return known
  const made = new Intl.NumberFormat(language, { maximumFractionDigits: digits })
  decimals.set(key, made)
  return made
}

export interface Scale {
  readonly factor: number
  /** SI prefix, empty below 1,000. */
  readonly symbol: string
}

/** The SI prefix that suits the greatest value of an axis, so that one axis has one unit. */
export function scaleFor(max: number): Scale {
  // 999.95 would be rounded to 1000.0: the next prefix starts there.
  return prefixes.find(({ factor }) => Math.abs(max) >= factor * 0.99995) ?? { factor: 1, symbol: '' }
}

/** Digits that keep three significant ones: 1.23, 12.3, 123. */
function digitsFor(value: number): number {
  const size = Math.abs(value)
  if (size === 0 || size >= 99.95) return 0
  return size >= 9.995 ? 1 : 2
}

/** `12.3` in the given scale, with the digits of the language; no unit. */
export function formatScaled(value: number, scale: Scale, language = 'en'): string {
  const scaled = value / scale.factor
  const digits = scale.factor === 1 && Number.isInteger(scaled) ? 0 : digitsFor(scaled)
  return decimal(language, digits).format(scaled)
}

/** `12.3 k` for one figure on its own. */
export function formatSi(value: number, language = 'en'): string {
  const scale = scaleFor(value)
  const digits = formatScaled(value, scale, language)
  return scale.symbol === '' ? digits : `${digits} ${scale.symbol}`
}

/** `12.3 kbit/s`: the prefix is part of the unit. */
export function formatWithUnit(value: number, unit: string, language = 'en'): string {
  const scale = scaleFor(value)
  // Bits take the prefix on the unit, as data sheets do; counts keep it on the number: 12.3 k connections/s.
  return unit === 'bit/s'
    ? `${formatScaled(value, scale, language)} ${scale.symbol}${unit}`
    : `${formatSi(value, language)} ${unit}`
}

export function formatCount(value: number, language = 'en'): string {
  return decimal(language, 3).format(value)
}

/** `33.3 %`; one digit below 10, so that 0.4 % is not 0 %. */
export function formatShare(share: number, language = 'en'): string {
  const percent = share * 100
  const digits = percent !== 0 && Math.abs(percent) < 9.95 ? 1 : 0
  return `${decimal(language, digits).format(percent)} %`
}

/** `1.2 ms`, `340 ms`. */
export function formatMs(ms: number, language = 'en'): string {
  const digits = ms < 10 ? 1 : 0
  return `${decimal(language, digits).format(ms)} ms`
}

/** `34 MB`: decimal, as file sizes of downloads are given. */
export function formatBytes(bytes: number, language = 'en'): string {
  const scale = scaleFor(bytes)
  return `${formatScaled(bytes, scale, language)} ${scale.symbol}B`
}
