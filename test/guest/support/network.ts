// The network inside a guest: a client, a director and its real servers, each a network namespace.
import type { Guest } from '../../lab/guest/guest.ts'

/**
 * ```
 * front 10.1.0.0/24, fd00:1::/64   client .2   director .1   rs1 .11   rs2 .12   (DR, tunnels)
 * back  10.2.0.0/24, fd00:2::/64               director .1   in1 .11 to in3 .13   (NAT, FullNAT; route by the director)
 * ```
 */
export const hosts = {
  client: { ipv4: '10.1.0.2', ipv6: 'fd00:1::2' },
  director: { ipv4: '10.1.0.1', ipv6: 'fd00:1::1' },
  rs1: { ipv4: '10.1.0.11', ipv6: 'fd00:1::11' },
  rs2: { ipv4: '10.1.0.12', ipv6: 'fd00:1::12' },
  in1: { ipv4: '10.2.0.11', ipv6: 'fd00:2::11' },
  in2: { ipv4: '10.2.0.12', ipv6: 'fd00:2::12' },
  in3: { ipv4: '10.2.0.13', ipv6: 'fd00:2::13' },
} as const
export type HostName = keyof typeof hosts

/** The director's addresses on the back network. */
export const insideAddress = { ipv4: '10.2.0.1', ipv6: 'fd00:2::1' } as const
/** More of them there, for FullNAT to take as sources. */
export const localAddresses = { ipv4: ['10.2.0.31', '10.2.0.32'], ipv6: ['fd00:2::31', 'fd00:2::32'] } as const
/** UDP port at which the tunnel real servers take GUE. */
export const guePort = 5555

/** A second director on both networks, for pairs. */
const secondDirector = { front: ['10.1.0.3/24', 'fd00:1::3/64'], back: ['10.2.0.3/24', 'fd00:2::3/64'] } as const

interface Plug {
  readonly host: string
  readonly interface: 'e0' | 'e1'
  readonly addresses: readonly string[]
}

const front = (host: HostName): Plug => ({
  host,
  interface: 'e0',
  addresses: [`${hosts[host].ipv4}/24`, `${hosts[host].ipv6}/64`],
})
const inside = ['in1', 'in2', 'in3'] as const
const back = (host: (typeof inside)[number]): Plug => ({ ...front(host), interface: 'e1' })
const plugs: readonly Plug[] = [
  front('client'),
  front('director'),
  {
    host: 'director',
    interface: 'e1',
    addresses: [
      `${insideAddress.ipv4}/24`,
      `${insideAddress.ipv6}/64`,
      ...localAddresses.ipv4.map((one) => `${one}/32`),
      ...localAddresses.ipv6.map((one) => `${one}/128`),
    ],
  },
  front('rs1'),
  front('rs2'),
  ...inside.map(back),
]
const secondPlugs: readonly Plug[] = [
  { host: 'other', interface: 'e0', addresses: secondDirector.front },
  { host: 'other', interface: 'e1', addresses: secondDirector.back },
]

/** Of each host, before its interfaces come: duplicate address detection would hold IPv6 addresses back for a second. */
const settings = ['net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0']
const forwards = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
/** Answers for the addresses of the front only, and takes what a tunnel unpacks. */
const takesVips = [
  'net.ipv4.conf.all.arp_ignore=1',
  'net.ipv4.conf.all.arp_announce=2',
  ...['all', 'default', 'lo'].map((name) => `net.ipv4.conf.${name}.rp_filter=0`),
]

/** One process for a host's commands: under emulation each costs. */
const batch = (host: string, lines: readonly string[]): string =>
  `nsenter --net=/run/netns/${host} ip -batch - <<'END'\n${lines.join('\n')}\nEND`
const sysctls = (host: string, values: readonly string[]): string =>
  `nsenter --net=/run/netns/${host} sysctl -qw ${values.join(' ')}`

