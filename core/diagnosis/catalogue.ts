import type { ForwardingMethod } from '../model/dataplane.ts'
import type { HostRole } from './finding.ts'
import { type CheckParameters, type Rule, type RuleId, ruleIds } from './rule.ts'
import { arpAnnounce, arpIgnore, nobodyElseAnswers } from './rules/arp.ts'
import { bpffsIsMounted, jitIsOn, kernelHasBtf, noOtherPrograms } from './rules/ebpf.ts'
import { portsAreEqual, realServersAreOnLink, repliesBypassDirector, reversePathIsOpen } from './rules/path.ts'
import { hostIsRealServer, serviceListensOnVip, vipIsOnLoopback } from './rules/real-server.ts'
import { directorOwnsVip, vipIsFreeOnDirector, vipIsInConnectedNetwork } from './rules/vip-on-director.ts'

const known: readonly Rule[] = [
  vipIsFreeOnDirector,
  vipIsInConnectedNetwork,
  directorOwnsVip,
  realServersAreOnLink,
  portsAreEqual,
  nobodyElseAnswers,
  kernelHasBtf,
  bpffsIsMounted,
  jitIsOn,
  noOtherPrograms,
  hostIsRealServer,
  arpIgnore,
  arpAnnounce,
  vipIsOnLoopback,
  serviceListensOnVip,
  repliesBypassDirector,
  reversePathIsOpen,
]

/** Every rule, in the order in which findings are listed. To add one: its id, the rule here, its sentences, its row. */
export const rules: readonly Rule[] = [...known].sort((a, b) => ruleIds.indexOf(a.id) - ruleIds.indexOf(b.id))

/** Rules that hold for a service's forwarding method and dataplane on a host in this role. */
export function rulesFor(role: HostRole, request: Pick<CheckParameters, 'forwarding' | 'dataplane'>): readonly Rule[] {
  return rules.filter(
    (rule) =>
      rule.role === role && rule.forwarding.includes(request.forwarding) && rule.dataplanes.includes(request.dataplane),
  )
}

/**
 * Whether the catalogue knows what this forwarding method asks of the hosts beyond what all of them ask. Where it does
 * not, hosts without a finding are not hosts that are ready.
 */
export const isMethodCovered = (forwarding: ForwardingMethod): boolean =>
  rules.some((rule) => rule.forwarding.length === 1 && rule.forwarding[0] === forwarding)

/** Rules whose fixes must be in place before that of `id`, and be undone after it. */
export function fixAfter(id: string): readonly RuleId[] {
  return rules.find((rule) => rule.id === id)?.fixAfter ?? []
}

/** Sorts fixes of one host so that each comes after those it needs. */
export function inFixOrder<T extends { readonly rule: string }>(fixes: readonly T[]): T[] {
  const depth = (id: string): number => Math.max(0, ...fixAfter(id).map((before) => depth(before) + 1))
  return fixes
    .map((fix, index) => ({ fix, index }))
    .sort((a, b) => depth(a.fix.rule) - depth(b.fix.rule) || a.index - b.index)
    .map(({ fix }) => fix)
}
