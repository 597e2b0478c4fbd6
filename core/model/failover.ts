import type { DataplaneName, ForwardingMethod } from './dataplane.ts'

/** Ways of a service through a director, as far as they differ in a failover. */
export const failoverWays = ['drSynced', 'natSynced', 'unsynced', 'fullnat', 'ebpfDr', 'local'] as const
export type FailoverWay = (typeof failoverWays)[number]

export interface FailoverFacts {
  /** What becomes of established connections: they go on, they go on under a condition, or they are lost. */
  readonly outcome: 'continue' | 'conditional' | 'lost'
  /** Why, one English sentence; the renderer has its own for each way (`failover.way.*`). */
  readonly why: string
}

/**
 * What a failover by hand does to established connections. The one list that the dialog, the CLI and the documents read.
 * Sources: net/netfilter/ipvs/ip_vs_sync.c (ip_vs_sync_conn_needed: TCP from ESTABLISHED on, after sync_threshold
 * packets), the flow cache's fall-back to the ring (agent/bpf/lb_flow.h), nf_nat (its entries are on one host alone);
 * counted for IPVS on a pair with Linux 6.1 (test/guest/pair.test.ts).
 */
export const failoverFacts: Readonly<Record<FailoverWay, FailoverFacts>> = {
  drSynced: {
    outcome: 'continue',
    why: 'Established TCP connections that the sync daemon has sent continue; those that are a few packets old are lost.',
  },
  natSynced: {
    outcome: 'conditional',
    why: 'Connections that the sync daemon has sent continue while the replies of the real servers find a director: the old one as long as it runs, the new one once their gateway has moved there.',
  },
  unsynced: {
    outcome: 'lost',
    why: 'Without the sync daemon the new director does not know established connections: they are lost.',
  },
  fullnat: {
    outcome: 'lost',
    why: 'Connections are lost: the state of the source NAT is on the old director and is not synchronised.',
  },
  ebpfDr: {
    outcome: 'conditional',
    why: 'Connections continue while the rings of both directors agree: the same real servers, up on both, with the same weights.',
  },
  local: {
    outcome: 'lost',
    why: 'Connections end at the old director itself and are lost with its VIP.',
  },
}

interface FailedOver {
  readonly dataplane: DataplaneName
  readonly forwarding: ForwardingMethod
}

/** The way of a service. `isSynced`: the cluster's document runs the sync daemon in both roles. */
export function failoverWay({ dataplane, forwarding }: FailedOver, isSynced: boolean): FailoverWay {
  if (dataplane === 'ebpf') return 'ebpfDr'
  if (forwarding === 'fullnat') return 'fullnat'
  if (forwarding === 'local') return 'local'
  if (!isSynced) return 'unsynced'
  return forwarding === 'nat' ? 'natSynced' : 'drSynced'
}
