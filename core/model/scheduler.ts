import { z } from 'zod'
import { expected } from './issue.ts'

/** The kernel's 14 schedulers by their short names. Source: net/netfilter/ipvs/ip_vs_*.c. */
export const schedulerNames = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'fo',
  'ovf',
  'lblc',
  'lblcr',
  'dh',
  'sh',
  'mh',
  'sed',
  'nq',
  'twos',
] as const
export const Scheduler = z.enum(schedulerNames, expected('scheduler', { names: schedulerNames.join(', ') }))
export type Scheduler = z.infer<typeof Scheduler>

/** `fallback`: another real server where the hashed one has weight 0. `port`: the client's port is hashed too. */
export const SchedulerFlag = z.enum(['fallback', 'port'], expected('schedulerFlag'))
export type SchedulerFlag = z.infer<typeof SchedulerFlag>

interface SchedulerFacts {
  /** What a weight does: nothing but 0 = no new connections, a share, a rank (fo), or a number of connections (ovf). */
  readonly weight: 'none' | 'share' | 'rank' | 'capacity'
  /** Only sh and mh read flags. */
  readonly flags: readonly SchedulerFlag[]
}

const plain = (weight: SchedulerFacts['weight']): SchedulerFacts => ({ weight, flags: [] })
const hashing: SchedulerFacts = { weight: 'share', flags: ['fallback', 'port'] }

/** Source: ipvsadm(8) and the schedulers' sources in Linux 6.1. */
export const schedulers: Readonly<Record<Scheduler, SchedulerFacts>> = {
  rr: plain('none'),
  wrr: plain('share'),
  lc: plain('none'),
  wlc: plain('share'),
  fo: plain('rank'),
  ovf: plain('capacity'),
  lblc: plain('share'),
  lblcr: plain('share'),
  dh: plain('none'),
  sh: hashing,
  mh: hashing,
  sed: plain('share'),
  nq: plain('share'),
  twos: plain('share'),
}
