/** Sizes in the map's own pixels. */
export const cell = 9
export const cellsPerRow = 22
export const poolWidth = cellsPerRow * cell + 24
export const vipWidth = 236
export const hostWidth = 168
const columnX = { host: 0, vip: hostWidth + 76, pool: hostWidth + 76 + vipWidth + 56 } as const
const top = 118
const servicesTop = 16
const gap = 18
const vipHeight = 102
const poolHead = 62
/** Up to so many real servers are named on their card. */
export const namedServers = 6
/** Matrices are never lower: they are targets for a pointer. */
export const leastMatrix = 24
const namedRow = 25
/** How far replies run beside the requests where both take the same way. */
export const replyOffset = 14

export interface Placed {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** All that a layout depends on. */
export interface Shape {
  readonly key: string
  /** Real servers. */
  readonly count: number
}

export interface Layout {
  readonly clients: Placed
  readonly director: Placed
  readonly services: readonly { readonly key: string; readonly vip: Placed; readonly pool: Placed }[]
  /** Where the reply path runs: right of all pools, then above everything, back to the clients. */
  readonly busX: number
  readonly busY: number
  readonly bottom: number
}

export function poolHeight(servers: number): number {
  const rows = Math.max(1, Math.ceil(servers / cellsPerRow))
  return poolHead + Math.max(leastMatrix, rows * cell) + 12 + (servers <= namedServers ? servers * namedRow + 4 : 0)
}

/**
 * Places everything by index: directors and clients in the first column, VIPs in the second, pools in the third. Only
 * the number of services and of their real servers counts, so nothing moves while data change.
 */
export function layoutOf(services: readonly Shape[]): Layout {
  let y = servicesTop
  const placed = services.map(({ key, count }) => {
    const own = poolHeight(count)
    const height = Math.max(vipHeight, own)
    const vip = { x: columnX.vip, y: y + (height - vipHeight) / 2, width: vipWidth, height: vipHeight }
    const pool = { x: columnX.pool, y: y + (height - own) / 2, width: poolWidth, height: own }
    y += height + gap
    return { key, vip, pool }
  })
  return {
    clients: { x: columnX.host, y: 0, width: hostWidth, height: 66 },
    director: { x: columnX.host, y: top, width: hostWidth, height: 96 },
    services: placed,
    busX: columnX.pool + poolWidth + 24,
    busY: -26,
    bottom: Math.max(y - gap, top + 96),
  }
}
