import { AppError } from '../../core/contract/errors.ts'
import type { RealServerAccess, SshTarget } from '../../core/model/ssh.ts'
import type { Directors } from './directors.ts'
import { connectionShell } from './host-shell.ts'
import type { HostShell, Hosts } from './hosts.ts'
import type { ClockPort, SshConnection, SshDialog, SshPort } from './ports.ts'

const idleMs = 60_000

interface Pooled {
  /** Settled when it is open or has failed. */
  readonly opening: Promise<{ connection: SshConnection; shell: HostShell }>
  readonly abort: AbortController
  waiting: number
  stopIdle: () => void
}

export interface HostPool extends Hosts {
  /**
   * A host that is no real server, such as one that proofs are run from; pooled in the same way. Questions stand on the
   * director's session.
   */
  openTarget(directorId: string, name: string, target: SshTarget, signal?: AbortSignal): Promise<HostShell>
  close(): void
}

/** @param accessOf stored access of a real server, or null */
export function hostPool(
  directors: Directors,
  ssh: SshPort,
  clock: ClockPort,
  accessOf: (directorId: string, address: string) => Promise<RealServerAccess | null>,
): HostPool {
  const pool = new Map<string, Pooled>()

  const drop = (key: string, pooled: Pooled) => {
    pooled.stopIdle()
    if (pool.get(key) === pooled) pool.delete(key)
    pooled.abort.abort(new AppError('CLOSED', 'The connection to the host was closed.', { retryable: true }))
    pooled.opening.then(
      ({ connection }) => connection.close(),
      () => {},
    )
  }
  const startIdle = (key: string, pooled: Pooled) => {
    pooled.stopIdle()
    pooled.stopIdle = clock.after(idleMs, () => drop(key, pooled))
  }

  function open(directorId: string, host: string, target: SshTarget, throughDirector: boolean): [string, Pooled] {
    const key = JSON.stringify([directorId, host, target, throughDirector])
    const known = pool.get(key)
    if (known !== undefined) return [key, known]
    const { session } = directors.get(directorId)
    const abort = new AbortController()
    const dialog: SshDialog = {
      step: (id, state, detail) => {
        if (state === 'done' && detail !== undefined) session.log.add(`${host}: ${id} ${detail}`)
      },
      ask: (question) => session.ask(question, abort.signal),
      log: (line) => session.log.add(`${host}: ${line}`),
      ...(throughDirector ? { through: session.connection() } : {}),
    }
    const pooled: Pooled = {
      abort,
      waiting: 0,
      stopIdle: () => {},
      opening: ssh.connect(target, dialog, abort.signal).then((connection) => {
        connection.onClose(() => drop(key, pooled))
        const used = () => startIdle(key, pooled)
        return { connection, shell: connectionShell(host, connection, used) }
      }),
    }
    pool.set(key, pooled)
    const stop = session.onEnd(() => drop(key, pooled))
    pooled.opening.catch(() => {
      stop()
      drop(key, pooled)
    })
    return [key, pooled]
  }

  /** Waits for a shared login; leaves it when the signal aborts, and calls it off when nobody waits any more. */
  async function wait([key, pooled]: [string, Pooled], signal?: AbortSignal): Promise<HostShell> {
    pooled.waiting++
    const cancelled = Promise.withResolvers<never>()
    const onAbort = () => cancelled.reject(new AppError('CANCELLED', 'The host was not waited for.'))
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted === true) onAbort()
    try {
      const { shell } = await Promise.race([pooled.opening, cancelled.promise])
      startIdle(key, pooled)
      return shell
    } catch (error) {
      if (pooled.waiting === 1) drop(key, pooled)
      throw error
    } finally {
      pooled.waiting--
      signal?.removeEventListener('abort', onAbort)
    }
  }

  return {
    async openHost(directorId, host, { access, signal } = {}) {
      const { session, profile } = directors.get(directorId)
      const connection = session.connection()
      if (host === 'director') return connectionShell('director', connection, () => {})
      const way = access ?? (await accessOf(directorId, host)) ?? { kind: 'direct' }
      if (way.kind === 'none') return null
      if (way.kind === 'custom') return wait(open(directorId, host, way.target, false), signal)
      const { user, keyFile } = profile.target
      const target: SshTarget = { host, port: 22, user, ...(keyFile === undefined ? {} : { keyFile }) }
      return wait(open(directorId, host, target, way.kind === 'throughDirector'), signal)
    },
    openTarget: (directorId, name, target, signal) => wait(open(directorId, name, target, false), signal),
    close() {
      for (const [key, pooled] of pool) drop(key, pooled)
    },
  }
}
