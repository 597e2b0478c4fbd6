// The ways in which IPVS can balance, as cells of one table: mode, family, protocol, scheduler.
import type { Protocol } from '../../../core/model/dataplane.ts'
import type { Scheduler } from '../../../core/model/scheduler.ts'
import { guePort, hosts, insideAddress, localAddresses } from './network.ts'

type Family = 'ipv4' | 'ipv6'

/** How a request travels; FullNAT with the interface's own address and with addresses of its own. */
export const modes = ['dr', 'nat', 'tun ipip', 'tun gue', 'tun gre', 'local', 'fullnat', 'fullnat pool'] as const
export type Mode = (typeof modes)[number]

/** Family of the VIP, and of the real servers where it is another: only tunnels can carry one in the other. */
export const families = ['ipv4', 'ipv6', 'ipv4 in ipv6', 'ipv6 in ipv4'] as const
export type Families = (typeof families)[number]

export const protocols = ['tcp', 'udp', 'sctp'] as const satisfies readonly Protocol[]

/** Those of the guest's kernel. */
export const guestSchedulers = [
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
] as const satisfies readonly Scheduler[]
export type GuestScheduler = (typeof guestSchedulers)[number]

/** A type rather than an interface: it can be read as a record of its fields. */
export type Cell = {
  readonly mode: Mode
  readonly family: Families
  readonly protocol: (typeof protocols)[number]
  readonly scheduler: GuestScheduler
}

const isTunnel = (mode: Mode): boolean => mode.startsWith('tun')

/** Whether the mode carries these families at all. */
export const carries = (mode: Mode, family: Families): boolean => isTunnel(mode) || !family.includes(' in ')

export const cellName = ({ mode, family, protocol, scheduler }: Cell): string =>
  `${mode}, ${family}, ${protocol}, ${scheduler}`

/** Every combination, in the order of the table. */
export const allCells: readonly Cell[] = modes.flatMap((mode) =>
  families
    .filter((family) => carries(mode, family))
    .flatMap((family) =>
      protocols.flatMap((protocol) => guestSchedulers.map((scheduler) => ({ mode, family, protocol, scheduler }))),
    ),
)

/** The outer family is that behind `in`. */
const familyOfVip = (family: Families): Family => (family.startsWith('ipv4') ? 'ipv4' : 'ipv6')
const familyOfRealServers = (family: Families): Family => (family.endsWith('ipv4') ? 'ipv4' : 'ipv6')

const addressAt = (first: number, { mode, family }: Pick<Cell, 'mode' | 'family'>): string => {
  const last = first + modes.indexOf(mode) * families.length + families.indexOf(family)
  return familyOfVip(family) === 'ipv4' ? `10.1.0.${last}` : `fd00:1::${last}`
}

/** One VIP for each mode and family, one port for each scheduler: all cells can be programmed at once. */
export const vipOf = (cell: Pick<Cell, 'mode' | 'family'>): string => addressAt(100, cell)
/**
 * And one client address. A real server tells SCTP associations apart by the client's address and port, whichever VIP
 * they came by: a port that is used again too soon would be taken for the old one.
 */
export const clientOf = (cell: Pick<Cell, 'mode' | 'family'>): string => addressAt(150, cell)
export const portOf = ({ scheduler }: Pick<Cell, 'scheduler'>): number => 8000 + guestSchedulers.indexOf(scheduler)

export const clientAddresses: readonly string[] = modes.flatMap((mode) =>
  families.filter((family) => carries(mode, family)).map((family) => clientOf({ mode, family })),
)

/** VIPs that the real servers of the front carry themselves. */
export const sharedVips: readonly string[] = modes
  .filter((mode) => mode === 'dr' || isTunnel(mode))
  .flatMap((mode) => families.filter((family) => carries(mode, family)).map((family) => vipOf({ mode, family })))

/** And those at which the director itself answers. */
export const localVips: readonly string[] = (['ipv4', 'ipv6'] as const).map((family) =>
  vipOf({ mode: 'local', family }),
)

const realServersOf = (mode: Mode, family: Family): { names: [string, string]; addresses: [string, string] } => {
  const pair = mode === 'dr' || isTunnel(mode) ? (['rs1', 'rs2'] as const) : (['in1', 'in2'] as const)
  const [one, two] = mode === 'local' ? (['director', 'in2'] as const) : pair
  return { names: [one, two], addresses: [hosts[one][family], hosts[two][family]] }
}

/** Names of the two that answer. A director answers by itself in one way only, so the second is reached by NAT. */
export const namesOf = ({ mode, family }: Cell): [string, string] =>
  realServersOf(mode, familyOfRealServers(family)).names

/** Client addresses that a real server may see. */
export function clientsSeen(cell: Cell): readonly string[] {
  const { mode, family } = cell
  const outer = familyOfVip(family)
  // Whichever of the interface's addresses the kernel takes.
  if (mode === 'fullnat') return [insideAddress[outer], ...localAddresses[outer]]
  if (mode === 'fullnat pool') return localAddresses[outer]
  return [clientOf(cell)]
}

const tunnelOf = (mode: Mode): object =>
  mode === 'tun gue'
    ? { tunnel: { type: 'gue', port: guePort } }
    : isTunnel(mode)
      ? { tunnel: { type: mode.slice('tun '.length) } }
      : {}

/** The cell as a service of a document. */
export function serviceOf(cell: Cell, more: object = {}): object {
  const { mode, family, protocol, scheduler } = cell
  const { addresses } = realServersOf(mode, familyOfRealServers(family))
  const port = portOf(cell)
  return {
    name: cellName(cell),
    vip: vipOf(cell),
    port,
    protocol,
    dataplane: 'ipvs',
    forwarding: mode.split(' ')[0],
    ...tunnelOf(mode),
    ...(mode === 'fullnat pool' ? { localAddresses: localAddresses[familyOfVip(family)] } : {}),
    scheduler,
    check: { type: 'none' },
    realServers: addresses.map((address, i) => ({
      address,
      port,
      ...(mode === 'local' && i === 1 ? { forwarding: 'nat' } : {}),
    })),
    ...more,
  }
}
