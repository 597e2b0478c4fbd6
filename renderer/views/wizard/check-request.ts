import type { CheckRequest } from '../../../core/contract/console.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import type { VirtualService } from '../../../core/model/service.ts'
import type { RealServerAccess } from '../../../core/model/ssh.ts'
import { serviceOf } from './form.ts'

/**
 * What the hosts of a service are to be checked for; null for a service by mark: without a VIP there is nothing to look
 * for on them.
 */
export function checkRequestFor(
  directorId: string,
  service: VirtualService,
  isLive: boolean,
  accessOf: (address: string) => RealServerAccess,
): CheckRequest | null {
  const { vip, port, protocol, forwarding, dataplane, announce, allowOwnAddress, realServers } = service
  if (vip === undefined) return null
  return {
    directorId,
    vip,
    port,
    protocol,
    forwarding,
    dataplane,
    allowOwnAddress: allowOwnAddress ?? false,
    announce,
    isLive,
    realServers: realServers.map(({ address, port: own }) => ({ address, port: own, access: accessOf(address) })),
  }
}

/** The same of a form; null also while it cannot be read as a service. */
export function checkRequestOf(
  form: ServiceForm,
  directorId: string,
  accessOf: (address: string) => RealServerAccess,
): CheckRequest | null {
  const parsed = serviceOf(form)
  if (!parsed.ok || form.realServers.length === 0) return null
  return checkRequestFor(directorId, parsed.value, false, accessOf)
}

/**
 * Everything that a host's findings depend on, as a comparable text. A report taken under another key is stale and the
 * host is checked again. The director's findings depend on every real server, though not on the way to it; a real server's
 * only on itself.
 */
export function dependenciesOf(request: CheckRequest, host: string): string {
  const { vip, port, protocol, forwarding, dataplane, announce, allowOwnAddress, realServers } = request
  const own =
    host === 'director'
      ? realServers.map(({ address, port: at }) => [address, at])
      : realServers.filter(({ address }) => address === host)
  return JSON.stringify([vip, port, protocol, forwarding, dataplane, announce, allowOwnAddress, own])
}
