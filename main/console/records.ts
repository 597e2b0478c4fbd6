import { z } from 'zod'
import { type ConsoleContract, Preferences } from '../../core/contract/console.ts'
import type { Handlers } from '../../core/contract/define.ts'
import { AppError } from '../../core/contract/errors.ts'
import { HostAddress } from '../../core/model/address.ts'
import { Draft } from '../../core/model/draft.ts'
import { ClientHost, DirectorId, RealServerAccess } from '../../core/model/ssh.ts'
import { storedDocument } from './documents.ts'
import type { StorePort } from './ports.ts'

const Drafts = z.object({ drafts: z.array(Draft).max(1000) })
const ClientHosts = z.object({ hosts: z.array(ClientHost).max(500) })
/** By director, then by address. */
const Access = z.object({ access: z.record(DirectorId, z.record(HostAddress, RealServerAccess)) })

const maxDrafts = 1000

type RecordHandlers = Pick<
  Handlers<ConsoleContract>,
  | 'preferences.set'
  | 'clientHosts.list'
  | 'clientHosts.save'
  | 'clientHosts.forget'
  | 'access.list'
  | 'access.set'
  | 'drafts.list'
  | 'drafts.save'
  | 'drafts.remove'
>

/** What the console remembers besides its directors: preferences, client hosts, access to real servers, drafts. */
export interface Records {
  readonly handlers: RecordHandlers
  readonly preferences: () => Promise<Preferences>
  /** Throws NOT_FOUND. */
  readonly clientHost: (id: string) => Promise<ClientHost>
  readonly accessOf: (directorId: string, address: string) => Promise<RealServerAccess | null>
  /** Drops what belongs to a director that was forgotten. */
  readonly forgetDirector: (directorId: string) => Promise<void>
}

export function openRecords(store: StorePort, log: (line: string) => void): Records {
  const preferences = storedDocument(store, 'preferences', Preferences, Preferences.parse({}), log)
  const clientHosts = storedDocument(store, 'clientHosts', ClientHosts, { hosts: [] }, log)
  const access = storedDocument(store, 'access', Access, { access: {} }, log)
  const drafts = storedDocument(store, 'drafts', Drafts, { drafts: [] }, log)

  return {
    preferences: () => preferences.read(),
    async clientHost(id) {
      const host = (await clientHosts.read()).hosts.find((candidate) => candidate.id === id)
      if (host === undefined) throw new AppError('NOT_FOUND', `There is no client host ${id} on this console.`)
      return host
    },
    accessOf: async (directorId, address) => (await access.read()).access[directorId]?.[address] ?? null,
    async forgetDirector(directorId) {
      await access.update(({ access: all }) => {
        const { [directorId]: _forgotten, ...others } = all
        return { access: others }
      })
      await drafts.update((all) => ({ drafts: all.drafts.filter((draft) => draft.directorId !== directorId) }))
    },
    handlers: {
      'preferences.set': (change) => preferences.update((known) => ({ ...known, ...given(change) })),
      'clientHosts.list': async () => (await clientHosts.read()).hosts,
      async 'clientHosts.save'({ host }) {
        await clientHosts.update(({ hosts }) => ({ hosts: replaced(hosts, host) }))
        return {}
      },
      async 'clientHosts.forget'({ id }) {
        await clientHosts.update(({ hosts }) => ({ hosts: hosts.filter((host) => host.id !== id) }))
        return {}
      },
      'access.list': async ({ directorId }) => (await access.read()).access[directorId] ?? {},
      async 'access.set'({ directorId, address, access: wanted }) {
        await access.update(({ access: all }) => ({
          access: { ...all, [directorId]: { ...all[directorId], [address]: wanted } },
        }))
        return {}
      },
      'drafts.list': async ({ directorId }) =>
        (await drafts.read()).drafts
          .filter((draft) => draft.directorId === directorId)
          .sort((a, b) => b.updatedAtMs - a.updatedAtMs),
      async 'drafts.save'({ draft }) {
        await drafts.update((all) => {
          if (all.drafts.length >= maxDrafts && !all.drafts.some(({ id }) => id === draft.id)) {
            throw new AppError('REFUSED', `There are ${maxDrafts} drafts already.`, {
              hint: 'Remove old drafts first.',
            })
          }
          return { drafts: replaced(all.drafts, draft) }
        })
        return {}
      },
      async 'drafts.remove'({ id }) {
        await drafts.update((all) => ({ drafts: all.drafts.filter((draft) => draft.id !== id) }))
        return {}
      },
    },
  }
}

/** The list with this entry in the place of the one with its id, or at the end. */
function replaced<T extends { readonly id: string }>(list: readonly T[], entry: T): T[] {
  return list.some(({ id }) => id === entry.id)
    ? list.map((known) => (known.id === entry.id ? entry : known))
    : [...list, entry]
}

/** Fields that were given: a partial of zod has `undefined` for the others, and defaults must not win over what is set. */
function given<T extends object>(change: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<{
    [K in keyof T]: NonNullable<T[K]>
  }>
}
