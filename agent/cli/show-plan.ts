import { formatIssue } from '../../core/model/issue.ts'
import type { Plan, Step } from '../../core/model/plan.ts'
import type { ApplyResult } from '../../core/model/revision.ts'
import { sentence } from '../../core/reconcile/sentences.ts'

export const stepLines = (steps: readonly Step[]): string[] =>
  steps.map((step, i) => `${String(i + 1).padStart(4)}. ${sentence(step)}`)

export function planLines(plan: Plan): string[] {
  const warnings = plan.warnings.map((issue) => `Warning: ${formatIssue(issue)}`)
  if (plan.steps.length === 0) {
    return [...warnings, `Nothing to do: revision ${plan.baseRevision} and the kernel are as the document wants it.`]
  }
  return [
    ...warnings,
    `On revision ${plan.baseRevision}:`,
    ...stepLines(plan.steps.map(({ step }) => step)),
    `Risk: ${riskWords(plan.risk)}`,
  ]
}

function riskWords({ realServersLeavingRing, servicesRemoved, flowsCut, slotsMoved }: Plan['risk']): string {
  const moved = Object.entries(slotsMoved).map(([key, share]) => `${Math.round(share * 100)} % of ${key}`)
  return [
    `${realServersLeavingRing} real servers leave a ring`,
    `${servicesRemoved} services are removed`,
    flowsCut === null ? 'flows cut: unknown' : `${flowsCut} flows are cut`,
    `ring slots that move: ${moved.length === 0 ? 'none' : moved.join(', ')}`,
  ].join('; ')
}

export function resultLines({ revision, outcome, drift, failure }: ApplyResult): string[] {
  const left = drift.length === 0 ? [] : ['The kernel still differs:', ...stepLines(drift)]
  if (failure !== null) {
    const where = failure.step === null ? '' : ` (${sentence(failure.step)})`
    const back = failure.rolledBack ? 'Everything done before was taken back.' : 'Not everything could be taken back.'
    const what = `Revision ${revision} failed at step ${failure.stepIndex + 1}${where}: ${failure.message}`
    return [what, back, ...left]
  }
  const words = {
    applying: 'is being applied',
    confirmed: 'is in force',
    unconfirmed: 'is in force and waits for its confirmation',
    reverted: 'was taken back',
    failed: 'failed',
  }
  return [`Revision ${revision} ${words[outcome]}.`, ...left]
}
