/** Runs `jobs`, at most `limit` at a time, and yields what they give as it comes. The first failure ends all. */
export async function* mergeJobs<T>(
  jobs: readonly ((emit: (item: T) => void) => Promise<void>)[],
  limit: number,
): AsyncGenerator<T> {
  const ready: T[] = []
  let wake: (() => void) | null = null
  let next = 0
  let open = jobs.length
  let failure: { readonly error: unknown } | null = null
  let isAbandoned = false

  const signal = (): void => {
    wake?.()
    wake = null
  }
  const worker = async (): Promise<void> => {
    for (;;) {
      const job = isAbandoned || failure !== null ? undefined : jobs[next++]
      if (job === undefined) return
      try {
        await job((item) => {
          ready.push(item)
          signal()
        })
      } catch (error) {
        failure ??= { error }
      }
      open--
      signal()
    }
  }
  const workers = Array.from({ length: Math.min(limit, jobs.length) }, worker)
  try {
    for (;;) {
      while (ready.length > 0) yield ready.shift() as T
      const failed = failure as { readonly error: unknown } | null
      if (failed !== null) throw failed.error
      if (open === 0) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    // A reader that leaves early still waits for what runs, so that nothing is left half done behind its back.
    isAbandoned = true
    await Promise.all(workers)
  }
}
