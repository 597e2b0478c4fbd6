import type { Issue } from '../../../core/model/issue.ts'
import { useIssueText } from '../../components/issue-text.ts'

/** The sentence below an input, by its field path; undefined where the field is fine. */
export function useFieldErrors(issues: ReadonlyMap<string, Issue>): (field: string) => string | undefined {
  const textOf = useIssueText()
  return (field) => {
    const issue = issues.get(field)
    return issue === undefined ? undefined : textOf(issue)
  }
}
