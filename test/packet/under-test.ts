// The real programs in the real kernel on maps of their own, pinned and attached nowhere.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type BpfProgram } from '../../agent/kernel/bpf-program.ts'
import { type ObjectFile, readObject } from '../../agent/kernel/object.ts'
import { type FlowSlot, FlowWalk } from '../../agent/dataplane/ebpf/flow-walk.ts'
import { FlowTable } from '../../agent/dataplane/ebpf/flow-table.ts'
import { type Layout, type RealRecord, bindLayout } from '../../agent/dataplane/ebpf/layout.ts'
import { type Capacity, type MapSet, createMaps } from '../../agent/dataplane/ebpf/map-set.ts'
import { Tables } from '../../agent/dataplane/ebpf/tables.ts'
import { formatEndpoint, type IpFamily } from '../../core/model/address.ts'
import type { RealServerConfig } from '../../core/model/plan.ts'
import { type RealServerState, serviceKey } from '../../core/model/service.ts'
import { realServerConfig, serviceConfig } from '../fixtures/configs.ts'

const objectFile = resolve(import.meta.dirname, '../../dist/agent/bpf/lb.bpf.o')

export function readBuiltObject(): ObjectFile {
  if (!existsSync(objectFile)) throw new Error(`${objectFile} is missing: npm run build`)
  return readObject(readFileSync(objectFile), 'lb.bpf.o')
}

export type Hook = 'tcx' | 'xdp'

/** What the service under test speaks. */
export interface Kind {
  readonly family: IpFamily
  readonly protocol: 'tcp' | 'udp'
  /** Left out: DR. The family is that of the outer header. */
  readonly tunnel?: { readonly type: 'ipip' | 'gue'; readonly family: IpFamily }
}

export const vips: Readonly<Record<IpFamily, string>> = { ipv4: '192.0.2.100', ipv6: '2001:db8::100' }
export const vip = vips.ipv4
export const service = `tcp/${vip}:80`
const plain: Kind = { family: 'ipv4', protocol: 'tcp' }
/** Where packets leave; no test looks at it, since a test run redirects nothing. */
const outInterface = 1
export const directorMac = '02:00:00:00:00:fe'

/** MAC address of a real server by its place, from 1. */
export const macOf = (n: number): string => `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`
/** The director's own address on the way to tunnel real servers. */
export const ownAddresses: Readonly<Record<IpFamily, string>> = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' }
export const guePort = 6080
export const addressOf = (n: number, family: IpFamily = 'ipv4'): string =>
  `${family === 'ipv4' ? '192.0.2.' : '2001:db8::'}${10 + n}`
export const keyOf = (n: number): string => formatEndpoint(addressOf(n, 'ipv4'), 80)

const verdictNames: Readonly<Record<Hook, ReadonlyMap<number, string>>> = {
  // TC_ACT_UNSPEC (TCX_NEXT), TC_ACT_SHOT, TC_ACT_REDIRECT of include/uapi/linux/pkt_cls.h
  tcx: new Map([
    [-1, 'pass'],
    [2, 'drop'],
    [7, 'redirect'],
  ]),
  // enum xdp_action
  xdp: new Map([
    [2, 'pass'],
    [1, 'drop'],
    [4, 'redirect'],
  ]),
}

export interface Outcome {
  readonly verdict: string
  readonly packet: Buffer
  /** Counters that grew, with how much. */
  readonly counted: Readonly<Record<string, number>>
}

export class UnderTest {
  readonly set: MapSet
  readonly layout: Layout
  readonly tables: Tables
  readonly flows: FlowTable
  readonly programs: ReadonlyMap<string, BpfProgram>
  readonly kind: Kind
  readonly service: string

