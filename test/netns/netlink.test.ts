import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { NetlinkFacts } from './kernel/netlink-program.ts'

// Many requests in one datagram, as this kernel answers them.

const program = resolve(import.meta.dirname, 'kernel/netlink-program.ts')
const run = (...before: string[]): NetlinkFacts =>
  JSON.parse(
    execFileSync('unshare', ['--net', ...before, process.execPath, program], { encoding: 'utf8' }),
  ) as NetlinkFacts
const expectedLookUps = Array.from({ length: 3000 }, (_, index) => (index % 7 === 3 ? 'ENOENT' : 1))

describe('netlink of this kernel', () => {
  test('a generic family is found by its name, and one that is missing is told apart', () => {
    const { controller, hasUnknown } = run()
    expect(controller).toEqual({ id: 16, isThere: true })
    expect(hasUnknown).toBe(false)
  })

  test('3,000 changes at once: two are refused in the middle, all others are done', () => {
    const { outcomes, refused, addresses } = run()
    expect(outcomes).toBe(3000)
    expect(refused).toEqual({ 1500: 'EEXIST', 2999: 'EEXIST' })
    expect(addresses).toBe(2998)
  })

  test('3,000 questions at once: each gets its own answer or refusal', () => {
    expect(run().lookUps).toEqual(expectedLookUps)
  })

  test('without privileges buffers stay small and changes are refused one by one; questions are still answered', () => {
    const { outcomes, refused, lookUps } = run('setpriv', '--bounding-set=-all', '--inh-caps=-all', '--')
    expect(outcomes).toBe(3000)
    expect(new Set(Object.values(refused))).toEqual(new Set(['EPERM']))
    expect(Object.keys(refused)).toHaveLength(3000)
    expect(lookUps).toEqual(expectedLookUps)
  })
})
