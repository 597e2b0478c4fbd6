import ipaddr from 'ipaddr.js'
import type { HostFacts, HostInterface, InterfaceAddress } from './facts.ts'

/** Readers of iproute2's one-line output (`ip -o`), which busybox prints alike. Null where a line is something else. */

/** `2: eth0@if3: <BROADCAST,UP> mtu 1500 … master br0 …\    link/ether 02:00:… brd …` */
export function parseLink(text: string): HostInterface | null {
  const head = /^(\d{1,9}): ([^\s:@]{1,15})(?:@[^\s:]+)?: <([A-Z0-9_,-]*)> mtu (\d{1,9})(?: |$)/.exec(text)
  if (head === null) return null
  const [, index, name, flagText, mtu] = head as unknown as [string, string, string, string, string]
  const flags = flagText.split(',')
  const mac = / link\/ether ([0-9a-f]{2}(?::[0-9a-f]{2}){5})(?: |$)/.exec(text)?.[1] ?? null
  return {
    name,
    index: Number(index),
    mac,
    mtu: Number(mtu),
    isUp: flags.includes('UP'),
    isLoopback: flags.includes('LOOPBACK'),
    isNoArp: flags.includes('NOARP'),
    master: / master (\S{1,15})(?: |$)/.exec(text)?.[1] ?? null,
    addresses: [],
  }
}

/** `2: eth0    inet 192.0.2.2/24 metric 100 brd 192.0.2.255 scope global secondary eth0\       valid_lft …` */
export function parseAddress(text: string): { interface: string; address: InterfaceAddress } | null {
  const match = /^\d{1,9}: ([^\s:@]{1,15})(?:@\S+)?\s+(inet6?) (\S+)([^\\]*)/.exec(text)
  if (match === null) return null
  const [, name, family, first, rest] = match as unknown as [string, string, 'inet' | 'inet6', string, string]
  const words = rest.trim().split(/\s+/)
  const after = (word: string): string | null => {
    const at = words.indexOf(word)
    return at === -1 ? null : (words[at + 1] ?? null)
  }
  const [address = '', ownLength] = first.split('/')
  const [peer = null, peerLength] = after('peer')?.split('/') ?? []
  const scope = after('scope')
  const prefixLength = Number((peer === null ? ownLength : peerLength) ?? maxLength(family))
  const isValid = family === 'inet' ? ipaddr.IPv4.isValidFourPartDecimal(address) : ipaddr.IPv6.isValid(address)
  const isLength = Number.isInteger(prefixLength) && prefixLength >= 0 && prefixLength <= maxLength(family)
  if (!isValid || !isLength || scope === null) return null
  return {
    interface: name,
    address: {
      family,
      address,
      prefixLength,
      scope,
      // IPv4 lines end with the label; it is the interface's name unless somebody gave another.
      label: family === 'inet' ? (words.at(-1) ?? null) : null,
      broadcast: after('brd'),
      peer,
      hasNoPrefixRoute: words.includes('noprefixroute'),
      isSecondary: words.includes('secondary'),
    },
  }
}

function maxLength(family: 'inet' | 'inet6'): number {
  return family === 'inet' ? 32 : 128
}

/** `192.0.2.20 dev eth0 lladdr 02:00:… REACHABLE`, with counters in between from busybox. */
export function parseNeighbour(text: string): HostFacts['neighbours'][number] | null {
  const match = /^(\S+) dev (\S{1,15})(?: lladdr (\S+))?(?: .*?)??(?: ([A-Z]+))?$/.exec(text)
  if (match === null || !ipaddr.IPv4.isValidFourPartDecimal(match[1] as string)) return null
  const mac = match[3]
  return {
    address: match[1] as string,
    interface: match[2] as string,
    mac: mac !== undefined && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) ? mac : null,
    state: match[4] ?? '',
  }
}

const kinds: Readonly<Record<string, HostFacts['routes'][string]['kind']>> = {
  local: 'local',
  unreachable: 'unreachable',
  blackhole: 'unreachable',
  prohibit: 'unreachable',
  broadcast: 'other',
  multicast: 'other',
  anycast: 'other',
  throw: 'other',
}

/** `[local] ADDRESS [via GATEWAY] dev NAME src SOURCE …` of `route get`, or `default via …` of `route show`. */
export function parseRoute(text: string): { to: string; route: HostFacts['routes'][string] } | null {
  const words = text.replaceAll('\\', ' ').trim().split(/\s+/)
  const first = words[0] ?? ''
  const kind = Object.hasOwn(kinds, first) ? (kinds[first] ?? 'other') : first === 'unicast' ? 'unicast' : null
  const to = kind === null ? first : (words[1] ?? '')
  if (to !== 'default' && !ipaddr.IPv4.isValidFourPartDecimal(to)) return null
  const after = (word: string): string | null => {
    const at = words.indexOf(word)
    return at === -1 ? null : (words[at + 1] ?? null)
  }
  // With IPv6 next hops it reads `via inet6 ADDRESS`.
  const via = after('via')
  return {
    to,
    route: {
      kind: kind ?? 'unicast',
      gateway: via === 'inet6' ? after('inet6') : via,
      interface: after('dev'),
      source: after('src'),
    },
  }
}

/** The XDP program in a detailed link line: `… prog/xdp id 12 name lb_main tag …`. */
export function parseXdp(text: string): { interface: string; program: string } | null {
  const name = /^\d{1,9}: ([^\s:@]{1,15})(?:@[^\s:]+)?: /.exec(text)?.[1]
  const program = /prog\/xdp\w* (id \d+(?: name \S+)?)/.exec(text)?.[1]
  return name === undefined || program === undefined ? null : { interface: name, program }
}
