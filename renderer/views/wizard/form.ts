import type { CheckRequest } from '../../../core/contract/console.ts'
import { type Parsed, parseService } from '../../../core/model/cluster-spec.ts'
import type { ServiceForm, WizardStep } from '../../../core/model/draft.ts'
import { formatPath, type Issue } from '../../../core/model/issue.ts'
import { defaultTcpCheck } from '../../../core/model/health-check.ts'
import type { VirtualService } from '../../../core/model/service.ts'
import type { RealServerAccess } from '../../../core/model/ssh.ts'

/** A new service as the wizard opens: what a web service in one network needs, nothing that only the operator knows. */
export const emptyForm = (): ServiceForm => ({
  name: '',
  port: '80',
  placement: 'sameNetwork',
  needsClientAddress: true,
  portsDiffer: false,
  hasWindows: false,
  forwarding: 'dr',
  dataplane: 'ebpf',
  scheduler: 'mh',
  announce: 'arp',
  interface: '',
  vip: '',
  allowOwnAddress: false,
  check: {
    type: 'tcp',
    intervalMs: String(defaultTcpCheck.intervalMs),
    timeoutMs: String(defaultTcpCheck.timeoutMs),
    rise: String(defaultTcpCheck.rise),
    fall: String(defaultTcpCheck.fall),
  },
  realServers: [],
  confirmWithinSec: '60',
  message: '',
})

/**
 * A typed number as a number; anything else stays the text that it is, so that the error shows what stands in the field.
 * An empty field is no value at all.
 */
function numberOf(text: string): number | string | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  return /^-?\d{1,9}$/.test(trimmed) ? Number(trimmed) : trimmed
}

const textOf = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim())

/** The form judged by the model's own rules; issue paths are those of {@link VirtualService}. */
export function serviceOf(form: ServiceForm): Parsed<VirtualService> {
  const { check } = form
  return parseService({
    name: textOf(form.name),
    vip: textOf(form.vip),
    port: numberOf(form.port),
    protocol: 'tcp',
    dataplane: form.dataplane,
    forwarding: form.forwarding,
    scheduler: form.scheduler,
    announce: form.announce,
    ...(form.interface.trim() === '' ? {} : { interface: form.interface.trim() }),
    ...(form.allowOwnAddress ? { allowOwnAddress: true } : {}),
    check:
      check.type === 'none'
        ? { type: 'none' }
        : {
            type: 'tcp',
            intervalMs: numberOf(check.intervalMs),
            timeoutMs: numberOf(check.timeoutMs),
            rise: numberOf(check.rise),
            fall: numberOf(check.fall),
          },
    realServers: form.realServers.map((row) => ({
      address: textOf(row.address),
      port: numberOf(row.port === '' ? form.port : row.port),
      weight: numberOf(row.weight === '' ? '1' : row.weight),
      ...(row.name.trim() === '' ? {} : { name: row.name.trim() }),
    })),
  })
}

/** Which step shows the field of an issue, by the first word of its path. */
export function stepOfIssue(issue: Issue): WizardStep {
  switch (issue.path[0]) {
    case 'name':
    case 'port':
    case 'protocol':
      return 'what'
    case 'forwarding':
      return 'mode'
    case 'dataplane':
    case 'scheduler':
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

/** What the hosts are to be checked for; null while the form cannot be read as a service. */
export function checkRequestOf(form: ServiceForm, directorId: string): CheckRequest | null {
  const parsed = serviceOf(form)
  if (!parsed.ok || form.realServers.length === 0) return null
  const { vip, port, forwarding, dataplane, allowOwnAddress, realServers } = parsed.value
  if (vip === undefined) return null
  return {
    directorId,
    vip,
    port,
    forwarding,
    dataplane,
    allowOwnAddress: allowOwnAddress ?? false,
    announce: parsed.value.announce,
    isLive: false,
    realServers: realServers.map(({ address, port: realServerPort }, i) => ({
      address,
      port: realServerPort,
      access: (form.realServers[i]?.access ?? { kind: 'direct' }) as RealServerAccess,
    })),
  }
}

/**
 * Everything that a host's findings depend on, as a comparable text. A report taken under another key is stale and the
 * host is checked again. The director's findings depend on every real server, a real server's only on itself.
 */
export function dependenciesOf(request: CheckRequest, host: string): string {
  const { vip, port, forwarding, allowOwnAddress, realServers } = request
  const own = host === 'director' ? realServers : realServers.filter(({ address }) => address === host)
  return JSON.stringify([vip, port, forwarding, allowOwnAddress, own])
}
