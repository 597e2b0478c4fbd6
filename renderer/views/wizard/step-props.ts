import type { AgentHello } from '../../../core/contract/agent.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import type { Issue } from '../../../core/model/issue.ts'

/** What every step of the form gets: the form, a way to change it, and what is wrong with which field. */
export interface StepProps {
  readonly form: ServiceForm
  readonly change: (part: Partial<ServiceForm>) => void
  /** By field path (`realServers[0].address`); empty until the operator tried to go on or left the field. */
  readonly issues: ReadonlyMap<string, Issue>
  /** What the director said of itself; null until it has. */
  readonly hello: AgentHello | null
}
