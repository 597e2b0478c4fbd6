import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import { ipvsFields } from './ipvs-fields.ts'

function flatten(spec: ClusterSpec): Map<string, string> {
  const parts = new Map<string, string>([['name', spec.name]])
  for (const [field, value] of Object.entries(ipvsFields(spec))) parts.set(`ipvs ${field}`, JSON.stringify(value))
  for (const service of spec.services) {
    const key = serviceKey(service)
    for (const [field, value] of Object.entries(service)) {
      if (field !== 'realServers') parts.set(`${key} ${field}`, JSON.stringify(value))
    }
    for (const server of service.realServers) {
      for (const [field, value] of Object.entries(server)) {
        parts.set(`${key} ${realServerKey(server)} ${field}`, JSON.stringify(value))
      }
    }
  }
  return parts
}

/**
 * How many things an operator would say were changed: a field counts one, a service or real server that came or went
 * counts one whatever it holds.
 */
export function countEdits(before: ClusterSpec, after: ClusterSpec): number {
  const wholesOf = (spec: ClusterSpec) =>
    new Set(
      spec.services.flatMap((service) => [
        serviceKey(service),
        ...service.realServers.map((server) => `${serviceKey(service)} ${realServerKey(server)}`),
      ]),
    )
  const [had, has] = [wholesOf(before), wholesOf(after)]
  const cameOrWent = [...had.symmetricDifference(has)]
  // A real server that went with its service is part of that.
  const wholes = cameOrWent.filter(
    (whole) => !cameOrWent.some((other) => other !== whole && whole.startsWith(`${other} `)),
  )
  const [old, now] = [flatten(before), flatten(after)]
  const isOfWhole = (part: string) => cameOrWent.some((whole) => part.startsWith(`${whole} `))
  const fields = [...new Set([...old.keys(), ...now.keys()])].filter(
    (part) => old.get(part) !== now.get(part) && !isOfWhole(part),
  )
  return wholes.length + fields.length
}
