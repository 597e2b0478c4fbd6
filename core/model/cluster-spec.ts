import { z } from 'zod'
import { type Issue, expected, issuesOf, strictFields } from './issue.ts'
import { VirtualService, realServerKey, serviceKey } from './service.ts'

export const maxServices = 1000

/** The document that an operator edits: what the directors of a cluster shall do. */
export const ClusterSpec = strictFields({
  apiVersion: z.literal('signalbox/v1', expected('apiVersion')),
  name: z.string(expected('clusterName')).regex(/^(?=.*\S)[^\p{Cc}\p{Zl}\p{Zp}]{1,60}$/u, expected('clusterName')),
  services: z
    .array(VirtualService, expected('list', { max: maxServices }))
    .max(maxServices, expected('list', { max: maxServices })),
}).superRefine((spec, context) => {
  for (const issue of crossFieldIssues(spec.services)) context.addIssue({ code: 'custom', ...issue })
})
export type ClusterSpec = z.infer<typeof ClusterSpec>

export const emptySpec = (name: string): ClusterSpec => ({ apiVersion: 'signalbox/v1', name, services: [] })

type CrossFieldIssue = { path: (string | number)[]; message: string }

/** Rules between fields: each names the later of the two places, where the operator is likely to type. */
function* crossFieldIssues(services: readonly VirtualService[]): Generator<CrossFieldIssue> {
  const keys = new Map<string, number>()
  const names = new Map<string, number>()
  const realServerAddresses = new Map<string, string>()
  for (const [s, service] of services.entries()) {
    const sameKey = keys.get(serviceKey(service))
    if (sameKey !== undefined) {
      yield {
        path: ['services', s, 'port'],
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

    const seen = new Map<string, number>()
    for (const [r, realServer] of service.realServers.entries()) {
      const path = ['services', s, 'realServers', r]
      const twin = seen.get(realServerKey(realServer))
      if (twin !== undefined) {
        yield {
          path: [...path, 'address'],
          message: expected('distinctRealServer', { other: `realServers[${twin}]` }).error(),
        }
      } else seen.set(realServerKey(realServer), r)
      if (realServer.address === service.vip) yield { path: [...path, 'address'], message: expected('notVip').error() }
      else realServerAddresses.set(realServer.address, `services[${s}].realServers[${r}]`)
      if (service.forwarding === 'dr' && realServer.port !== service.port) {
        yield { path: [...path, 'port'], message: expected('samePortInDr', { port: service.port }).error() }
      }
    }
  }
  for (const [s, service] of services.entries()) {
    const other = realServerAddresses.get(service.vip)
    if (other !== undefined)
      yield { path: ['services', s, 'vip'], message: expected('notRealServer', { other }).error() }
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
