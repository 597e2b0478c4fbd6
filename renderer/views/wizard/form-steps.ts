import type { ServiceForm, WizardStep } from '../../../core/model/draft.ts'
import { formatPath, type Issue } from '../../../core/model/issue.ts'
import { serviceOf } from './form.ts'

/** Which step shows the field of an issue, by the first word of its path. */
export function stepOfIssue(issue: Issue): WizardStep {
  switch (issue.path[0]) {
    case 'name':
    case 'port':
    case 'protocol':
    case 'fwmark':
    case 'family':
      return 'what'
    case 'forwarding':
      return 'mode'
    case 'dataplane':
    case 'scheduler':
    case 'schedulerFlags':
    case 'persistence':
    case 'onePacket':
    case 'tunnel':
    case 'localAddresses':
    case 'check':
      return 'dataplane'
    default:
      return 'addresses'
  }
}

/** The issues of one step, with at least one real server asked for where they are entered. */
export function issuesOfStep(form: ServiceForm, step: WizardStep): Issue[] {
  const parsed = serviceOf(form)
  const issues = parsed.ok ? [] : parsed.issues
  const missing: Issue[] =
    form.realServers.length === 0 ? [{ path: ['realServers'], found: 'nothing', expectation: 'required' }] : []
  return [...issues, ...missing].filter((issue) => stepOfIssue(issue) === step)
}

/** Issues by field path as the inputs name themselves: `realServers[0].address`. */
export function issuesByField(issues: readonly Issue[]): ReadonlyMap<string, Issue> {
  return new Map(issues.map((issue) => [formatPath(issue.path), issue]))
}

/** Issues of a field or of anything inside it. */
export const issuesUnder = (issues: ReadonlyMap<string, Issue>, field: string): Issue[] =>
  [...issues.values()].filter(({ path }) => path[0] === field)
