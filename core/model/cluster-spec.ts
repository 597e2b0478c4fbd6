import { z } from 'zod'
import { familyOf } from './address.ts'
import { IpvsSettings } from './ipvs-settings.ts'
import { type Issue, expected, issuesOf, strictFields } from './issue.ts'
import { familyOfService, forwardingOf, type ServiceIssue, serviceIssues } from './service-rules.ts'
import { VirtualService, serviceKey } from './service.ts'

export const maxServices = 1000

const Fields = strictFields({
  apiVersion: z.literal('signalbox/v1', expected('apiVersion')),
  name: z.string(expected('clusterName')).regex(/^(?=.*\S)[^\p{Cc}\p{Zl}\p{Zp}]{1,60}$/u, expected('clusterName')),
  services: z
    .array(VirtualService, expected('list', { max: maxServices }))
    .max(maxServices, expected('list', { max: maxServices })),
  /** Settings that IPVS has once for a director. */
  ipvs: IpvsSettings.optional(),
})
type SpecFields = z.infer<typeof Fields>

/** The document that an operator edits: what the directors of a cluster shall do. */
export const ClusterSpec = Fields.superRefine((spec, context) => {
  for (const issue of crossFieldIssues(spec)) context.addIssue({ code: 'custom', ...issue })
})
export type ClusterSpec = z.infer<typeof ClusterSpec>

export const emptySpec = (name: string): ClusterSpec => ({ apiVersion: 'signalbox/v1', name, services: [] })

/** Rules between fields: each names the later of the two places, where the operator is likely to type. */
function* crossFieldIssues({ services, ipvs }: SpecFields): Generator<ServiceIssue> {
  const keys = new Map<string, number>()
  const names = new Map<string, number>()
  const realServerAddresses = new Map<string, string>()
  for (const [s, service] of services.entries()) {
    const sameKey = keys.get(serviceKey(service))
    if (sameKey !== undefined) {
      const field = service.fwmark === undefined ? 'port' : 'fwmark'
      yield {
        path: ['services', s, field],
        message: expected('distinctService', { other: `services[${sameKey}]` }).error(),
      }
    } else keys.set(serviceKey(service), s)
    const sameName = names.get(service.name)
    if (sameName !== undefined) {
      yield {
        path: ['services', s, 'name'],
        message: expected('distinctName', { other: `services[${sameName}]` }).error(),
      }
    } else names.set(service.name, s)
    for (const issue of serviceIssues(service)) yield { ...issue, path: ['services', s, ...issue.path] }
    for (const [r, realServer] of service.realServers.entries()) {
      if (realServer.address !== service.vip && forwardingOf(service, realServer) !== 'local') {
        realServerAddresses.set(realServer.address, `services[${s}].realServers[${r}]`)
      }
      const family = familyOfService(service)
      // ip_vs_ctl.c: a real server of another family is refused while a sync daemon runs, and the other way round.
      if (ipvs?.sync !== undefined && familyOf(realServer.address) !== family) {
        yield {
          path: ['services', s, 'realServers', r, 'address'],
          message: expected('noSyncWithMixedFamilies', { family }).error(),
        }
      }
    }
  }
  for (const [s, { vip }] of services.entries()) {
    const other = vip === undefined ? undefined : realServerAddresses.get(vip)
    if (other !== undefined) {
      yield { path: ['services', s, 'vip'], message: expected('notRealServer', { other }).error() }
    }
  }
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; issues: Issue[] }

/** Reads a value that came from outside (file, form, peer) as a cluster spec; never throws. */
export function parseClusterSpec(input: unknown): Parsed<ClusterSpec> {
  if (input === null || input === undefined)
    return { ok: false, issues: [{ path: [], found: 'nothing', expectation: 'document' }] }
  const result = ClusterSpec.safeParse(input)
  return result.success ? { ok: true, value: result.data } : { ok: false, issues: issuesOf(result.error, input) }
}

/** Reads one service as a form has it, with the same rules and with paths relative to the service. */
export function parseService(input: unknown): Parsed<VirtualService> {
  const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'form', services: [input] })
  if (parsed.ok) return { ok: true, value: parsed.value.services[0] as VirtualService }
  return { ok: false, issues: parsed.issues.map((issue) => ({ ...issue, path: issue.path.slice(2) })) }
}