const plugLines = (plugged: readonly Plug[]): string[] => [
  batch(
    'switch',
    plugged.flatMap(({ host, interface: name }) => [
      `link add ${host}-${name} type veth peer name ${name} netns ${host}`,
      `link set ${host}-${name} master ${name === 'e0' ? 'front' : 'back'} up`,
    ]),
  ),
  ...plugged.map(({ host, interface: name, addresses }) =>
    batch(host, [
      'link set lo up',
      `link set ${name} up`,
      ...addresses.map((address) => `addr add ${address} dev ${name}`),
    ]),
  ),
]

export interface NetworkOptions {
  /** A second director, `other`. */
  readonly hasPair?: boolean
}

/** Makes the network afresh; what was there before goes with its namespaces, IPVS tables and connections included. */
export async function layNetwork(guest: Guest, { hasPair = false }: NetworkOptions = {}): Promise<void> {
  const names = ['switch', ...Object.keys(hosts), ...(hasPair ? ['other'] : [])]
  const lines = [
    'for name in $(ip netns list | cut -d" " -f1); do ip netns del "$name"; done',
    ...names.map((name) => `ip netns add ${name}`),
    ...names.map((name) => sysctls(name, settings)),
    batch('switch', [
      'link add front type bridge',
      'link add back type bridge',
      'link set front up',
      'link set back up',
    ]),
    ...plugLines([...plugs, ...(hasPair ? secondPlugs : [])]),
    sysctls('director', forwards),
    ...(hasPair ? [sysctls('other', forwards)] : []),
    ...(['rs1', 'rs2'] as const).map((name) => sysctls(name, takesVips)),
    ...inside.map((name) =>
      batch(name, [`route add default via ${insideAddress.ipv4}`, `route add ::/0 via ${insideAddress.ipv6}`]),
    ),
  ]
  await guest.run(lines.join('\n'), { timeoutMs: 120_000 })
}

const withBits = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`

/** More addresses for a host, on its front interface. */
export async function addAddresses(guest: Guest, host: HostName, addresses: readonly string[]): Promise<void> {
  await guest.run(
    batch(
      host,
      addresses.map((address) => `addr add ${withBits(address)} dev e0`),
    ),
  )
}

/**
 * Has rs1 and rs2 take packets for these VIPs, directly and out of tunnels of every type: by the outer family, and within
 * by the inner one. The devices are those that the kernel's modules bring for packets of any sender.
 */
export async function takeVips(guest: Guest, vips: readonly string[]): Promise<void> {
  const lines = (['rs1', 'rs2'] as const).flatMap((name) => [
    batch(name, [
      ...vips.map((vip) => `addr add ${withBits(vip)} dev lo`),
      // The kernel's own ip6tnl0 takes IPv6 only; this one takes IPv4 in IPv6 as well.
      `link add ip6any type ip6tnl mode any local ${hosts[name].ipv6} remote ::`,
      ...['tunl0', 'sit0', 'gre0', 'ip6any', 'ip6gre0'].map((device) => `link set ${device} up`),
      `fou add port ${guePort} gue`,
      `fou add port ${guePort} gue -6`,
    ]),
    sysctls(
      name,
      ['tunl0', 'sit0', 'gre0'].map((device) => `net.ipv4.conf.${device}.rp_filter=0`),
    ),
  ])
  await guest.run(lines.join('\n'), { timeoutMs: 120_000 })
}

/**
 * Starts the lab's server on each host: it answers its name and the client that it saw.
 *
 * @param only addresses to listen on, each by a server of its own. An SCTP server without that offers every address of
 * its host to the client, other VIPs among them; what the client then sends there, IPVS schedules anew, and whoever gets
 * it knows nothing of the association and aborts it.
 */
export async function serve(
  guest: Guest,
  names: readonly HostName[],
  ports: readonly number[],
  only?: readonly string[],
): Promise<void> {
  const places = only === undefined ? [''] : only.map((address) => `on=${address}`)
  const lines = names.flatMap((name) =>
    places.map((place) => `nsenter --net=/run/netns/${name} lab-server ${name} ${place} ${ports.join(' ')}`),
  )
  await guest.run(lines.join('\n'), { timeoutMs: 120_000 })
}
