import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ClusterSpec, parseClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue } from '../../core/model/issue.ts'
import { confirmSeconds, neverReverts } from '../../renderer/change/confirm-time.ts'
import { countEdits } from '../../renderer/change/count-edits.ts'
import { addRealServers, removeRealServers, removeService, setState, setWeight } from '../../renderer/change/edits.ts'
import { type PendingChange } from '../../renderer/change/change-store.ts'
import { changesOfText, textOfChanges } from '../../renderer/change/kept-changes.ts'
import { mergeSpec } from '../../renderer/change/merge.ts'
import { placeInSpec } from '../../renderer/change/spec-issues.ts'

function specOf(...services: Record<string, unknown>[]): ClusterSpec {
  const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'test', services })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value
}
const web = (...realServers: Record<string, unknown>[]) => ({ name: 'web', vip: '192.0.2.10', port: 80, realServers })
const rs = (last: number, fields: Record<string, unknown> = {}) => ({ address: `192.0.2.${last}`, port: 80, ...fields })
const key = 'tcp/192.0.2.10:80'
const base = specOf(web(rs(20), rs(21), rs(22)))

describe('edits', () => {
  test('leave the document they start from alone', () => {
    const before = structuredClone(base)
    setWeight(key, '192.0.2.20:80', 5)(base)
    removeService(key)(base)
    expect(base).toEqual(before)
  })

  test('drain keeps the weight, and cancelling it leads back', () => {
    const heavy = setWeight(key, '192.0.2.20:80', 7)(base)
    const drained = setState(key, ['192.0.2.20:80'], 'drain')(heavy)
    expect(drained.services[0]?.realServers[0]).toMatchObject({ weight: 7, state: 'drain' })
    expect(setState(key, ['192.0.2.20:80'], 'enabled')(drained)).toEqual(heavy)
  })
})

describe('counting', () => {
  test('a field counts one, a real server or service that comes or goes counts one', () => {
    expect(countEdits(base, base)).toBe(0)
    expect(countEdits(base, setWeight(key, '192.0.2.20:80', 5)(base))).toBe(1)
    expect(countEdits(base, removeRealServers(key, ['192.0.2.20:80', '192.0.2.21:80'])(base))).toBe(2)
    expect(countEdits(base, removeService(key)(base))).toBe(1)
  })
})

describe('putting edits on a newer revision', () => {
  test('takes what only one side changed from that side', () => {
    const mine = setWeight(key, '192.0.2.20:80', 5)(base)
    const theirs = setWeight(key, '192.0.2.21:80', 9)(base)
    const { spec, clashes } = mergeSpec(base, mine, theirs)
    expect(spec.services[0]?.realServers.map(({ weight }) => weight)).toEqual([5, 9, 1])
    expect(clashes).toEqual([])
  })

  test('keeps the edit where both changed the same field, and names the clash', () => {
    const mine = setWeight(key, '192.0.2.20:80', 5)(base)
    const theirs = setWeight(key, '192.0.2.20:80', 9)(base)
    const { spec, clashes } = mergeSpec(base, mine, theirs)
    expect(spec.services[0]?.realServers[0]?.weight).toBe(5)
    expect(clashes).toEqual([{ place: `${key} 192.0.2.20:80 weight`, mine: '5', theirs: '9' }])
  })

  test('keeps additions of both and removals of both', () => {
    const mine = addRealServers(key, [{ address: '192.0.2.30', port: 80, weight: 1, state: 'enabled' }])(base)
    const theirs = removeRealServers(key, ['192.0.2.22:80'])(base)
    const { spec } = mergeSpec(base, mine, theirs)
    expect(spec.services[0]?.realServers.map(({ address }) => address)).toEqual([
      '192.0.2.20',
      '192.0.2.21',
      '192.0.2.30',
    ])
  })

  test('a service removed there and edited here comes back, and the clash says so', () => {
    const mine = setWeight(key, '192.0.2.20:80', 5)(base)
    const { spec, clashes } = mergeSpec(base, mine, removeService(key)(base))
    expect(spec.services).toEqual(mine.services)
    expect(clashes.map(({ theirs }) => theirs)).toEqual(['–'])
  })

  const edit = fc.oneof(
    fc
      .tuple(fc.integer({ min: 20, max: 22 }), fc.integer({ min: 0, max: 9 }))
      .map(([last, weight]) => setWeight(key, `192.0.2.${last}:80`, weight)),
    fc.integer({ min: 20, max: 22 }).map((last) => removeRealServers(key, [`192.0.2.${last}:80`])),
    fc.integer({ min: 20, max: 22 }).map((last) => setState(key, [`192.0.2.${last}:80`], 'drain')),
  )
  const edits = fc.array(edit, { maxLength: 4 }).map((all) => all.reduce((spec, one) => one(spec), base))

  test('nothing changed on one side gives the other side', () => {
    fc.assert(
      fc.property(edits, (changed) => {
        expect(mergeSpec(base, changed, base)).toEqual({ spec: changed, clashes: [] })
        expect(mergeSpec(base, base, changed)).toEqual({ spec: changed, clashes: [] })
      }),
    )
  })

  test('the same change on both sides clashes nowhere', () => {
    fc.assert(
      fc.property(edits, (changed) => {
        expect(mergeSpec(base, changed, changed)).toEqual({ spec: changed, clashes: [] })
      }),
    )
  })
})

test('seconds to confirm: an empty field is a mistake, not "never"', () => {
  expect(confirmSeconds('60')).toBe(60)
  expect(confirmSeconds(neverReverts)).toBeNull()
  for (const text of ['', ' ', '4', '3601', '12.5', 'x', '1e9']) expect(confirmSeconds(text)).toBeUndefined()
})

test('an issue is found in the document, whatever request carried it', () => {
  const path = ['services', 0, 'realServers', 1, 'weight']
  for (const before of [[], ['spec'], ['input', 'spec']]) {
    const place = placeInSpec(base, [...before, ...path])
    expect([place.service?.name, place.realServer?.address, place.field]).toEqual(['web', '192.0.2.21', 'weight'])
  }
  expect(placeInSpec(base, ['services', 0, 'check', 'timeoutMs'])).toMatchObject({ field: 'check.timeoutMs' })
  expect(placeInSpec(base, ['name'])).toEqual({
    service: undefined,
    realServer: undefined,
    isIpvs: false,
    field: 'name',
  })
  expect(placeInSpec(base, ['services', 9, 'port']).service).toBeUndefined()
})

describe('edits that outlive the page', () => {
  const change = (fields: Partial<PendingChange> = {}): PendingChange => ({
    baseRevision: 3,
    baseDigest: '0123456789abcdef',
    base,
    spec: setWeight(key, '192.0.2.20:80', 5)(base),
    adopt: [],
    without: [],
    message: 'more for the first',
    confirmWithinSec: '60',
    drainSec: '10',
    isApplying: false,
    error: null,
    ...fields,
  })

  test('come back as they were, without the error of the last attempt', () => {
    const error = { code: 'BUSY', message: 'Another apply is running.', retryable: true } as const
    expect(changesOfText(textOfChanges({ lab: change({ error }) }))).toEqual({ lab: change() })
  })

  test('leave out what is being applied: the agent has it', () => {
    expect(changesOfText(textOfChanges({ lab: change({ isApplying: true }) }))).toEqual({})
  })

  test.each(['', '{', '[]', '{"lab":{}}', JSON.stringify({ lab: { ...change(), isApplying: undefined, spec: {} } })])(
    'let go of a text that is none of theirs: %s',
    (text) => expect(changesOfText(text)).toEqual({}),
  )
})
