import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { expected } from './issue.ts'

/** Dotted quad, no leading zeros, no prefix. */
export const Ipv4Address = z
  .string(expected('ipv4'))
  .refine((text) => ipaddr.IPv4.isValidFourPartDecimal(text), expected('ipv4'))

/** An IPv4 address that one host can own: unicast, neither 0.0.0.0/8 nor loopback, broadcast, multicast or class E. */
export const HostAddress = Ipv4Address.superRefine((text, context) => {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return
  const range = ipaddr.IPv4.parse(text).range()
  if (range === 'multicast' || range === 'broadcast' || range === 'loopback' || range === 'unspecified') {
    context.addIssue({ code: 'custom', message: expected('hostAddress', { why: range }).error() })
  } else if (Number(text.split('.')[0]) >= 240) {
    context.addIssue({ code: 'custom', message: expected('hostAddress', { why: 'reserved' }).error() })
  }
})

const outOfRange = { ...expected('port'), abort: true }
export const Port = z.int(expected('port')).min(1, outOfRange).max(65535, outOfRange)

/** Linux: IFNAMSIZ 16 with the final NUL, no slash, no white space (dev_valid_name in net/core/dev.c). */
export const InterfaceName = z
  .string(expected('interfaceName'))
  .regex(/^(?!\.{1,2}$)[^\s/:]{1,15}$/, expected('interfaceName'))

/** True where `address` lies in `network`/`prefix`. All IPv4. */
export function isInNetwork(address: string, network: string, prefix: number): boolean {
  return ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(network), prefix)
}

/** Sort order of addresses and ports that people expect: 10.0.0.2 before 10.0.0.10. */
export function compareAddresses(a: string, b: string): number {
  const x = ipaddr.IPv4.parse(a).toByteArray()
  const y = ipaddr.IPv4.parse(b).toByteArray()
  for (let i = 0; i < 4; i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
