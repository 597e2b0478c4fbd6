import type { Route } from './route-names.ts'

/** Paths of all views. They live behind `#`, so that a reload or a link never depends on what the shell serves. */
export const paths = {
  home: '/',
  connect: '/connect',
  connectTo: (directorId: string) => `/connect/${directorId}`,
  view: (directorId: string, view: Route) => `/d/${directorId}/${view}`,
  service: (directorId: string, key: string) => `/d/${directorId}/services/${slugOf(key)}`,
  draft: (directorId: string, draftId: string) => `/d/${directorId}/new/${draftId}`,
} as const

/** `tcp/192.0.2.10:80` as `tcp-192.0.2.10-80`: no character that a path would escape. */
export function slugOf(serviceKey: string): string {
  return serviceKey.replace('/', '-').replace(':', '-')
}

/** The key again; a slug that is none gives a key that no service has. */
export function keyOf(slug: string): string {
  const [protocol, address, port] = slug.split('-')
  return `${protocol ?? ''}/${address ?? ''}:${port ?? ''}`
}
