// The dataplane as the agent loads it, on maps of its own, with one service: one such set for each row of `modes`.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { bindLayout, type Layout } from '../../agent/dataplane/ebpf/layout.ts'
import { createMaps, type MapSet } from '../../agent/dataplane/ebpf/map-set.ts'
import { Tables } from '../../agent/dataplane/ebpf/tables.ts'
import { readObject } from '../../agent/kernel/object.ts'
import type { IpFamily } from '../../core/model/address.ts'
import type { ServiceConfig } from '../../core/model/plan.ts'
import { serviceKey } from '../../core/model/service.ts'
import { realServerConfig, serviceConfig } from '../../test/fixtures/configs.ts'
import { hooks as allHooks, type Hook } from './harness.ts'
import type { Target } from './target.ts'
import { addressOfReal, port, vips } from './traffic.ts'

interface Mode {
  readonly key: string
  readonly title: string
  readonly family: IpFamily
  readonly config: Partial<ServiceConfig> & Pick<ServiceConfig, 'forwarding'>
  /** Left out: all. */
  readonly hooks?: readonly Hook[]
}

/** TCX puts a packet into a tunnel once (bpf_skb_adjust_room: EALREADY), and a test run gives it the same one again. */
const onceInATunnel: readonly Hook[] = ['xdp']

export const modes: readonly Mode[] = [
  { key: 'drIpv4', title: 'DR, IPv4', family: 'ipv4', config: { forwarding: 'dr' } },
  { key: 'tunIpv4', title: 'TUN (IPIP), IPv4', family: 'ipv4', config: { forwarding: 'tun' }, hooks: onceInATunnel },
  { key: 'tunIpv6', title: 'TUN (IPIP), IPv6', family: 'ipv6', config: { forwarding: 'tun' }, hooks: onceInATunnel },
  { key: 'drIpv6', title: 'DR, IPv6', family: 'ipv6', config: { forwarding: 'dr' } },
]

/** The one that stands against Katran, at XDP. */
export const comparedMode = 'tunIpv4'

const objectFile = resolve(import.meta.dirname, '../../dist/agent/bpf/lb.bpf.o')
/** Room for 1,048,576 flows, as Katran's set-up has. */
const capacity = { services: 16, realServers: 1024, buckets: 262_144 }
const realServers = 3
const loopback = 1
/** Stands in the outer headers of tunnels. */
const directors: Readonly<Record<IpFamily, string>> = { ipv4: '192.0.2.9', ipv6: '2001:db8::9' }
/** No new flow is turned away: what is measured is the entry, and not the cap. */
const limits = { insertCap: 0xffff_ffff }

/** Return values: enum xdp_action; TC_ACT_REDIRECT and TC_ACT_UNSPEC of include/uapi/linux/pkt_cls.h. */
const returns: Readonly<Record<Hook, Target['returns']>> = {
  xdp: { forward: 4, pass: 2 },
  tcx: { forward: 7, pass: -1 },
}
/** Counters of packets whose flow was not known. */
const missNames = ['LB_FLOW_NEW', 'LB_FLOW_FULL', 'LB_FLOW_CAPPED', 'LB_FLOW_RACE']

export interface Loaded {
  readonly targets: readonly Target[]
  close(): void
}

/** Loads the dataplane with one service of that mode; both hooks share its maps, and so its flows. */
export function loadMode(mode: Mode): Loaded {
  const object = readObject(readFileSync(objectFile), 'lb.bpf.o')
  const layout = bindLayout(object)
  const set = createMaps(null, object, layout, capacity)
  const programs = set.load(limits)
  const tables = new Tables(set, layout)
  for (const protocol of ['tcp', 'udp'] as const) addService(tables, set, layout, mode, protocol)
  // Who is meant by a frame is known, as on a director; test runs take place on the loopback interface.
  const interfaces = set.rows('lb_ifaces')
  layout.iface.write(interfaces.view, interfaces.at(loopback), { mac: '00:00:00:00:00:00', is_known: 1 })
  const targets = (mode.hooks ?? allHooks).map((hook): Target => {
    const program = programs.get(`lb_${hook}`)
    if (program === undefined) throw new Error(`no program lb_${hook}`)
    return {
      name: mode.key,
      title: mode.title,
      hook,
      family: mode.family,
      program,
      returns: returns[hook],
      misses: () => counted(set, layout, missNames),
    }
  })
  const close = (): void => {
    for (const program of programs.values()) program.close()
    set.close()
  }
  return { targets, close }
}

function addService(tables: Tables, set: MapSet, layout: Layout, mode: Mode, protocol: 'tcp' | 'udp'): void {
  const vip = vips[mode.family]
  const config = serviceConfig({ vip, port, protocol, family: mode.family, ...mode.config })
  const key = serviceKey({ ...config, vip })
  tables.putService(key, config)
  const rows = set.rows('lb_reals')
  for (let n = 1; n <= realServers; n++) {
    const index = tables.putReal(
      key,
      realServerConfig({ address: addressOfReal(n, mode.family), port, forwarding: mode.config.forwarding }),
    )
    layout.real.write(rows.view, rows.at(index), {
      // Test runs redirect nothing.
      ifindex: loopback,
      mac: `02:00:00:00:01:0${n}`,
      source_mac: '02:00:00:00:00:fe',
      mtu: 1500,
      outer_saddr: directors[mode.family],
      is_reachable: 1,
    })
  }
}

function counted(set: MapSet, layout: Layout, names: readonly string[]): number {
  const rows = set.rows('lb_cpus')
  let sum = 0
  for (let cpu = 0; cpu < set.cpus; cpu++) {
    const { count } = layout.cpu.read(rows.view, rows.at(cpu))
    for (const name of names) sum += Number(count[layout.counters.indexOf(name)] ?? 0n)
  }
  return sum
}
