import { expect, test } from 'vitest'
import { parseTestArguments } from '../../../scripts/lanes/arguments.mjs'
import { failedLane, formatCounts, judgeLane, skippedLane, sum } from '../../../scripts/lanes/counts.mjs'
import { hasBpfCapabilities, lanes } from '../../../scripts/lanes/lanes.mjs'

const names = lanes.map((lane) => lane.name)
const machine = { isRoot: true, mayBpf: true, hasBtf: true, namespaceError: undefined, missingPackages: [] }
const report = (passed: number, failed: number, skipped = 0) => ({
  counts: { passed, failed, skipped },
  skips: [] as { name: string; reason: string | undefined }[],
  errors: [] as string[],
})

test('all lanes run in their order, or those that are named', () => {
  expect(parseTestArguments([], names).lanes).toEqual(['unit', 'contract', 'packet', 'netns', 'guest', 'e2e'])
  expect(parseTestArguments(['--lane', 'e2e', '--lane', 'unit'], names).lanes).toEqual(['unit', 'e2e'])
  expect(parseTestArguments(['--json', '--long', 'maglev'], names)).toMatchObject({
    json: true,
    long: true,
    yes: false,
    filters: ['maglev'],
  })
})

test('an unknown lane or option is refused with what was expected', () => {
  expect(() => parseTestArguments(['--lane', 'bpf'], names)).toThrow(/no such lane.*unit, contract, packet/)
  expect(() => parseTestArguments(['--lanes', 'unit'], names)).toThrow(/--lanes/)
})

test('a lane that ran is counted as its report says', () => {
  expect(judgeLane('unit', report(3, 1), 1)).toEqual({
    lane: 'unit',
    counts: { passed: 3, failed: 1, skipped: 0 },
    notes: [],
  })
})

test('a crash, an empty lane and an exit code without a failed test count as one failure', () => {
  expect(judgeLane('unit', undefined, 139).counts.failed).toBe(1)
  expect(judgeLane('unit', report(0, 0), 0).counts.failed).toBe(1)
  expect(judgeLane('unit', report(0, 0), 0, true).counts.failed).toBe(0)
  expect(judgeLane('unit', report(5, 0), 1).counts).toEqual({ passed: 5, failed: 1, skipped: 0 })
})

test('an error outside of a test counts as a failure', () => {
  const result = judgeLane('unit', { ...report(2, 0), errors: ['a.test.ts: does not load'] }, 1)
  expect(result.counts).toEqual({ passed: 2, failed: 1, skipped: 0 })
  expect(result.notes[0]).toContain('a.test.ts')
})

test('a skip keeps its reason; without one it is a failure', () => {
  const skips = [
    { name: 'a', reason: 'needs --long' },
    { name: 'b', reason: undefined },
  ]
  const result = judgeLane('netns', { ...report(1, 0, 2), skips }, 0)
  expect(result.counts).toEqual({ passed: 1, failed: 1, skipped: 1 })
  expect(result.notes[0]).toBe('skipped: a: needs --long')
})

test('a lane that cannot run says why and counts as one skip', () => {
  const packet = lanes.find((lane) => lane.name === 'packet')
  expect(packet?.obstacle(machine)).toBeUndefined()
  expect(packet?.obstacle({ ...machine, isRoot: false })).toBe('needs root')
  expect(packet?.obstacle({ ...machine, missingPackages: ['clang'] })).toBe('not installed: clang')
  const e2e = lanes.find((lane) => lane.name === 'e2e')
  expect(e2e?.obstacle({ ...machine, missingPackages: ['chromium'] })).toBe('not installed: chromium')
  expect(e2e?.obstacle({ ...machine, namespaceError: 'Operation not permitted' })).toContain('not permitted')
  const guest = lanes.find((lane) => lane.name === 'guest')
  expect(guest?.obstacle(machine)).toBeUndefined()
  expect(guest?.obstacle({ ...machine, missingPackages: ['qemu-system-x86'] })).toBe('not installed: qemu-system-x86')
  expect(skippedLane('e2e', 'needs root').counts).toEqual({ passed: 0, failed: 0, skipped: 1 })
})

test('the last line adds up all lanes', () => {
  const results = [judgeLane('unit', report(3, 0), 0), skippedLane('packet', 'x'), failedLane('e2e', 'y')]
  expect(formatCounts(sum(results.map((result) => result.counts)))).toBe('3 passed, 1 failed, 1 skipped')
})

test('permission for bpf(2) is read from the effective capabilities', () => {
  const status = (bits: readonly bigint[]) =>
    `Name:\tnode\nCapEff:\t${bits
      .reduce((all, bit) => all | (1n << bit), 0n)
      .toString(16)
      .padStart(16, '0')}\n`
  expect(hasBpfCapabilities(status([12n, 39n]))).toBe(true)
  expect(hasBpfCapabilities(status([12n, 21n]))).toBe(true)
  expect(hasBpfCapabilities(status([39n]))).toBe(false)
  expect(hasBpfCapabilities('')).toBe(false)
})
