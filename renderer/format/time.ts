/** `+02:00`, `-02:30`, `+00:00`: the offset of a zone at an instant. */
export function zoneOffset(atMs: number, timeZone?: string): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(atMs)
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const offset = name.replace('GMT', '').replace('−', '-')
  return offset === '' ? '+00:00' : offset
}

export type Zone = 'local' | 'utc'

const digits = '2-digit' as const
/** Made once: a format costs far more than its use. */
const formatsOf = (timeZone: string | undefined) => ({
  clock: new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: digits,
    minute: digits,
    second: digits,
    hourCycle: 'h23',
  }),
  minutes: new Intl.DateTimeFormat('en-GB', { timeZone, hour: digits, minute: digits, hourCycle: 'h23' }),
  day: new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: digits, day: digits }),
})
const formats = { local: formatsOf(undefined), utc: formatsOf('UTC') } as const

/** `14:02:07`, by the workstation's zone or UTC. */
export function formatClock(atMs: number, zone: Zone, hasSeconds = true): string {
  return formats[zone][hasSeconds ? 'clock' : 'minutes'].format(atMs)
}

/** `2026-03-05`, by the workstation's zone or UTC. */
export function formatDay(atMs: number, zone: Zone): string {
  return formats[zone].day.format(atMs)
}

/** `2026-03-05 14:02:07 -02:30`: unambiguous, sortable, in one zone. */
export function formatInstant(atMs: number, zone: Zone): string {
  const offset = zone === 'utc' ? 'UTC' : zoneOffset(atMs)
  return `${formatDay(atMs, zone)} ${formatClock(atMs, zone)} ${offset}`
}

/** Time alone for today, day and time otherwise. */
export function formatShort(atMs: number, zone: Zone, nowMs: number): string {
  const isToday = formatDay(atMs, zone) === formatDay(nowMs, zone)
  return isToday ? formatClock(atMs, zone) : `${formatDay(atMs, zone)} ${formatClock(atMs, zone, false)}`
}

/** A length of time in its largest fitting unit, for the locales: `{ unit: 'min', count: 4 }`. */
export function roughly(ms: number): { unit: 's' | 'min' | 'h' | 'd'; count: number } {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return { unit: 's', count: seconds }
  if (seconds < 90 * 60) return { unit: 'min', count: Math.round(seconds / 60) }
  if (seconds < 36 * 3600) return { unit: 'h', count: Math.round(seconds / 3600) }
  return { unit: 'd', count: Math.round(seconds / 86_400) }
}
