import fc from 'fast-check'
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { applyCommand } from '../../../core/reconcile/commands.ts'
import { plan } from '../../../core/reconcile/plan.ts'
import { sentence, stepTemplates } from '../../../core/reconcile/sentences.ts'
import { desired, observed } from './arbitraries.ts'

test('every step has a sentence in every language, without an open place', () => {
  fc.assert(
    fc.property(desired, observed, (wanted, state) => {
      for (const { step } of plan(wanted, state)) {
        for (const language of ['en', 'zh-CN'] as const) {
          const text = sentence(step, language)
          expect(text).not.toMatch(/[{}]|undefined/)
          expect(text.length).toBeGreaterThan(5)
        }
      }
    }),
  )
})

test('both languages have the same keys and the same places', () => {
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).toSorted()
  expect(Object.keys(stepTemplates['zh-CN'])).toEqual(Object.keys(stepTemplates.en))
  for (const [key, text] of Object.entries(stepTemplates.en)) {
    expect(places(stepTemplates['zh-CN'][key as keyof typeof stepTemplates.en])).toEqual(places(text))
  }
})

test('a shell hands the document to the command unchanged', () => {
  const shell = (text: string) => {
    const script = `signalbox() { [ "$*" = "apply -" ] && cat; }\n${text}\n`
    const { stdout, status } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
    expect(status).toBe(0)
    return stdout
  }
  for (const line of ['$HOME `id` $(id) \\n "x" \'y\'', 'EOF', 'EOF\nEOF_1\n', 'ünïcødé 真实', '\\']) {
    expect(shell(applyCommand(line).text)).toBe(line.endsWith('\n') ? line : `${line}\n`)
  }
})