  constructor(realServers: number, capacity: Capacity = {}, kind: Kind = plain) {
    this.kind = kind
    const object = readBuiltObject()
    this.layout = bindLayout(object)
    this.set = createMaps(null, object, this.layout, { services: 4, realServers: 64, buckets: 1024, ...capacity })
    this.programs = this.set.load()
    this.tables = new Tables(this.set, this.layout)
    this.flows = new FlowTable(this.set, this.layout, this.program('lb_clock'))
    const config = serviceConfig({ vip: vips[kind.family], family: kind.family, protocol: kind.protocol })
    this.service = serviceKey({ ...config, vip: vips[kind.family] })
    this.tables.putService(this.service, config)
    for (let n = 1; n <= realServers; n++) this.add(n)
  }

  program(name: string): BpfProgram {
    const found = this.programs.get(name)
    if (found === undefined) throw new Error(`no program ${name}`)
    return found
  }

  add(n: number): void {
    const index = this.tables.putReal(this.service, this.#configOf(n))
    this.write(index, {
      ifindex: outInterface,
      mac: macOf(n),
      source_mac: directorMac,
      mtu: 1500,
      is_reachable: 1,
      ...(this.kind.tunnel === undefined ? {} : { outer_saddr: ownAddresses[this.kind.tunnel.family] }),
    })
  }

  change(n: number, settings: { weight?: number; state?: RealServerState }): void {
    this.tables.putReal(this.service, { ...this.#configOf(n), ...settings })
  }

  addressOf(n: number): string {
    return addressOf(n, this.kind.tunnel?.family ?? this.kind.family)
  }

  #configOf(n: number): RealServerConfig {
    const { tunnel } = this.kind
    if (tunnel === undefined) return realServerConfig({ address: this.addressOf(n) })
    const { type } = tunnel
    return realServerConfig({
      address: this.addressOf(n),
      forwarding: 'tun',
      tunnel: { type, checksum: 'nocsum', ...(type === 'gue' ? { port: guePort } : {}) },
    })
  }

  keyOf(n: number): string {
    return formatEndpoint(this.addressOf(n), 80)
  }

  indexOf(n: number): number {
    const found = this.tables.service(this.service).reals.find((real) => real.key === this.keyOf(n))
    if (found === undefined) throw new Error(`no real server ${n}`)
    return found.index
  }

  write(index: number, values: Partial<RealRecord>): void {
    const rows = this.set.rows('lb_reals')
    this.layout.real.write(rows.view, rows.at(index), values)
  }

  /** Every entry of the flow cache that is in use. */
  slots(): FlowSlot[] {
    const found: FlowSlot[] = []
    new FlowWalk(this.set, this.layout).part(0, this.set.sizes.buckets, (slot) => found.push({ ...slot }))
    return found
  }

  /** Lets the given time go by for all flows that are remembered. */
  age(seconds: number): void {
    const { view } = this.set.rows('lb_buckets')
    const jiffies = Math.round((seconds * 1000) / this.set.millisecondsPerJiffy)
    for (const { base } of this.slots()) {
      const { last_seen: seen } = this.layout.flow.read(view, base)
      this.layout.flow.write(view, base, { last_seen: (seen - jiffies) >>> 0 })
    }
  }

  counters(): Record<string, number> {
    const rows = this.set.rows('lb_cpus')
    const sums: Record<string, number> = {}
    for (let cpu = 0; cpu < this.set.cpus; cpu++) {
      const { count } = this.layout.cpu.read(rows.view, rows.at(cpu))
      for (const [place, name] of this.layout.counters.entries()) sums[name] = (sums[name] ?? 0) + Number(count[place])
    }
    return sums
  }

  run(hook: Hook, packet: Buffer, context?: Buffer): Outcome {
    const before = this.counters()
    const options = context === undefined ? {} : { context }
    const { result, packet: out } = this.program(`lb_${hook}`).testRun(packet, options)
    const counted = Object.entries(this.counters())
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, difference]) => difference !== 0)
    return {
      verdict: verdictNames[hook].get(result) ?? `code ${result}`,
      packet: out,
      counted: Object.fromEntries(counted),
    }
  }

  close(): void {
    for (const program of this.programs.values()) program.close()
    this.set.close()
  }
}
