/**
 * Hosts inside a guest: network namespaces joined by bridges in a namespace of their own, `switch`.
 *
 *   segments: front  10.1.0.0/24 fd00:1::/64   client, directors and real servers, on e0
 *             back   10.2.0.0/24 fd00:2::/64   directors and real servers, on e1
 *   routed:   front                            client, directors and the router, on e0
 *             far    10.3.0.0/24 fd00:3::/64   the router on e1, real servers on e0: reached by tunnels, and they answer
 *                                              the client through the router
 *
 * The last number of an address says which host it is: directors 1 and 2, client 9, rs1 11, rs2 12 …, router 254. VIPs
 * are to be taken from 100 on. Nothing is prepared for a forwarding method: real servers have no way back through the
 * director and no VIP.
 */
import { type Guest, onHost } from './guest.ts'

export interface TopologyOptions {
  /** Default 2. */
  readonly realServers?: number
  /** Default 1; with 2 there is also `director2`. */
  readonly directors?: 1 | 2
  /** Default `segments`. */
  readonly layout?: 'segments' | 'routed'
  /** Directors forward packets that are not their own. Default true. */
  readonly directorForwards?: boolean
  /**
   * The first director is the guest itself, for what exists once in a kernel: conntrack's limit, the log, modules and
   * the boot. Its IPVS state is not new with each topology. Default false.
   */
  readonly directorIsGuest?: boolean
  /** False for a kernel without IPv6. Default true. */
  readonly ipv6?: boolean
}

type Segment = 'front' | 'back' | 'far'

export interface Interface {
  readonly name: string
  readonly segment: Segment
  readonly ipv4: string
  readonly ipv6: string
}

export interface Host {
  readonly name: string
  /** What `GuestExecOptions.host` takes; undefined for the guest itself. */
  readonly namespace: string | undefined
  readonly interfaces: readonly Interface[]
  readonly forwards: boolean
  /** Words of `ip route`. */
  readonly routes: readonly string[]
}

const segmentNumbers: Readonly<Record<Segment, number>> = { front: 1, back: 2, far: 3 }

/** Address number `last` of a segment. */
export const addressIn = (segment: Segment, family: 'ipv4' | 'ipv6', last: number): string =>
  family === 'ipv4' ? `10.${segmentNumbers[segment]}.0.${last}` : `fd00:${segmentNumbers[segment]}::${last}`

/** VIP number 0 and on, of the front. */
export const vipOf = (family: 'ipv4' | 'ipv6', number = 0): string => addressIn('front', family, 100 + number)

const maxRealServers = 80

/** Names the guest's first network namespace. */
const initPid = 1

/** The hosts, in the order in which they are made. */
export const topologyHosts = (options: TopologyOptions = {}): Host[] => {
  const { realServers = 2, directors = 1, layout = 'segments', directorForwards = true } = options
  if (!Number.isInteger(realServers) || realServers < 0 || realServers > maxRealServers) {
    throw new Error(`realServers: found ${realServers}, expected a whole number from 0 to ${maxRealServers}`)
  }
  const isRouted = layout === 'routed'
  const host = (name: string, last: number, segments: readonly Segment[], more: Partial<Host> = {}): Host => ({
    name,
    namespace: name,
    interfaces: segments.map((segment, i) => ({
      name: `e${i}`,
      segment,
      ipv4: addressIn(segment, 'ipv4', last),
      ipv6: addressIn(segment, 'ipv6', last),
    })),
    forwards: false,
    routes: [],
    ...more,
  })
  const via = (to: string, segment: Segment): string[] =>
    (['ipv4', 'ipv6'] as const).map((family) => {
      const target = to === 'default' ? to : `${addressIn(to as Segment, family, 0)}/${family === 'ipv4' ? 24 : 64}`
      return `${target} via ${addressIn(segment, family, 254)}`
    })
  return [
    host('client', 9, ['front'], isRouted ? { routes: via('default', 'front') } : {}),
    ...['director', 'director2'].slice(0, directors).map((name, i) =>
      host(name, i + 1, isRouted ? ['front'] : ['front', 'back'], {
        forwards: directorForwards,
        ...(i === 0 && options.directorIsGuest === true ? { namespace: undefined } : {}),
        ...(isRouted ? { routes: via('far', 'front') } : {}),
      }),
    ),
    ...(isRouted ? [host('router', 254, ['front', 'far'], { forwards: true })] : []),
    ...Array.from({ length: realServers }, (_, i) =>
      host(
        `rs${i + 1}`,
        11 + i,
        isRouted ? ['far'] : ['front', 'back'],
        isRouted ? { routes: via('default', 'far') } : {},
      ),
    ),
  ]
}

