import type { Route } from './route-names.ts'

/** Paths of all views. They live behind `#`, so that a reload or a link never depends on what the shell serves. */
export const paths = {
  home: '/',
  connect: '/connect',
  connectTo: (directorId: string) => `/connect/${directorId}`,
  view: (directorId: string, view: Route) => `/d/${directorId}/${view}`,
  service: (directorId: string, key: string) => `/d/${directorId}/services/${slugOf(key)}`,
  /** Connections of one service. */
  connections: (directorId: string, key: string) => `/d/${directorId}/connections/${slugOf(key)}`,
  draft: (directorId: string, draftId: string) => `/d/${directorId}/new/${draftId}`,
} as const

/**
 * The key of a service as a part of a path, without a character that a path would escape: `tcp/192.0.2.10:80` is
 * `tcp-192.0.2.10-80`, `udp/[2001:db8::1]:53` is `udp-2001:db8::1-53`, `fwmark/7/ipv4` is `fwmark-7-ipv4`.
 */
export function slugOf(serviceKey: string): string {
  const [protocol, rest = '', family] = serviceKey.split('/')
  if (family !== undefined) return `${protocol}-${rest}-${family}`
  const colon = rest.lastIndexOf(':')
  return `${protocol}-${rest.slice(0, colon).replace(/^\[|\]$/g, '')}-${rest.slice(colon + 1)}`
}

/** The key again; a slug that is none gives a key that no service has. */
export function keyOf(slug: string): string {
  const [protocol = '', address = '', port = ''] = slug.split('-')
  if (protocol === 'fwmark') return `fwmark/${address}/${port}`
  return `${protocol}/${address.includes(':') ? `[${address}]` : address}:${port}`
}
