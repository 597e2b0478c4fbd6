/** The first item of a stream that `pick` accepts; an error that names what was waited for where there is none. */
export async function firstOf<T, R>(
  items: AsyncIterable<T>,
  pick: (item: T) => R | undefined,
  what: string,
): Promise<R> {
  let last: T | undefined
  for await (const item of items) {
    last = item
    const found = pick(item)
    if (found !== undefined) return found
  }
  throw new Error(`waited for ${what}, which did not come; last seen: ${JSON.stringify(last)?.slice(0, 2000)}`)
}
