// Addresses as the kernel has them and as text.
import ipaddr from 'ipaddr.js'
import { MalformedError } from './bytes.ts'

type Family = 'ipv4' | 'ipv6'

/** `192.0.2.10` of a number in the host's order. */
export const formatIpv4Number = (value: number): string =>
  `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`

/** `192.0.2.10` of 4 bytes, `2001:db8::10` (RFC 5952) of 16. */
export function formatAddress(family: Family, bytes: Buffer): string {
  if (family === 'ipv4') return formatIpv4Number(bytes.readUInt32BE(0))
  return new ipaddr.IPv6([...bytes.subarray(0, 16)]).toRFC5952String()
}

const malformed = (family: Family, text: string): MalformedError =>
  new MalformedError('address', `${JSON.stringify(text)}, expected ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`)

const codeOf0 = 48
const codeOfDot = 46

/**
 * A dotted quad without leading zeros as a number in the host's order. By hand: a large table is ten thousand of them,
 * and a pattern and a list for each take longer than all the rest.
 */
export function parseIpv4Number(text: string): number {
  let value = 0
  let part = 0
  let digits = 0
  let dots = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === codeOfDot && digits > 0) {
      value = value * 256 + part
      part = 0
      digits = 0
      dots += 1
      continue
    }
    const digit = code - codeOf0
    if (digit < 0 || digit > 9 || (digits > 0 && part === 0)) throw malformed('ipv4', text)
    part = part * 10 + digit
    digits += 1
    if (part > 255) throw malformed('ipv4', text)
  }
  if (dots !== 3 || digits === 0) throw malformed('ipv4', text)
  return value * 256 + part
}

/** 4 or 16 bytes in network order. A text that is no address of the family, or names a zone, is refused. */
export function parseAddress(family: Family, text: string): Buffer {
  if (family === 'ipv4') {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(parseIpv4Number(text))
    return bytes
  }
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) throw malformed('ipv6', text)
  return Buffer.from(ipaddr.IPv6.parse(text).toByteArray())
}

/** 4 or 16 bytes, by what the text is. */
export const addressBytes = (text: string): Buffer => parseAddress(text.includes(':') ? 'ipv6' : 'ipv4', text)

/** Null where the bytes are neither 4 nor 16. */
export function addressText(bytes: Buffer | undefined): string | null {
  if (bytes?.length === 4) return formatAddress('ipv4', bytes)
  return bytes?.length === 16 ? formatAddress('ipv6', bytes) : null
}
