// Addresses as the kernel has them and as text.
import ipaddr from 'ipaddr.js'
import { MalformedError } from './bytes.ts'

type Family = 'ipv4' | 'ipv6'

/** `192.0.2.10` of 4 bytes, `2001:db8::10` (RFC 5952) of 16. */
export function formatAddress(family: Family, bytes: Buffer): string {
  if (family === 'ipv4') return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  return new ipaddr.IPv6([...bytes.subarray(0, 16)]).toRFC5952String()
}

/** 4 or 16 bytes in network order. A text that is no address of the family, or names a zone, is refused. */
export function parseAddress(family: Family, text: string): Buffer {
  if (family === 'ipv4') {
    if (ipaddr.IPv4.isValidFourPartDecimal(text)) return Buffer.from(text.split('.').map(Number))
  } else if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)) {
    return Buffer.from(ipaddr.IPv6.parse(text).toByteArray())
  }
  throw new MalformedError('address', `${JSON.stringify(text)}, expected ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`)
}

/** 4 or 16 bytes, by what the text is. */
export const addressBytes = (text: string): Buffer => parseAddress(text.includes(':') ? 'ipv6' : 'ipv4', text)

/** Null where the bytes are neither 4 nor 16. */
export function addressText(bytes: Buffer | undefined): string | null {
  if (bytes?.length === 4) return formatAddress('ipv4', bytes)
  return bytes?.length === 16 ? formatAddress('ipv6', bytes) : null
}
