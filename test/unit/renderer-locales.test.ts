import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ClusterJob, memberPhases } from '../../core/contract/clusters.ts'
import { connectDetails, removeDetails, unfitReasons } from '../../core/contract/connect-details.ts'
import { errorCodes } from '../../core/contract/errors.ts'
import { connectStepIds } from '../../core/contract/session.ts'
import { ForwardingMethod } from '../../core/model/dataplane.ts'
import { eventTemplates } from '../../core/model/event-sentences.ts'
import { failoverWays } from '../../core/model/failover.ts'
import { ipvsSysctlNames, SyncRole } from '../../core/model/ipvs-settings.ts'
import { expectations } from '../../core/model/issue.ts'
import { IpvsAvailability } from '../../core/model/observed.ts'
import { RevertReason, RevisionOutcome } from '../../core/model/revision.ts'
import { driftSubjects, driftWords } from '../../core/reconcile/drift-lines.ts'
import { stepTemplates } from '../../core/reconcile/sentences.ts'
import { en } from '../../renderer/locales/en/index.ts'
import { zhCN } from '../../renderer/locales/zh-CN/index.ts'

type Tree = { readonly [key: string]: string | Tree }

function flatten(tree: Tree, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat.set(prefix + key, value)
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text)
  }
  return flat
}

const languages = { en: flatten(en as Tree), 'zh-CN': flatten(zhCN as Tree) }
/** English has two plural forms, Chinese one: compared without them. */
const singular = (key: string) => key.replace(/_(one|other)$/, '')
const keysOf = (language: keyof typeof languages) => new Set([...languages[language].keys()].map(singular))
const placesOf = (text: string) => new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))

test('both languages have the same sentences', () => {
  expect([...keysOf('en').symmetricDifference(keysOf('zh-CN'))]).toEqual([])
})

test('a sentence names the same values in both languages', () => {
  for (const [key, text] of languages['zh-CN']) {
    const english = languages.en.get(key) ?? languages.en.get(`${singular(key)}_other`)
    expect([key, placesOf(text)]).toEqual([key, placesOf(english ?? '')])
  }
})

test('plural forms are complete', () => {
  for (const [language, forms] of [
    ['en', ['one', 'other']],
    ['zh-CN', ['other']],
  ] as const) {
    const flat = languages[language]
    const bases = new Set([...flat.keys()].filter((key) => key !== singular(key)).map(singular))
    for (const base of bases) {
      expect([language, base, forms.every((form) => flat.has(`${base}_${form}`))]).toEqual([language, base, true])
    }
  }
})

describe.each(Object.keys(languages) as (keyof typeof languages)[])('%s has a sentence for', (language) => {
  const has = (prefix: string, keys: readonly string[]) =>
    expect(keys.filter((key) => !languages[language].has(`${prefix}${key}`))).toEqual([])

  test('every error code', () => has('error.', errorCodes))
  test('every expectation', () => has('expect.', Object.keys(expectations)))
  test('every step of a connection and all that it can say', () => {
    has(
      'connect.',
      connectStepIds.flatMap((id) => [
        `${id}.title`,
        ...Object.keys(connectDetails[id]).map((detail) => `${id}.${detail}`),
      ]),
    )
    has('connect.remove.', Object.keys(removeDetails))
  })
  test('every reason why the agent does not fit', () => has('unfit.', Object.keys(unfitReasons)))
  test('every outcome of a revision and every reason to take it back', () => {
    has('outcome.', RevisionOutcome.options)
    has('revertReason.', RevertReason.options)
  })
  test('every place of a director in an apply, and every way that an apply to a cluster ends', () => {
    has('cluster.phase.', memberPhases)
    has(
      'cluster.job.',
      ClusterJob.shape.state.options.map((state) => `${state}_other`),
    )
  })
  test('every line of a drift, and every way through a failover', () => {
    has('drift.what.', driftSubjects)
    has('drift.value.', driftWords)
    has('failover.way.', failoverWays)
  })
  test('every setting of IPVS, every answer of its kernel and every role', () => {
    has('ipvs.sysctl.', ipvsSysctlNames)
    has('ipvs.availability.', IpvsAvailability.options)
    has('ipvs.remedy.', IpvsAvailability.options)
    has('ipvs.role.', SyncRole.options)
    has('service.addNeeds.', ForwardingMethod.options)
  })
  test('every event and every step of a plan', () => {
    expect(Object.keys(eventTemplates[language])).toEqual(Object.keys(eventTemplates.en))
    expect(Object.keys(stepTemplates[language])).toEqual(Object.keys(stepTemplates.en))
  })
})

const rendererDir = fileURLToPath(new URL('../../renderer/', import.meta.url))
const sources = readdirSync(rendererDir, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('locales/'))
  .map((file) => ({ file, text: readFileSync(join(rendererDir, file), 'utf8') }))

test('every key that the page asks for by name exists', () => {
  const known = keysOf('en')
  const asked = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/\bt\(\s*'([^']+)'/g)].map(([, key]) => ({ file, key: key as string })),
  )
  expect(asked.length).toBeGreaterThan(100)
  expect(asked.filter(({ key }) => !known.has(key))).toEqual([])
})

test('every key that is put together has something to be put together with', () => {
  const known = [...keysOf('en')]
  const asked = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/\bt\(\s*`([^`$]*)\$\{/g)].map(([, prefix]) => ({ file, prefix: prefix as string })),
  )
  expect(asked.filter(({ prefix }) => !known.some((key) => key.startsWith(prefix)))).toEqual([])
})

test('no sentence is left over', () => {
  const texts = sources.map(({ text }) => text).join('\n')
  const literal = new Set([...texts.matchAll(/'([\w./-]+)'/g)].map(([, key]) => key as string))
  const prefixes = [...texts.matchAll(/`([\w./-]*\.)\$\{/g)].map(([, prefix]) => prefix as string)
  const isAsked = (key: string) =>
    literal.has(key) || prefixes.some((prefix) => key.startsWith(prefix)) || key.startsWith('unfit.')
  expect([...keysOf('en')].filter((key) => !isAsked(key))).toEqual([])
})

test('no text of the page stands outside the locales', () => {
  // Attributes and children that a reader sees; terms that are the same in every language stay as they are.
  const terms = /^(VIP|MAC|MTU|DR|eBPF|Signalbox|English|简体中文|lb1\.example\.net|Ctrl K|⌘K|–|s|g)$/
  const found = sources.flatMap(({ file, text }) =>
    file.endsWith('.tsx')
      ? [...text.matchAll(/(?:aria-label|title|label|placeholder)="([^"]*[A-Za-z一-鿿][^"]*)"/g)]
          .map(([, words]) => ({ file, words: words as string }))
          .filter(({ words }) => !terms.test(words))
      : [],
  )
  expect(found).toEqual([])
})
