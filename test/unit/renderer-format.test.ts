import { expect, test } from 'vitest'
import { formatBytes, formatShare, formatSi, formatWithUnit, scaleFor } from '../../renderer/format/number.ts'
import { formatInstant, roughly, zoneOffset } from '../../renderer/format/time.ts'

test('figures carry SI prefixes and three digits', () => {
  expect(formatSi(0)).toBe('0')
  expect(formatSi(7)).toBe('7')
  expect(formatSi(999)).toBe('999')
  expect(formatSi(1000)).toBe('1 k')
  expect(formatSi(12_345)).toBe('12.3 k')
  expect(formatSi(999_999)).toBe('1 M')
  expect(formatWithUnit(1_234_567, 'bit/s')).toBe('1.23 Mbit/s')
  expect(formatWithUnit(1_500, 'connections/s')).toBe('1.5 k connections/s')
  expect(formatBytes(34_200_000)).toBe('34.2 MB')
})

test('one axis has one prefix, that of its greatest value', () => {
  expect(scaleFor(2_000_000).symbol).toBe('M')
  expect(scaleFor(0).symbol).toBe('')
})

test('a small share is not rounded to nothing', () => {
  expect(formatShare(0.004)).toBe('0.4 %')
  expect(formatShare(1 / 3)).toBe('33 %')
  expect(formatShare(0)).toBe('0 %')
})

test('zones with half hours keep them', () => {
  const winter = Date.UTC(2026, 0, 15, 12)
  const summer = Date.UTC(2026, 6, 15, 12)
  expect(zoneOffset(winter, 'America/St_Johns')).toBe('-03:30')
  expect(zoneOffset(summer, 'America/St_Johns')).toBe('-02:30')
  expect(zoneOffset(winter, 'UTC')).toBe('+00:00')
  expect(zoneOffset(winter, 'Asia/Shanghai')).toBe('+08:00')
  expect(formatInstant(winter, 'utc')).toBe('2026-01-15 12:00:00 UTC')
})

test('an age is told in the unit that fits it', () => {
  expect(roughly(4_400)).toEqual({ unit: 's', count: 4 })
  expect(roughly(200_000)).toEqual({ unit: 'min', count: 3 })
  expect(roughly(7_200_000)).toEqual({ unit: 'h', count: 2 })
  expect(roughly(4 * 86_400_000)).toEqual({ unit: 'd', count: 4 })
})
