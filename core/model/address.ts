import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { expected, type NoHostReason } from './issue.ts'

export const IpFamily = z.enum(['ipv4', 'ipv6'], expected('family'))
export type IpFamily = z.infer<typeof IpFamily>
/** As people read them, in every language. */
export const familyNames: Readonly<Record<IpFamily, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

/** Bits of a whole address: the prefix length of one host. */
export const addressBits = { ipv4: 32, ipv6: 128 } as const satisfies Record<IpFamily, number>

const isIpv4Text = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text)
/** No zone: the document is read on other hosts, where `%eth0` means nothing. */
const isIpv6Text = (text: string): boolean => text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)

/** The family of a valid address. */
export const familyOf = (address: string): IpFamily => (address.includes(':') ? 'ipv6' : 'ipv4')

/** One text for each address: IPv6 as RFC 5952 has it, IPv4 as it is. What is no address stays as it is. */
export function canonicalAddress(text: string): string {
  return isIpv6Text(text) ? ipaddr.IPv6.parse(text).toRFC5952String() : text
}

/** Dotted quad, no leading zeros, no prefix. */
export const Ipv4Address = z.string(expected('ipv4')).refine(isIpv4Text, expected('ipv4'))

/** Why one host cannot own the address; null where it can. */
function whyNoHost(text: string): NoHostReason | null {
  if (isIpv4Text(text)) {
    const range = ipaddr.IPv4.parse(text).range()
    if (range === 'multicast' || range === 'broadcast' || range === 'loopback' || range === 'unspecified') return range
    return Number(text.split('.')[0]) >= 240 ? 'reserved' : null
  }
  if (!isIpv6Text(text)) return null
  const range = ipaddr.IPv6.parse(text).range()
  // A link-local address needs a zone, and an IPv4-mapped one is never seen on a wire.
  const ranges = ['multicast', 'loopback', 'unspecified', 'linkLocal', 'ipv4Mapped'] as const
  return ranges.find((one) => one === range) ?? null
}

function refuseNoHost(text: string, context: z.RefinementCtx<string>): void {
  const why = whyNoHost(text)
  if (why !== null) context.addIssue({ code: 'custom', message: expected('hostAddress', { why }).error() })
}

/** An IPv4 address that one host can own: unicast, neither 0.0.0.0/8 nor loopback, broadcast, multicast or class E. */
export const Ipv4HostAddress = Ipv4Address.superRefine(refuseNoHost)

/** An IPv4 or IPv6 address that one host can own; IPv6 is written as RFC 5952 has it. */
export const HostAddress = z
  .string(expected('address'))
  .refine((text) => isIpv4Text(text) || isIpv6Text(text), expected('address'))
  .superRefine(refuseNoHost)
  .overwrite(canonicalAddress)

/** An address that a group of hosts listens to. */
export const MulticastAddress = z
  .string(expected('multicast'))
  .refine(
    (text) => (isIpv4Text(text) || isIpv6Text(text)) && ipaddr.parse(text).range() === 'multicast',
    expected('multicast'),
  )
  .overwrite(canonicalAddress)

const outOfRange = { ...expected('port'), abort: true }
export const Port = z.int(expected('port')).min(1, outOfRange).max(65535, outOfRange)
/** 0 stands for every port. */
export const PortOrAny = z
  .int(expected('portOrAny'))
  .min(0, { ...expected('portOrAny'), abort: true })
  .max(65535, { ...expected('portOrAny'), abort: true })

/** Linux: IFNAMSIZ 16 with the final NUL, no slash, no white space (dev_valid_name in net/core/dev.c). */
export const InterfaceName = z
  .string(expected('interfaceName'))
  .regex(/^(?!\.{1,2}$)[^\s/:]{1,15}$/, expected('interfaceName'))

/** `192.0.2.10:80`, `[2001:db8::1]:80`. */
export const formatEndpoint = (address: string, port: number): string =>
  familyOf(address) === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`

/** True where `address` lies in `network`/`prefix`; an address of the other family never does. */
export function isInNetwork(address: string, network: string, prefix: number): boolean {
  if (familyOf(address) !== familyOf(network)) return false
  return familyOf(address) === 'ipv4'
    ? ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(network), prefix)
    : ipaddr.IPv6.parse(address).match(ipaddr.IPv6.parse(network), prefix)
}

/** A valid dotted quad as a number. Sorting ten thousand real servers asks for it a hundred thousand times. */
function ipv4Number(address: string): number {
  let [number, part] = [0, 0]
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at)
    if (code === 46) {
      number = number * 256 + part
      part = 0
    } else part = part * 10 + code - 48
  }
  return number * 256 + part
}

/**
 * What the first and the last address of an IPv4 network are: its own name, and its broadcast (RFC 1122 §3.2.1.3). None
 * in a /31 (RFC 3021), and in IPv6 the first address belongs to the routers.
 */
export function edgesOfNetwork(
  network: string,
  prefix: number,
): [string, Extract<NoHostReason, 'networkAddress' | 'broadcastAddress'>][] {
  if (familyOf(network) !== 'ipv4' || prefix > 30) return []
  const cidr = `${network}/${prefix}`
  return [
    [ipaddr.IPv4.networkAddressFromCIDR(cidr).toString(), 'networkAddress'],
    [ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString(), 'broadcastAddress'],
  ]
}

/** Sort order of addresses that people expect: 10.0.0.2 before 10.0.0.10, IPv4 before IPv6. */
export function compareAddresses(a: string, b: string): number {
  if (a === b) return 0
  if (!a.includes(':') && !b.includes(':')) return ipv4Number(a) - ipv4Number(b)
  const x = ipaddr.parse(a).toByteArray()
  const y = ipaddr.parse(b).toByteArray()
  if (x.length !== y.length) return x.length - y.length
  for (let i = 0; i < x.length; i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
