import type { AgentHello, DirectorState } from '../../core/contract/agent.ts'
import { eventSentence } from '../../core/model/event-sentences.ts'
import type { RevisionSummary } from '../../core/model/revision.ts'
import { dataplaneNames, methodNames } from '../../core/model/dataplane.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { Sample } from '../../core/model/telemetry.ts'
import { stepLines } from './show-plan.ts'

const utc = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

export function statusLines(hello: AgentHello, state: DirectorState, sample: Sample | undefined): string[] {
  const { dataplane } = hello
  const usable = dataplane.hooks.filter((hook) => hook.isUsable).map((hook) => hook.hook)
  return [
    `${hello.hostname}: signalbox ${hello.version}, kernel ${hello.kernel}, ${utc(hello.nowMs)}`,
    ipvsLine(hello),
    dataplane.isAvailable
      ? `eBPF dataplane: ${usable.join(', ')}`
      : `eBPF dataplane not available: ${dataplane.reason}`,
    `Revision ${state.revision} (${state.digest}), ${state.role}`,
    ...(state.observed.ebpf.newFlows === 'stopped'
      ? ['New connections of eBPF services are STOPPED. To balance them again: signalbox new-flows balanced']
      : []),
    ...state.observed.ipvs.writers.map(({ name, pid }) => `${name} (process ${pid}) programs IPVS here too.`),
    ...progressLines(state),
    ...serviceLines(state, sample),
    ...(state.drift.length === 0 ? ['No drift.'] : ['Drift; an apply would:', ...stepLines(state.drift)]),
    ...state.events.slice(-5).map((event) => `${utc(event.atMs)} ${eventSentence(event)}`),
  ]
}

function ipvsLine({ ipvs }: AgentHello): string {
  if (ipvs.availability !== 'ready') return `IPVS: ${ipvs.reason}`
  const missing = ipvs.schedulers.filter((one) => !one.isAvailable).map((one) => one.name)
  const lacks = missing.length === 0 ? '' : `, without ${missing.join(' ')}`
  return `IPVS ${ipvs.version}, ${ipvs.connectionTableSize} buckets${lacks}`
}

function progressLines({ progress }: DirectorState): string[] {
  if (progress === null) return []
  const { revision, author, phase, stepsDone, steps, remainingMs, revertsAtMs } = progress
  if (phase !== 'awaiting-confirmation') {
    return [`Revision ${revision} by ${author.user}: ${phase}, step ${stepsDone} of ${steps.length}`]
  }
  const left = Math.ceil((remainingMs ?? 0) / 1000)
  const at = revertsAtMs === null ? '' : ` at ${utc(revertsAtMs)}`
  return [
    `Revision ${revision} by ${author.user} reverts by itself in ${left} s${at}. To keep it: signalbox confirm ${revision}`,
  ]
}

function serviceLines(state: DirectorState, sample: Sample | undefined): string[] {
  const names = new Map(state.spec.services.map((service) => [serviceKey(service), service.name]))
  return state.observed.services.flatMap((service) => {
    const key = serviceKey(service)
    const moving = sample?.services.find((one) => one.key === key)
    const vip = state.observed.vips.find((one) => one.address === service.vip)
    const where = vip === undefined ? 'VIP not raised' : `VIP on ${vip.interface}`
    const name = service.isForeign ? '(set up by somebody else)' : (names.get(key) ?? '(not in the document)')
    const method = `${dataplaneNames[service.dataplane]} ${methodNames[service.forwarding]}`
    return [
      `${key} ${name}: ${method}, ${service.scheduler}, ${service.fwmark === null ? where : 'by mark'}`,
      ...service.realServers.map((one) => {
        const now = moving?.realServers.find((other) => other.address === one.address && other.port === one.port)
        const flows = now === undefined ? '' : `, ${now.activeFlows} flows, ${now.counters.connections} connections`
        const health = now?.health ?? 'unknown'
        return `  ${realServerKey(one)} weight ${one.weight}, ${one.state}, ${health}${flows}`
      }),
    ]
  })
}

export function historyLines(revisions: readonly RevisionSummary[]): string[] {
  if (revisions.length === 0) return ['Nothing was applied yet.']
  return revisions.map(({ revision, atMs, author, outcome, revertReason, message, touched }) =>
    [
      String(revision).padStart(4),
      utc(atMs),
      `${author.user}@${author.from}`,
      revertReason === null ? outcome : `${outcome} (${revertReason})`,
      touched.join(' ') || '-',
      message,
    ]
      .join('  ')
      .trimEnd(),
  )
}
