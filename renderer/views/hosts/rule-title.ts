import { useTranslation } from 'react-i18next'
import { ruleIds } from '../../../core/diagnosis/rule.ts'
import { sentences } from '../../../core/diagnosis/sentences.ts'

/** The heading of a rule in the operator's language; the id itself for a rule that this console does not know. */
export function useRuleTitle(): (rule: string) => string {
  const { i18n } = useTranslation()
  const { rules } = sentences[i18n.language === 'zh-CN' ? 'zh-CN' : 'en']
  return (rule) => {
    const id = ruleIds.find((candidate) => candidate === rule)
    return id === undefined ? rule : rules[id].title
  }
}
