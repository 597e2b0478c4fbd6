import { useTranslation } from 'react-i18next'
import type { RealServerConfig, ServiceConfig, Step } from '../../core/model/plan.ts'
import { realServerKey } from '../../core/model/service.ts'

type Say = (key: string, params?: Record<string, string | number>) => string

/** What a step changes of a real server: its weight, its state, or both. */
function realServerChange(say: Say, before: RealServerConfig, after: RealServerConfig): string {
  const parts: string[] = []
  if (before.weight !== after.weight) parts.push(say('part.weight', { from: before.weight, to: after.weight }))
  if (before.state !== after.state) parts.push(say(`part.state.${after.state}`, { from: before.state }))
  return parts.join(say('part.and'))
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([key, one]) => `${key} ${String(one)}`)
        .join(', ')
    : String(value)
}

function serviceChange(say: Say, before: ServiceConfig, after: ServiceConfig): string {
  const fields = Object.keys(after) as (keyof ServiceConfig)[]
  return fields
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => say('part.field', { field, from: show(before[field]), to: show(after[field]) }))
    .join(say('part.and'))
}

/** A step of a plan as a sentence in the operator's language. */
export function useStepSentence(): (step: Step) => string {
  const { t } = useTranslation()
  const say: Say = (key, params) => t(`step.${key}`, params ?? {})
  return (step) => {
    switch (step.kind) {
      case 'dataplane.attach':
      case 'dataplane.detach':
        return say(step.kind, { interface: step.interface })
      case 'service.add':
        return say(step.kind, { service: step.service, forwarding: step.after.forwarding.toUpperCase() })
      case 'service.change':
        return say(step.kind, { service: step.service, change: serviceChange(say, step.before, step.after) })
      case 'service.remove':
        return say(step.kind, { service: step.service })
      case 'realServer.add':
        return say(step.kind, { service: step.service, realServer: realServerKey(step.after), weight: step.after.weight })
      case 'realServer.change':
        return say(step.kind, {
          service: step.service,
          realServer: realServerKey(step.before),
          change: realServerChange(say, step.before, step.after),
        })
      case 'realServer.remove':
        return say(step.kind, { service: step.service, realServer: realServerKey(step.before) })
      case 'vip.raise':
      case 'vip.lower':
        return say(`${step.kind}.${step.announce}`, { address: step.address, interface: step.interface })
    }
  }
}
