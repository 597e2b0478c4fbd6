import { expect, test } from 'vitest'
import { rules } from '../../../core/diagnosis/catalogue.ts'
import { ruleIds } from '../../../core/diagnosis/rule.ts'
import { describeFinding, sentences } from '../../../core/diagnosis/sentences.ts'
import { director, judgeDirector, judgeRealServer, realServer, request, row, vip } from './hosts.ts'
import { unreadHost } from '../../../core/diagnosis/judge.ts'

const locales = ['en', 'zh-CN'] as const

/** Parameters that a sentence may use: those of every finding, and those that the rule gives. */
const general = ['vip', 'port', 'host']
const own: Record<string, string[]> = {
  V2: ['interface'],
  D04: ['place'],
  DR1: ['servers'],
  DR7: ['servers', 'macs', 'interface'],
  'D16-programs': ['interface'],
  RS1: ['hostname'],
  DR4: ['interface', 'network'],
  DR5: ['interfaces'],
  DR6: ['interfaces'],
  DR9: ['gateway'],
  DR10: ['interface', 'other'],
}
const placesOf = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)

test('the catalogue has each rule once, in the order of its ids', () => {
  expect(rules.map(({ id }) => id)).toEqual([...ruleIds])
})

test('a fix stands behind those that must come before it', () => {
  for (const [at, { fixAfter = [] }] of rules.entries()) {
    for (const before of fixAfter) expect(ruleIds.indexOf(before)).toBeLessThan(at)
  }
})

test.each(locales)('every rule has all of its sentences in %s, and no other', (locale) => {
  for (const rule of rules) {
    const { title, why, causes } = sentences[locale].rules[rule.id]
    for (const text of [title, why, ...Object.values(causes)]) expect(text.trim(), rule.id).not.toBe('')
    expect(placesOf(title), rule.id).toEqual([])
    expect(Object.keys(causes).sort(), rule.id).toEqual([...rule.causes].sort())
  }
})

test.each(locales)('sentences in %s use only parameters that the finding carries', (locale) => {
  for (const rule of rules) {
    const { why, causes, fix = '' } = sentences[locale].rules[rule.id]
    const known = [...general, ...(own[rule.id] ?? [])]
    for (const text of [why, fix, ...Object.values(causes)]) {
      for (const place of placesOf(text)) expect(known, `${rule.id}: ${text}`).toContain(place)
    }
  }
})

test('both languages use the same parameters and have a sentence for the same fixes', () => {
  for (const { id } of rules) {
    const [en, zh] = [sentences.en.rules[id], sentences['zh-CN'].rules[id]]
    expect(zh.fix === undefined, id).toBe(en.fix === undefined)
    for (const [cause, text] of Object.entries(en.causes)) {
      expect(placesOf(zh.causes[cause] ?? '').sort(), `${id} ${cause}`).toEqual(placesOf(text).sort())
    }
  }
})

test('a rule that offers a fix says what it does', () => {
  const findings = [
    ...judgeRealServer(realServer({ settings: { 'eth0.rp_filter': 1 } })),
    ...judgeDirector(director({ settings: { 'net.core.bpf_jit_enable': 0 } })),
  ]
  const fixed = findings.filter(({ fix }) => fix !== null)
  expect(fixed.map(({ rule }) => rule)).toEqual(['DR5', 'DR6', 'DR4', 'D16-jit'])
  for (const finding of fixed) {
    for (const locale of locales) expect(describeFinding(finding, locale).fix, finding.rule).not.toBeNull()
  }
})

test('a finding in words', () => {
  const finding = row(judgeRealServer(realServer({ settings: { 'lo.arp_ignore': 1 } })), 'DR5')
  expect(describeFinding(finding, 'en')).toMatchObject({
    title: 'arp_ignore',
    message: `ARP requests for ${vip} that arrive on eth0 are answered: the setting on lo has no effect.`,
    fix: 'Answers ARP only for addresses of the interface that was asked. Survives a reboot.',
  })
  expect(describeFinding(finding, 'zh-CN').message).toContain('lo 上的设置不起作用')
})

test('a row that was not read says so, in words', () => {
  const [unread] = unreadHost(request, '192.0.2.11', 'unknown', 'ip link')
  const [closed] = unreadHost(request, '192.0.2.11', 'notChecked', 'no SSH access')
  expect(unread && describeFinding(unread, 'en').message).toBe('Not known: ip link could not be read.')
  expect(closed && describeFinding(closed, 'en').message).toBe('Not checked: no SSH access to this host.')
})

test('a rule of a newer core shows what was read', () => {
  const finding = { ...row(judgeRealServer(realServer()), 'DR8'), rule: 'DR99', found: 'as read' }
  expect(describeFinding(finding, 'en')).toMatchObject({ title: 'DR99', message: 'as read' })
})
