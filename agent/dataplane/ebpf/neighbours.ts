// Keeps interface and MAC address of each real server in the maps. The kernel keeps the neighbours resolved, since
// redirected packets never confirm them.
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import type { ForwardingMethod } from '../../../core/model/dataplane.ts'
import { isErrno } from '../../kernel/errno.ts'
import { type Link, type Neighbour, type RouteSocket, watchRoutes } from '../../kernel/route.ts'
import type { DataplaneEvent } from '../dataplane.ts'
import { type Layout, type RealRecord, realUse, word, wordOf } from './layout.ts'
import type { MapSet } from './map-set.ts'

/** Routes change without news that are listened to: look at all of it now and then. */
const refreshEveryMs = 10_000
/** News come in bursts: an interface that goes up tells several times. */
const settleMs = 20
const resolveStepMs = 10
/** How soon a neighbour is looked for that XDP had no address of; within the second after which TCP sends again. */
const wantedEveryMs = 100

/** Where packets for a real server leave. */
interface NextHop {
  /** Who gets the frames: the real server itself, or the gateway on the way there. */
  readonly via: string
  readonly ifindex: number
  /** Tag of the frames on that interface; 0: none. */
  readonly vlan: number
  readonly sourceMac: string
  readonly mtu: number
  /** The director's own address on the way: it stands in the outer header of a tunnel. */
  readonly ownAddress: string | null
  /** Null: not known yet. The kernel asks for it (TCX), or packets are dropped under a name (XDP). */
  readonly mac: string | null
}

/** A real server and how packets get to it. */
interface Target {
  readonly address: string
  readonly forwarding: ForwardingMethod
}

export interface NeighbourListeners {
  tell(event: DataplaneEvent): void
  /** All ways to real servers are up to date. */
  refreshed(): void
  /** A look that failed; the next one is not far. */
  failed(error: unknown): void
}

export class Neighbours {
  readonly #set: MapSet
  readonly #layout: Layout
  readonly #routes: RouteSocket
  readonly #listeners: NeighbourListeners
  readonly #stop: () => void
  readonly #timers: readonly NodeJS.Timeout[]
  #planned: NodeJS.Timeout | undefined
  /** What was last told of each address. */
  readonly #known = new Map<string, string | null>()
  /** Neighbours that the kernel keeps for us: interface by address. */
  readonly #managed = new Map<string, number>()
  /** Who gets the frames of the real servers. */
  #vias: ReadonlySet<string | undefined> = new Set()
  /** Not programmed yet, and looked for. */
  readonly #resolving = new Set<string>()

  constructor(set: MapSet, layout: Layout, routes: RouteSocket, listeners: NeighbourListeners) {
    this.#set = set
    this.#layout = layout
    this.#routes = routes
    this.#listeners = listeners
    const soon = (): void => this.#planRefresh()
    this.#stop = watchRoutes({
      link: soon,
      address: soon,
      neighbour: ({ address }) => {
        if (this.#known.has(address) || this.#vias.has(address)) soon()
      },
      lost: soon,
    })
    this.#timers = [setInterval(soon, refreshEveryMs), setInterval(() => this.#lookForWanted(), wantedEveryMs)]
    for (const timer of this.#timers) timer.unref()
  }

