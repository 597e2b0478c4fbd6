import type { z } from 'zod'
import type { StoreName, StorePort } from './ports.ts'

/** One document of the store, validated when it is read, held in memory afterwards. */
export interface StoredDocument<T> {
  read(): Promise<T>
  /** Replaces it by what `change` makes of it; changes run one after the other. Resolves when it is on disk. */
  update(change: (value: T) => T): Promise<T>
}

/**
 * A document that cannot be read, or does not fit its schema, is moved aside under another name and the log says where;
 * work goes on with `empty`. Losing profiles is bad, not starting is worse.
 */
export function storedDocument<S extends z.ZodType>(
  store: StorePort,
  name: StoreName,
  schema: S,
  empty: z.output<S>,
  log: (line: string) => void,
): StoredDocument<z.output<S>> {
  type T = z.output<S>
  let held: { value: T } | null = null
  let queue: Promise<unknown> = Promise.resolve()

  const setAside = async (why: string): Promise<T> => {
    const where = await store.setAside(name).catch((error: unknown) => `nowhere (${(error as Error).message})`)
    log(`The stored ${name} could not be used (${why}); the document was moved to ${where} and starts anew.`)
    return empty
  }
  const load = async (): Promise<T> => {
    let raw: unknown
    try {
      raw = await store.read(name)
    } catch {
      return setAside('it is not JSON')
    }
    if (raw === undefined) return empty
    const parsed = schema.safeParse(raw)
    if (parsed.success) return parsed.data
    // Paths only: a value may be anything, and this line is for people to copy.
    const where = parsed.error.issues.slice(0, 5).map(({ path }) => path.map(String).join('.') || 'document')
    return setAside(`it does not fit at ${where.join(', ')}`)
  }
  const inTurn = <R>(work: () => Promise<R>): Promise<R> => {
    const done = queue.then(work)
    queue = done.catch(() => {})
    return done
  }
  const current = async (): Promise<T> => (held ??= { value: await load() }).value

  return {
    read: () => inTurn(current),
    update: (change) =>
      inTurn(async () => {
        const value = change(await current())
        await store.write(name, value)
        held = { value }
        return value
      }),
  }
}
