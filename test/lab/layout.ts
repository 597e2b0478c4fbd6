import { isIP } from 'node:net'
import { machineCommand } from './machine-command.ts'

/** The real addresses of a lab host. */
export interface HostAddresses {
  /** On `mgmt0`, reachable from the machine. Undefined for a director behind a jump host. */
  readonly management: string | undefined
  /** On `eth0`, reachable inside the lab only. */
  readonly data: string
}

/** The address plan of lab `number`: a management /24 of 198.18.0.0/15 and a data /24 of 10.76.0.0/15. */
export interface Layout {
  readonly number: number
  readonly managementSubnet: string
  readonly machineAddress: string
  readonly dataSubnet: string
  /** The lab's router: default gateway of the hosts, and the machine's way to the data network. */
  readonly router: { readonly management: string; readonly data: string }
  /** Free address for the virtual service, and more of them. */
  readonly vip: string
  readonly freeAddresses: readonly string[]
  readonly hosts: ReadonlyMap<string, HostAddresses>
}

/** Number of different address plans. */
export const layoutCount = 512
export const maxRealServers = 50

/** Data addresses: router .1, director .2, client .3, real servers from .11, VIPs from .100; the same last byte for management,
 * but there the machine has .1 and the router .254. */
export const layoutOf = (number: number, realServers: number, options: { readonly jump: boolean }): Layout => {
  const management = `198.${18 + (number >> 8)}.${number & 255}`
  const data = `10.${76 + (number >> 8)}.${number & 255}`
  const hosts = new Map<string, HostAddresses>()
  hosts.set('client', { management: `${management}.3`, data: `${data}.3` })
  hosts.set('director', { management: options.jump ? undefined : `${management}.2`, data: `${data}.2` })
  for (let i = 1; i <= realServers; i++) {
    hosts.set(`rs${i}`, { management: `${management}.${10 + i}`, data: `${data}.${10 + i}` })
  }
  return {
    number,
    managementSubnet: `${management}.0/24`,
    machineAddress: `${management}.1`,
    dataSubnet: `${data}.0/24`,
    router: { management: `${management}.254`, data: `${data}.1` },
    vip: `${data}.100`,
    freeAddresses: [101, 102, 103, 104, 105, 106, 107, 108, 109].map((last) => `${data}.${last}`),
    hosts,
  }
}

interface Range {
  readonly first: number
  readonly last: number
}

/** First and last address of an IPv4 prefix (`10.0.0.1/24`, a missing length is /32); undefined for anything else. */
export const rangeOf = (prefix: string): Range | undefined => {
  const [address = '', length = '32'] = prefix.split('/')
  if (isIP(address) !== 4) return undefined
  const value = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  const size = 2 ** (32 - Number(length))
  const first = Math.floor(value / size) * size
  return { first, last: first + size - 1 }
}

/** True when neither subnet of the layout overlaps one of the prefixes. */
export const isFree = (layout: Layout, taken: readonly string[]): boolean =>
  [layout.managementSubnet, layout.dataSubnet].every((subnet) => {
    const own = rangeOf(subnet)
    return taken.every((prefix) => {
      const other = rangeOf(prefix)
      return own === undefined || other === undefined || own.last < other.first || other.last < own.first
    })
  })

/** Prefixes of the machine's addresses and routes of all tables; the default route collides with nothing. */
export const takenPrefixes = async (): Promise<string[]> => {
  const routes = JSON.parse(await machineCommand(['ip', '-json', '-4', 'route', 'show', 'table', 'all'])) as {
    dst: string
  }[]
  const links = JSON.parse(await machineCommand(['ip', '-json', '-4', 'addr', 'show'])) as {
    addr_info: { local: string; prefixlen: number }[]
  }[]
  const addresses = links.flatMap((link) => link.addr_info.map((info) => `${info.local}/${info.prefixlen}`))
  return [...routes.map((route) => route.dst), ...addresses].filter(
    (prefix) => prefix !== 'default' && prefix !== '0.0.0.0/0',
  )
}
