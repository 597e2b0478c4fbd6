// Keeps interface and MAC address of each real server in the maps. The kernel keeps the neighbours resolved, since
// redirected packets never confirm them.
import { isErrno } from '../../kernel/errno.ts'
import { type RouteSocket, watchRoutes } from '../../kernel/route.ts'
import type { DataplaneEvent } from '../dataplane.ts'
import { type Layout, realUse } from './layout.ts'
import type { MapSet } from './map-set.ts'

/** A route or an interface may change without news about the neighbour: look at all of it now and then. */
const refreshEveryMs = 10_000

export class Neighbours {
  readonly #set: MapSet
  readonly #layout: Layout
  readonly #routes: RouteSocket
  readonly #tell: (event: DataplaneEvent) => void
  readonly #stop: () => void
  readonly #timer: NodeJS.Timeout
  /** What was last told of each address. */
  readonly #known = new Map<string, string | null>()
  /** Neighbours that the kernel keeps for us, by address. */
  readonly #managed = new Map<string, number>()

  constructor(set: MapSet, layout: Layout, routes: RouteSocket, tell: (event: DataplaneEvent) => void) {
    this.#set = set
    this.#layout = layout
    this.#routes = routes
    this.#tell = tell
    this.#stop = watchRoutes({
      link: () => this.refresh(),
      address: () => this.refresh(),
      neighbour: ({ address, ifindex, mac }) => this.#learn(address, ifindex, mac),
      lost: () => this.refresh(),
    })
    this.#timer = setInterval(() => this.refresh(), refreshEveryMs)
    this.#timer.unref()
  }

  *#rows(): Generator<{ base: number; address: string }> {
    const { real } = this.#layout
    const rows = this.#set.rows('lb_reals')
    const use = real.offsetOf('use')
    for (let index = 1; index < rows.count; index++) {
      const base = rows.at(index)
      if (rows.view.getUint8(base + use) === realUse.inUse) yield { base, address: real.read(rows.view, base).addr }
    }
  }

  /** Asks the kernel about every real server. */
  refresh(): void {
    const links = new Map(this.#routes.links().map((link) => [link.index, link]))
    const neighbours = this.#routes.neighbours()
    const addresses = new Set<string>()
    const ifaces = this.#set.rows('lb_ifaces')
    for (const link of links.values()) {
      if (link.mac === null || link.index >= ifaces.count) continue
      this.#layout.iface.write(ifaces.view, ifaces.at(link.index), { mac: link.mac, is_known: 1 })
    }
    for (const { base, address } of this.#rows()) {
      addresses.add(address)
      const route = this.#routes.routeTo(address)
      const link = route === null || route.isLocal || route.gateway !== null ? undefined : links.get(route.ifindex)
      if (link === undefined || link.mac === null) {
        this.#write(base, { ifindex: 0, is_reachable: 0 })
        this.#say(address, null, null)
        continue
      }
      this.#write(base, { ifindex: link.index, mtu: link.mtu, source_mac: link.mac })
      this.#manage(link.index, address)
      const found = neighbours.find((each) => each.address === address && each.ifindex === link.index)
      if (found !== undefined) this.#learn(address, link.index, found.mac)
    }
    for (const [address, ifindex] of this.#managed) {
      if (!addresses.has(address)) this.#forget(address, ifindex)
    }
  }

  #manage(ifindex: number, address: string): void {
    if (this.#managed.get(address) === ifindex) return
    try {
      this.#routes.manageNeighbour(ifindex, address)
      this.#managed.set(address, ifindex)
    } catch (error) {
      // Before 5.16 the kernel does not keep neighbours; health checks confirm them then.
      if (!isErrno(error, 'EINVAL', 'EOPNOTSUPP', 'ENETDOWN')) throw error
    }
  }

  #forget(address: string, ifindex: number): void {
    this.#managed.delete(address)
    this.#known.delete(address)
    try {
      this.#routes.removeNeighbour(ifindex, address)
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error
    }
  }

  #learn(address: string, ifindex: number, mac: string | null): void {
    let isOurs = false
    for (const row of this.#rows()) {
      if (row.address !== address) continue
      const rows = this.#set.rows('lb_reals')
      if (this.#layout.real.read(rows.view, row.base).ifindex !== ifindex) continue
      isOurs = true
      // Not reachable while the address is half written: the kernel finds the way then.
      if (mac === null) this.#write(row.base, { is_reachable: 0 })
      else if (this.#layout.real.read(rows.view, row.base).mac !== mac) {
        this.#write(row.base, { is_reachable: 0 })
        this.#write(row.base, { mac })
        this.#write(row.base, { is_reachable: 1 })
      } else this.#write(row.base, { is_reachable: 1 })
    }
    if (isOurs) this.#say(address, ifindex, mac)
  }

  #write(base: number, values: Parameters<Layout['real']['write']>[2]): void {
    this.#layout.real.write(this.#set.rows('lb_reals').view, base, values)
  }

  #say(address: string, ifindex: number | null, mac: string | null): void {
    const before = this.#known.get(address)
    this.#known.set(address, mac)
    if (before === mac || (before === undefined && mac === null)) return
    const name = ifindex === null ? null : (this.#routes.link(ifindex)?.name ?? null)
    this.#tell({ kind: 'neighbour', address, interface: name, mac })
  }

  /** Ends the watching. With `release`, the kernel may forget the neighbours as well. */
  close(release = false): void {
    clearInterval(this.#timer)
    this.#stop()
    if (release) for (const [address, ifindex] of this.#managed) this.#forget(address, ifindex)
  }
}
