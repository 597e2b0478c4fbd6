import { z } from 'zod'
import type { ConsoleContract } from '../../core/contract/console.ts'
import type { Handlers } from '../../core/contract/define.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { DirectorEntry } from '../../core/contract/session.ts'
import { DirectorProfile } from '../../core/model/ssh.ts'
import { DirectorSession } from './director-session.ts'
import { storedDocument } from './documents.ts'
import { LatestValue } from './latest-value.ts'
import type { ConsoleOptions, ConsolePorts } from './ports.ts'

const Document = z.object({ profiles: z.array(DirectorProfile).max(500) })

type DirectorHandlers = Pick<Handlers<ConsoleContract>, Extract<keyof ConsoleContract, `directors.${string}`>>

interface Director {
  profile: DirectorProfile
  readonly session: DirectorSession
}

/** What it takes to ask a director something. */
export interface DirectorLookup {
  /** Throws NOT_FOUND. */
  get(directorId: string): {
    readonly profile: DirectorProfile
    readonly session: Pick<DirectorSession, 'client' | 'sshAddress'>
  }
}

/** Every director that the console knows, each with its session. */
export interface Directors extends DirectorLookup {
  readonly handlers: DirectorHandlers
  get(directorId: string): { readonly profile: DirectorProfile; readonly session: DirectorSession }
  close(): Promise<void>
}

export async function openDirectors(
  ports: ConsolePorts,
  options: ConsoleOptions,
  onForget: (directorId: string) => Promise<void>,
): Promise<Directors> {
  const document = storedDocument(ports.store, 'directors', Document, { profiles: [] }, options.log)
  const directors = new Map<string, Director>()
  const entries = new LatestValue<DirectorEntry[]>([])
  const publish = () =>
    entries.set([...directors.values()].map((d) => ({ profile: d.profile, session: d.session.session })))
  const save = () => document.update(() => ({ profiles: [...directors.values()].map(({ profile }) => profile) }))

  const add = (profile: DirectorProfile) => {
    const session = new DirectorSession(() => directors.get(profile.id)?.profile ?? profile, ports, options, publish)
    directors.set(profile.id, { profile, session })
  }
  for (const profile of (await document.read()).profiles) add(profile)
  publish()

  const get = (directorId: string): Director => {
    const director = directors.get(directorId)
    if (director === undefined) throw new AppError('NOT_FOUND', `There is no director ${directorId} on this console.`)
    return director
  }

  return {
    get,
    handlers: {
      'directors.watch': (_input, { signal }) => entries.watch(signal),
      async 'directors.save'({ profile }) {
        const known = directors.get(profile.id)
        if (known === undefined) add(profile)
        else {
          if (!isIdle(known)) {
            throw new AppError(
              'REFUSED',
              `${known.profile.name} is connected; its profile cannot be changed meanwhile.`,
              {
                hint: 'Disconnect first.',
              },
            )
          }
          known.profile = profile
        }
        await save()
        publish()
        return {}
      },
      async 'directors.forget'({ directorId }) {
        const { session } = get(directorId)
        await session.disconnect()
        directors.delete(directorId)
        await save()
        await onForget(directorId)
        publish()
        return {}
      },
      'directors.connect'({ directorId }) {
        get(directorId).session.connect()
        return {}
      },
      async 'directors.disconnect'({ directorId }) {
        await get(directorId).session.disconnect()
        return {}
      },
      'directors.answer'({ directorId, questionId, answer }) {
        get(directorId).session.answer(questionId, answer)
        return {}
      },
      'directors.removeAgent': async ({ directorId, keepTraffic }) => ({
        removed: await get(directorId).session.removeAgent(keepTraffic),
      }),
      'directors.log': ({ directorId }) => ({ text: get(directorId).session.log.text() }),
    },
    async close() {
      await Promise.all([...directors.values()].map(({ session }) => session.disconnect()))
    },
  }
}

const isIdle = ({ session }: Director): boolean =>
  session.session.phase === 'disconnected' || session.session.phase === 'failed'
