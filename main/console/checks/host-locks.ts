/** Lets one piece of work at a time touch a host: two pages may fix the same one. */
export function createHostLocks() {
  const tails = new Map<string, Promise<unknown>>()
  return {
    exclusively: async <T>(key: string, work: () => Promise<T>): Promise<T> => {
      const result = (tails.get(key) ?? Promise.resolve()).then(work)
      const tail = result.catch(() => {})
      tails.set(key, tail)
      try {
        return await result
      } finally {
        if (tails.get(key) === tail) tails.delete(key)
      }
    },
  }
}
