import { useTranslation } from 'react-i18next'
import type { Finding } from '../../../core/diagnosis/finding.ts'
import { fill } from '../../../core/model/issue.ts'
import { ruleSentences } from '../../../core/diagnosis/sentences.ts'

/** A rule's sentences in the operator's language, filled with what was found on the host. */
export function useRuleWords(): Record<'title' | 'why' | 'missing', (finding: Finding) => string> {
  const { i18n } = useTranslation()
  const all = ruleSentences[i18n.language === 'zh-CN' ? 'zh-CN' : 'en']
  const word = (kind: 'title' | 'why' | 'missing') => (finding: Finding) =>
    fill(all[finding.rule]?.[kind] ?? finding.rule, finding.params)
  return { title: word('title'), why: word('why'), missing: word('missing') }
}
