import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { type RealServer, type VirtualService, realServerKey, serviceKey } from '../../core/model/service.ts'
import { ipvsFields, withIpvsFields } from './ipvs-fields.ts'

/** A place where both the operator and the winner changed the same thing; the operator's value was kept. */
export interface Clash {
  /** `tcp/192.0.2.10:80 realServers 192.0.2.20:80 weight`, for the list. */
  readonly place: string
  readonly mine: string
  readonly theirs: string
}

const show = (value: unknown): string => (value === undefined ? '–' : JSON.stringify(value))
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

function mergeFields<T extends object>(
  base: T | undefined,
  mine: T,
  theirs: T,
  place: string,
  clashes: Clash[],
  skip: readonly string[] = [],
): T {
  const merged: Record<string, unknown> = { ...(theirs as Record<string, unknown>) }
  for (const field of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    if (skip.includes(field)) continue
    const of = (value: object | undefined) => (value as Record<string, unknown> | undefined)?.[field]
    if (isSame(of(base), of(mine)) || isSame(of(mine), of(theirs))) continue
    if (!isSame(of(base), of(theirs))) {
      clashes.push({ place: `${place} ${field}`, mine: show(of(mine)), theirs: show(of(theirs)) })
    }
    if (of(mine) === undefined) delete merged[field]
    else merged[field] = of(mine)
  }
  return merged as T
}

/** Three-way merge of keyed lists: the order is theirs, additions of mine at the end. */
function mergeKeyed<T extends object>(
  lists: { base: readonly T[]; mine: readonly T[]; theirs: readonly T[] },
  keyOf: (item: T) => string,
  both: (base: T | undefined, mine: T, theirs: T, key: string) => T,
  place: string,
  clashes: Clash[],
): T[] {
  const index = (list: readonly T[]) => new Map(list.map((item) => [keyOf(item), item]))
  const base = index(lists.base)
  const mine = index(lists.mine)
  const theirs = index(lists.theirs)
  const merged: T[] = []
  for (const [key, their] of theirs) {
    const own = mine.get(key)
    if (own !== undefined) merged.push(both(base.get(key), own, their, key))
    else if (!base.has(key)) merged.push(their)
    else if (!isSame(base.get(key), their)) {
      // Removed here, changed there: the removal stands, and is named.
      clashes.push({ place: `${place} ${key}`, mine: '–', theirs: show(their) })
    }
  }
  for (const [key, own] of mine) {
    if (theirs.has(key)) continue
    if (!base.has(key)) merged.push(own)
    else if (!isSame(base.get(key), own)) {
      clashes.push({ place: `${place} ${key}`, mine: show(own), theirs: '–' })
      merged.push(own)
    }
  }
  return merged
}

/**
 * Puts the operator's edits on top of a newer revision. What only one side changed is taken; where both changed the same
 * field, the operator's value stands and the clash is named, so that nothing is lost in silence.
 */
export function mergeSpec(
  base: ClusterSpec,
  mine: ClusterSpec,
  theirs: ClusterSpec,
): { spec: ClusterSpec; clashes: readonly Clash[] } {
  const clashes: Clash[] = []
  const services = mergeKeyed<VirtualService>(
    { base: base.services, mine: mine.services, theirs: theirs.services },
    serviceKey,
    (baseService, mineService, theirService, key) => ({
      ...mergeFields(baseService, mineService, theirService, key, clashes, ['realServers']),
      realServers: mergeKeyed<RealServer>(
        { base: baseService?.realServers ?? [], mine: mineService.realServers, theirs: theirService.realServers },
        realServerKey,
        (b, m, t, own) => mergeFields(b, m, t, `${key} ${own}`, clashes),
        key,
        clashes,
      ),
    }),
    'services',
    clashes,
  )
  const name = mergeFields({ name: base.name }, { name: mine.name }, { name: theirs.name }, 'cluster', clashes).name
  const ipvs = mergeFields(ipvsFields(base), ipvsFields(mine), ipvsFields(theirs), 'ipvs', clashes)
  return { spec: withIpvsFields({ ...theirs, name, services }, ipvs), clashes }
}