  /** Next hops to clients that programs at XDP left in the map. */
  #lookForWanted(): void {
    const { wanted } = this.#layout
    const rows = this.#set.rows('lb_wanted')
    const family = wanted.offsetOf('family')
    for (let index = 0; index < rows.count; index++) {
      if (rows.view.getUint32(rows.at(index) + family, true) === 0) continue
      const { addr, ifindex } = wanted.read(rows.view, rows.at(index))
      wanted.write(rows.view, rows.at(index), { family: 0 })
      try {
        this.#routes.lookForNeighbour(ifindex, addr)
      } catch (error) {
        this.#listeners.failed(error)
      }
    }
  }

  #planRefresh(): void {
    if (this.#planned !== undefined) return
    this.#planned = setTimeout(() => {
      this.#planned = undefined
      try {
        this.refresh()
      } catch (error) {
        this.#listeners.failed(error)
      }
    }, settleMs)
    this.#planned.unref()
  }

  /**
   * Has the kernel look for a real server that is not programmed yet, and waits until it is found, at most for the time
   * given: XDP has to drop packets for one that is not.
   */
  async resolve(target: Target, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    try {
      for (;;) {
        const links = new Map(this.#routes.links().map((link) => [link.index, link]))
        const hop = this.#nextHop(target, links, this.#routes.neighbours())
        if (hop !== null) this.#resolving.add(hop.via)
        if (hop === null || hop.mac !== null || performance.now() > deadline) return
        await setTimeoutPromise(resolveStepMs)
      }
    } finally {
      this.#resolving.clear()
    }
  }

  /** Asks the kernel about every real server. */
  refresh(): void {
    const links = new Map(this.#routes.links().map((link) => [link.index, link]))
    this.#writeInterfaces(links)
    const neighbours = this.#routes.neighbours()
    const hops = new Map<string, NextHop | null>()
    const told = new Set<string>()
    for (const { base, ...target } of this.#realServers()) {
      const key = `${target.forwarding} ${target.address}`
      let hop = hops.get(key)
      if (hop === undefined) {
        hop = this.#nextHop(target, links, neighbours)
        hops.set(key, hop)
        this.#say(target.address, hop, links)
        told.add(target.address)
      }
      this.#write(base, hop)
    }
    const vias = new Set([...hops.values()].map((hop) => hop?.via))
    this.#vias = vias
    for (const [address, ifindex] of this.#managed) {
      if (!vias.has(address) && !this.#resolving.has(address)) this.#forget(address, ifindex)
    }
    for (const address of this.#known.keys()) if (!told.has(address)) this.#known.delete(address)
    this.#listeners.refreshed()
  }

  /** XDP cannot tell for whom a frame is; the maps tell it. */
  #writeInterfaces(links: ReadonlyMap<number, Link>): void {
    const rows = this.#set.rows('lb_ifaces')
    for (const { index, mac } of links.values()) {
      if (mac === null || index >= rows.count) continue
      const known = this.#layout.iface.read(rows.view, rows.at(index))
      if (known.mac !== mac) this.#layout.iface.write(rows.view, rows.at(index), { is_known: 0 })
      this.#layout.iface.write(rows.view, rows.at(index), { mac })
      this.#layout.iface.write(rows.view, rows.at(index), { is_known: 1 })
    }
  }

  *#realServers(): Generator<Target & { base: number }> {
    const { real } = this.#layout
    const rows = this.#set.rows('lb_reals')
    const use = real.offsetOf('use')
    for (let index = 1; index < rows.count; index++) {
      const base = rows.at(index)
      if (rows.view.getUint8(base + use) !== realUse.inUse) continue
      const row = real.read(rows.view, base)
      yield { base, address: row.addr, forwarding: wordOf(word.forwarding, row.forwarding, 'forwarding') }
    }
  }

  /** Null where nothing leads to it, or in DR no interface does directly: a gateway has no use for the VIP's packets. */
  #nextHop(
    { address, forwarding }: Target,
    links: ReadonlyMap<number, Link>,
    neighbours: readonly Neighbour[],
  ): NextHop | null {
    const route = this.#routes.routeTo(address)
    if (route === null || route.isLocal) return null
    const via = route.gateway ?? address
    if (via !== address && forwarding === 'dr') return null
    const link = links.get(route.ifindex)
    if (link === undefined || link.mac === null || !link.isEthernet) return null
    const found = neighbours.find((each) => each.address === via && each.ifindex === link.index)
    if (found?.isManaged !== true && found?.isPermanent !== true) this.#manage(link.index, via)
    else if (found.isManaged) this.#managed.set(via, link.index)
    // XDP cannot redirect to a VLAN interface: its frames leave by the one below, tagged.
    const way = link.vlan === null ? { ifindex: link.index, vlan: 0 } : { ifindex: link.vlan.lower, vlan: link.vlan.id }
    return { via, ...way, sourceMac: link.mac, mtu: link.mtu, ownAddress: route.source, mac: found?.mac ?? null }
  }

  #manage(ifindex: number, address: string): void {
    try {
      this.#routes.manageNeighbour(ifindex, address)
      this.#managed.set(address, ifindex)
    } catch (error) {
      if (!isErrno(error, 'ENETDOWN', 'ENODEV')) throw error
    }
  }

  #forget(address: string, ifindex: number): void {
    this.#managed.delete(address)
    try {
      this.#routes.removeNeighbour(ifindex, address)
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error
    }
  }

  /** The programs never see half of a way: reachable is taken back first and said last. */
  #write(base: number, hop: NextHop | null): void {
    const { view } = this.#set.rows('lb_reals')
    const { real } = this.#layout
    if (isWritten(real.read(view, base), hop)) return
    real.write(view, base, { is_reachable: 0 })
    real.write(
      view,
      base,
      hop === null
        ? { ifindex: 0 }
        : {
            ifindex: hop.ifindex,
            vlan: hop.vlan,
            source_mac: hop.sourceMac,
            mtu: hop.mtu,
            ...(hop.ownAddress === null ? {} : { outer_saddr: hop.ownAddress }),
            ...(hop.mac === null ? {} : { mac: hop.mac }),
          },
    )
    if (hop !== null && hop.mac !== null) real.write(view, base, { is_reachable: 1 })
  }

  #say(address: string, hop: NextHop | null, links: ReadonlyMap<number, Link>): void {
    const mac = hop?.mac ?? null
    const before = this.#known.get(address)
    this.#known.set(address, mac)
    if (before === mac || (before === undefined && mac === null)) return
    const name = hop === null ? null : (links.get(hop.ifindex)?.name ?? null)
    this.#listeners.tell({ kind: 'neighbour', address, interface: name, mac })
  }

  /** Ends the watching. With `release`, the kernel forgets the neighbours as well. */
  close(release = false): void {
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#planned)
    this.#stop()
    if (release) for (const [address, ifindex] of this.#managed) this.#forget(address, ifindex)
  }
}

function isWritten(record: RealRecord, hop: NextHop | null): boolean {
  if (hop === null) return record.ifindex === 0 && record.is_reachable === 0
  return (
    record.ifindex === hop.ifindex &&
    record.vlan === hop.vlan &&
    record.source_mac === hop.sourceMac &&
    record.mtu === hop.mtu &&
    (hop.ownAddress === null || record.outer_saddr === hop.ownAddress) &&
    record.is_reachable === (hop.mac === null ? 0 : 1) &&
    (hop.mac === null || record.mac === hop.mac)
  )
}
