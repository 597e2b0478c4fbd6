// Addresses as the kernel's messages carry them: 4 or 16 bytes in network order.
import ipaddr from 'ipaddr.js'

/** Throws where the text is no address. */
export const addressBytes = (address: string): Buffer => Buffer.from(ipaddr.parse(address).toByteArray())

/** Canonical text (RFC 5952 for IPv6); null where the bytes are neither 4 nor 16. */
export function addressText(bytes: Buffer | undefined): string | null {
  if (bytes?.length !== 4 && bytes?.length !== 16) return null
  const address = ipaddr.fromByteArray([...bytes])
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()
}
