import { useCallback, useMemo } from 'react'
import type { WireError } from '../../core/contract/errors.ts'
import { HostAddress } from '../../core/model/address.ts'
import type { RealServerAccess } from '../../core/model/ssh.ts'
import { useConsole } from '../store/console-store.ts'
import { client } from './client.ts'
import { useCommand, useFetched } from './use-call.ts'

const byDefault: RealServerAccess = { kind: 'direct' }

/** How the real servers of one director are reached over SSH. It belongs to the host, not to a service or a draft. */
export interface AccessInHand {
  /** False until what is kept was read. */
  readonly isKnown: boolean
  /** Addresses that something is kept for. */
  readonly addresses: readonly string[]
  readonly of: (address: string) => RealServerAccess
  /** Keeps it for these hosts; what is no address has no access to keep. */
  readonly set: (addresses: readonly string[], access: RealServerAccess) => Promise<void>
  readonly isSetting: boolean
  readonly error: WireError | null
  readonly reload: () => void
}

/** @param directorId null while nobody asks */
export function useAccess(directorId: string | null): AccessInHand {
  const isOpen = useConsole((s) => s.link.phase === 'open')
  const id = isOpen ? directorId : null
  const kept = useFetched(id, (signal) => client.call('access.list', { directorId: id ?? '' }, { signal }))
  const { value, reload } = kept
  const command = useCommand(async (addresses: readonly string[], access: RealServerAccess) => {
    const known = addresses.flatMap((text) => HostAddress.safeParse(text.trim()).data ?? [])
    try {
      for (const address of known) await client.call('access.set', { directorId: id ?? '', address, access })
    } finally {
      reload()
    }
  })
  const { run, isRunning } = command
  const of = useCallback(
    (address: string) => value?.[HostAddress.safeParse(address.trim()).data ?? ''] ?? byDefault,
    [value],
  )
  const addresses = useMemo(() => Object.keys(value ?? {}), [value])
  return {
    isKnown: value !== null,
    addresses,
    of,
    set: async (hosts, access) => void (await run(hosts, access)),
    isSetting: isRunning,
    error: kept.error ?? command.error,
    reload,
  }
}
