import type { z } from 'zod'
import { issuesOf } from '../../../core/model/issue.ts'
import { useIssueText } from '../../components/issue-text.ts'

/** Why a value does not fit a schema, as one sentence; undefined where it does. The model's rules and no others. */
export function useJudge(): (schema: z.ZodType, value: unknown) => string | undefined {
  const textOf = useIssueText()
  return (schema, value) => {
    const result = schema.safeParse(value)
    if (result.success) return undefined
    return issuesOf(result.error, value).map(textOf).join('; ')
  }
}