const forwardingFiles = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding']
/** A kernel without IPv6 lacks the second. */
const setForwarding = (value: 0 | 1): string =>
  forwardingFiles.map((file) => `[ ! -e ${file} ] || echo ${value} >${file}`).join('; ')

/** Ends all processes of an earlier topology and removes it; its namespaces go once nothing is in them. */
const clear = `
for dir in /proc/[0-9]*; do
  [ "$dir/ns/net" -ef /proc/1/ns/net ] || kill -9 "\${dir#/proc/}" 2>/dev/null || true
done
ip -all netns delete
for link in e0 e1; do ip link delete "$link" 2>/dev/null || true; done`

/**
 * New namespaces take over the guest's settings: those that do not forward are told so where the guest may. A director
 * that is the guest itself keeps what it was given at boot. Few processes, since each costs a tenth of a second.
 */
const hostScript = (
  { namespace, interfaces, forwards, routes }: Host,
  { directorIsGuest: guestMayForward = false, ipv6: hasIpv6 = true }: TopologyOptions,
): string => {
  const mustNotForward = guestMayForward && namespace !== undefined
  const forwarding = forwards ? 1 : mustNotForward ? 0 : undefined
  return [
    `ip ${namespace === undefined ? '' : `-netns ${namespace} `}-batch - <<'BATCH'`,
    'link set lo up',
    ...interfaces.flatMap(({ name, ipv4, ipv6 }) => [
      `addr add ${ipv4}/24 dev ${name}`,
      ...(hasIpv6 ? [`addr add ${ipv6}/64 dev ${name}`] : []),
      `link set ${name} up`,
    ]),
    ...routes.filter((route) => hasIpv6 || !route.includes(':')).map((route) => `route add ${route}`),
    'BATCH',
    ...(forwarding === undefined ? [] : [onHost(namespace, ['sh', '-c', `'${setForwarding(forwarding)}'`]).join(' ')]),
  ].join('\n')
}

/**
 * The script that makes the hosts, in place of those of an earlier one. It can also be a boot hook of a guest that keeps
 * its disk.
 */
export const topologyScript = (options: TopologyOptions = {}): string => {
  const hosts = topologyHosts(options)
  const segments = [...new Set(hosts.flatMap(({ interfaces }) => interfaces.map(({ segment }) => segment)))]
  const ports = hosts.flatMap((host) =>
    host.interfaces.map((each) => ({ ...each, host, port: `${host.name}-${each.name}` })),
  )
  return [
    'set -eu',
    clear,
    ...(options.directorIsGuest === true ? [] : [setForwarding(0)]),
    "ip -batch - <<'BATCH'",
    ...['switch', ...hosts.flatMap(({ namespace }) => namespace ?? [])].map((name) => `netns add ${name}`),
    'BATCH',
    // From inside the switch, where all names differ: a link is refused when its own side has one of that name.
    "ip -netns switch -batch - <<'BATCH'",
    ...segments.flatMap((segment) => [`link add ${segment} type bridge mcast_snooping 0`, `link set ${segment} up`]),
    ...ports.flatMap(({ host, name, port, segment }) => [
      `link add ${port} type veth peer name ${name} netns ${host.namespace ?? initPid}`,
      `link set ${port} master ${segment} up`,
    ]),
    'BATCH',
    ...hosts.map((host) => hostScript(host, options)),
    '',
  ].join('\n')
}

/** Makes the hosts in a guest, in about two seconds; by name. */
export const makeTopology = async (guest: Guest, options: TopologyOptions = {}): Promise<ReadonlyMap<string, Host>> => {
  await guest.run(topologyScript(options))
  return new Map(topologyHosts(options).map((host) => [host.name, host]))
}
