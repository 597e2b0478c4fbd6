import { useTranslation } from 'react-i18next'
import type { Issue } from '../../core/model/issue.ts'

/** `found 70000, expected a whole number from 1 to 65535`, in the operator's language. */
export function useIssueText(): (issue: Issue) => string {
  const { t } = useTranslation()
  return (issue) => {
    const params = { ...issue.params, ...whyOf(issue, t) }
    const expected = t(`expect.${issue.expectation}`, params)
    const found = issue.found === 'nothing' ? t('issues.nothing') : issue.found
    const text = t('issues.text', { found, expected })
    return issue.line === undefined ? text : t('issues.atLine', { line: issue.line, text })
  }
}

/** The parameter `why` is a key of its own. */
function whyOf(issue: Issue, t: (key: string) => string): { why?: string } {
  const why = issue.params?.['why']
  return typeof why === 'string' ? { why: t(`expectWhy.${why}`) } : {}
}
