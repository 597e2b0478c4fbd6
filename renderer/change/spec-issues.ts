import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { type Issue, formatPath } from '../../core/model/issue.ts'
import { type RealServer, type VirtualService, realServerKey, serviceKey } from '../../core/model/service.ts'
import { paths } from '../app/paths.ts'
import type { IssueTarget } from '../components/issue-summary.tsx'

/** The part of a document that an issue's path points to. */
export interface SpecPlace {
  readonly service: VirtualService | undefined
  readonly realServer: RealServer | undefined
  /** One of the settings that IPVS has once for a director. */
  readonly isIpvs: boolean
  /** Rest of the path: the field itself. */
  readonly field: string
}

/** Finds the place; a path of a request (`input.spec.services[0].port`) is read from `services` or `ipvs` on. */
export function placeInSpec(spec: ClusterSpec, path: Issue['path']): SpecPlace {
  const start = path.findIndex((part) => part === 'services' || part === 'ipvs')
  const own = start === -1 ? path : path.slice(start)
  const [list, serviceIndex, inner, serverIndex] = own
  const isIpvs = list === 'ipvs'
  if (isIpvs) return { service: undefined, realServer: undefined, isIpvs, field: formatPath(own.slice(1)) }
  if (list !== 'services' || typeof serviceIndex !== 'number') {
    return { service: undefined, realServer: undefined, isIpvs, field: formatPath(own) }
  }
  const service = spec.services[serviceIndex]
  if (inner !== 'realServers' || typeof serverIndex !== 'number') {
    return { service, realServer: undefined, isIpvs, field: formatPath(own.slice(2)) }
  }
  return { service, realServer: service?.realServers[serverIndex], isIpvs, field: formatPath(own.slice(4)) }
}

/** Attribute of the input of one real server's field in the tables: what {@link useSpecIssues} leads to. */
export function realServerField(service: string, realServer: string, field: string): { 'data-spec-field': string } {
  return { 'data-spec-field': `${service} ${realServer} ${field}` }
}

/** Attribute of the input of one of the director's IPVS settings: `timeouts.tcpSec`, `sysctls.conntrack`, `sync.interface`. */
export function ipvsField(field: string): { 'data-spec-field': string } {
  return { 'data-spec-field': `ipvs ${field}` }
}

/** Names the issues of a document by service and real server, and leads to the page and the field of each. */
export function useSpecIssues(directorId: string, spec: ClusterSpec, onLeave: () => void): IssueTarget {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  return {
    labelOf: ({ path }) => {
      const { service, realServer, isIpvs, field } = placeInSpec(spec, path)
      if (isIpvs) return `IPVS, ${field}`
      const known = `column.field.${field}`
      const word = t(known, { defaultValue: field })
      return [service?.name, realServer === undefined ? undefined : realServerKey(realServer), word]
        .filter((part) => part !== undefined && part !== '')
        .join(', ')
    },
    goTo: ({ path }) => {
      const { service, realServer, isIpvs, field } = placeInSpec(spec, path)
      if (isIpvs) {
        onLeave()
        navigate(paths.view(directorId, 'ipvs'))
        return focusWhenThere(`[data-spec-field="${CSS.escape(ipvsField(field)['data-spec-field'])}"]`)
      }
      if (service === undefined) return
      onLeave()
      navigate(paths.service(directorId, serviceKey(service)))
      if (realServer === undefined) return
      const wanted = realServerField(serviceKey(service), realServerKey(realServer), field)['data-spec-field']
      focusWhenThere(`[data-spec-field="${CSS.escape(wanted)}"]`)
    },
  }
}

const patienceMs = 3000

/** Focuses an element as soon as the view that was asked for has drawn it; gives up in silence. */
function focusWhenThere(selector: string): void {
  const givesUpAt = performance.now() + patienceMs
  const look = (): void => {
    // A dialog that closes gives the focus back first.
    const found =
      document.querySelector('[role="dialog"]') === null ? document.querySelector<HTMLElement>(selector) : null
    if (found !== null) {
      found.scrollIntoView({ block: 'center' })
      found.focus()
    } else if (performance.now() < givesUpAt) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}
