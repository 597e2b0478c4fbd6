// Nanoseconds per packet: all balancers take turns on the same traffic, and the harness runs beside each of them.
import { Harness, onOneCpu, type Order } from './harness.ts'
import { type Loaded } from './ours.ts'
import type { Target } from './target.ts'
import { type Traffic, packetOf, traffics } from './traffic.ts'

/** One balancer on one traffic, a number for each round. */
export interface Series {
  readonly target: Target
  readonly traffic: Traffic
  /** Net of the harness. */
  readonly ns: readonly number[]
  /** Share of packets whose flow was not known. */
  readonly missed: number
}

const atLeast = 200_000
/** Katran's limit of new flows counts by the second. */
const warmUpMs = 5000
/** Where flows are known: five and more in one bucket of four drive each other out when they come in turn. */
const mayMiss = 0.025

/** Packets of a measured run: at least twice through all flows, or just many. */
const packetsOf = ({ flows, meets }: Traffic): number => (meets === 'new' ? 300_000 : Math.max(atLeast, flows * 2))

export function measure(loaded: readonly Loaded[], rounds: number, say: (line: string) => void): readonly Series[] {
  const harness = new Harness()
  try {
    const targets = loaded.flatMap((each) => each.targets)
    return onOneCpu(() => traffics.flatMap((traffic) => measureTraffic(harness, targets, traffic, rounds, say)))
  } finally {
    harness.close()
  }
}

function measureTraffic(
  harness: Harness,
  targets: readonly Target[],
  traffic: Traffic,
  rounds: number,
  say: (line: string) => void,
): Series[] {
  const repeat = packetsOf(traffic)
  for (const target of targets) warmUp(harness, target, traffic)
  const series = targets.map((target) => ({ target, traffic, ns: [] as number[], missed: 0 }))
  /** New flows are new to all: a table may belong to two of the programs. */
  let fresh = 0
  for (let round = 0; round < rounds; round++) {
    for (const one of series) {
      const { target } = one
      harness.send(packetOf(traffic, target.family), traffic.flows)
      const bare = harness.bare(target.hook, repeat)
      // What another balancer left in the caches goes before the clock starts.
      if (traffic.meets === 'known') through(harness, target, traffic, 'shuffled', 0, traffic.flows)
      const before = target.misses()
      const whole = through(harness, target, traffic, 'shuffled', traffic.meets === 'new' ? fresh : 0, repeat)
      fresh += repeat
      one.ns.push(whole - bare.ns)
      one.missed = (target.misses() - before) / repeat
      if (traffic.meets === 'known' && one.missed > mayMiss) {
        throw new Error(
          `${target.title}, ${traffic.title}: ${(one.missed * 100).toFixed(1)} % of the flows were not known`,
        )
      }
    }
  }
  say(`${traffic.title}: ${targets.length} programs, ${rounds} rounds of ${repeat} packets`)
  return series
}

/** Until every flow is known, or the table is as full as it gets. */
function warmUp(harness: Harness, target: Target, traffic: Traffic): void {
  harness.send(packetOf(traffic, target.family), traffic.flows)
  if (traffic.meets !== 'known') {
    // The flows of all rounds come after these.
    through(harness, target, traffic, 'shuffled', traffic.flows - (1 << 21), 1 << 21)
    return
  }
  const repeat = Math.max(traffic.flows, 1000)
  const deadline = Date.now() + warmUpMs
  for (let before = target.misses(); Date.now() < deadline; before = target.misses()) {
    through(harness, target, traffic, 'straight', 0, repeat)
    if (target.misses() - before <= repeat * mayMiss) return
  }
}

function through(
  harness: Harness,
  target: Target,
  traffic: Traffic,
  order: Order,
  from: number,
  repeat: number,
): number {
  const { result, ns } = harness.through(target.hook, target.program, order, from, repeat)
  const expected = traffic.meets === 'nobody' ? target.returns.pass : target.returns.forward
  if (result !== expected) {
    throw new Error(`${target.title} (${target.hook}), ${traffic.title}: returned ${result}, expected ${expected}`)
  }
  return ns
}
