import { useTranslation } from 'react-i18next'
import type { Step } from '../../core/model/plan.ts'
import { sentence } from '../../core/reconcile/sentences.ts'

/** A step of a plan as a sentence in the operator's language; the words are the agent's own. */
export function useStepSentence(): (step: Step) => string {
  const { i18n } = useTranslation()
  return (step) => sentence(step, i18n.language === 'zh-CN' ? 'zh-CN' : 'en')
}
