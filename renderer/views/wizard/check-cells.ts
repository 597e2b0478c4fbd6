import type { CheckedHostReport, CheckRequest } from '../../../core/contract/console.ts'
import type { Finding, Fix } from '../../../core/diagnosis/finding.ts'
import { dependenciesOf } from './check-request.ts'

/** A report with what it was taken for; under another key it is stale. */
export interface KeptReport {
  readonly report: CheckedHostReport
  readonly key: string
}

/** How a host stands as a whole, for its row's mark and for going on. */
export type HostVerdict = 'running' | 'ok' | 'warning' | 'blocked' | 'open' | 'failed' | 'stale' | 'none'

export const checkedHosts = (request: CheckRequest): string[] => [
  'director',
  ...new Set(request.realServers.map(({ address }) => address)),
]

/** Hosts whose findings do not belong to the present form; these are to be checked (again). */
export function staleHosts(request: CheckRequest, reports: ReadonlyMap<string, KeptReport>): string[] {
  return checkedHosts(request).filter((host) => reports.get(host)?.key !== dependenciesOf(request, host))
}

/** True where the operator has to say so before going on: nothing that was not seen to be right passes by itself. */
export function isOpen(finding: Finding): boolean {
  return finding.severity !== 'informs' && finding.status !== 'ok' && finding.status !== 'warning'
}

export function verdictOf(request: CheckRequest, host: string, reports: ReadonlyMap<string, KeptReport>): HostVerdict {
  const kept = reports.get(host)
  if (kept === undefined) return 'none'
  if (kept.key !== dependenciesOf(request, host)) return 'stale'
  const { state, findings } = kept.report
  if (state === 'running') return 'running'
  if (state === 'failed') return 'failed'
  if (findings.some(({ severity, status }) => severity === 'blocks' && status === 'missing')) return 'blocked'
  if (findings.some(isOpen)) return 'open'
  return findings.some(({ status }) => status === 'warning') ? 'warning' : 'ok'
}

/** Rows that are open on the hosts as they stand now, as `rule@host`. */
export function openRows(request: CheckRequest, reports: ReadonlyMap<string, KeptReport>): string[] {
  return checkedHosts(request).flatMap((host) => {
    const kept = reports.get(host)
    if (kept === undefined || kept.key !== dependenciesOf(request, host) || kept.report.state !== 'done')
      return [`*@${host}`]
    return kept.report.findings.filter(isOpen).map(({ rule }) => `${rule}@${host}`)
  })
}

/** Fixes of everything that is missing, in the order in which the rules list them, grouped by host. */
export function fixesByHost(request: CheckRequest, reports: ReadonlyMap<string, KeptReport>): Map<string, Fix[]> {
  const byHost = new Map<string, Fix[]>()
  for (const host of checkedHosts(request)) {
    const fixes = (reports.get(host)?.report.findings ?? []).flatMap(({ status, fix }) =>
      fix !== null && (status === 'missing' || status === 'warning') ? [fix] : [],
    )
    if (fixes.length > 0) byHost.set(host, fixes)
  }
  return byHost
}

/** Real servers that were tried at their own address and could not be reached there: another way may lead to them. */
export function hostsOutOfReach(request: CheckRequest, reports: ReadonlyMap<string, KeptReport>): string[] {
  const direct = request.realServers.filter(({ access }) => access.kind === 'direct').map(({ address }) => address)
  return [...new Set(direct)].filter((host) => {
    const kept = reports.get(host)
    return (
      kept?.key === dependenciesOf(request, host) &&
      kept.report.state === 'failed' &&
      kept.report.error?.code === 'SSH_UNREACHABLE'
    )
  })
}
