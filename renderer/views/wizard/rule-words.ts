import { useTranslation } from 'react-i18next'
import type { Finding } from '../../../core/diagnosis/finding.ts'
import { describeFinding, type FindingText } from '../../../core/diagnosis/sentences.ts'

/** A finding in the operator's language. */
export function useRuleWords(): (finding: Finding) => FindingText {
  const { i18n } = useTranslation()
  const locale = i18n.language === 'zh-CN' ? 'zh-CN' : 'en'
  return (finding) => describeFinding(finding, locale)
}
