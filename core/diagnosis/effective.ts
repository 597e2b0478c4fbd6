/**
 * How the kernel combines `net.ipv4.conf.all.X` with `net.ipv4.conf.<interface>.X` (include/linux/inetdevice.h). A check
 * that reads only one of the two lies.
 */
export const combinations = {
  /** The greater of both: lowering needs both. */
  max: ['rp_filter', 'arp_ignore', 'arp_announce', 'arp_notify', 'arp_accept'],
  /** On where either is on: switching off needs both. */
  or: [
    'accept_local',
    'send_redirects',
    'secure_redirects',
    'log_martians',
    'arp_filter',
    'proxy_arp',
    'route_localnet',
    'src_valid_mark',
    'shared_media',
    'promote_secondaries',
  ],
  /** On where both are on. */
  and: ['accept_source_route', 'mc_forwarding', 'bc_forwarding', 'arp_evict_nocarrier'],
  /** The interface's own; writing `all` only copies. */
  own: ['forwarding'],
} as const

export type Combination = keyof typeof combinations
export type CombinedSysctl = (typeof combinations)[Combination][number]

const combine: Readonly<Record<Combination, (all: number, own: number) => number>> = {
  max: (all, own) => Math.max(all, own),
  or: (all, own) => (all !== 0 || own !== 0 ? 1 : 0),
  and: (all, own) => (all !== 0 && own !== 0 ? 1 : 0),
  own: (_all, own) => own,
}

const combinationOf: ReadonlyMap<string, Combination> = new Map(
  (Object.keys(combinations) as Combination[]).flatMap((combination) =>
    combinations[combination].map((name) => [name, combination] as const),
  ),
)

/** What the kernel acts on for an interface whose own value is `own`. */
export function effectiveValue(name: CombinedSysctl, all: number, own: number): number {
  return combine[combinationOf.get(name) ?? 'own'](all, own)
}
