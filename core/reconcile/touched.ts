import type { ClusterSpec } from '../model/cluster-spec.ts'
import { serviceKey } from '../model/service.ts'

/** Keys of the services that differ between two documents: added, removed, or changed in any field. Sorted. */
export function touchedServices(before: ClusterSpec, after: ClusterSpec): string[] {
  const byKey = (spec: ClusterSpec) =>
    new Map(spec.services.map((service) => [serviceKey(service), JSON.stringify(service)]))
  const [old, now] = [byKey(before), byKey(after)]
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key)).toSorted()
}
