import { rename } from 'node:fs/promises'
import type { StoreName, StorePort } from '../console/ports.ts'

/** One file of `conf` or of electron-store, which is the same class with another home. */
export interface DocumentFile {
  /** Of the file on disk. */
  readonly path: string
  get(key: 'document'): unknown
  set(key: 'document', value: unknown): void
}

/**
 * The store port over files that each keep one document.
 *
 * @param open opens the file of that name, and throws where it is there and cannot be read as JSON
 * @param pathOf where that file is, whether it can be read or not
 */
export function documentStore(open: (name: StoreName) => DocumentFile, pathOf: (name: StoreName) => string): StorePort {
  const files = new Map<StoreName, DocumentFile>()
  const fileOf = (name: StoreName): DocumentFile => {
    const known = files.get(name)
    if (known !== undefined) return known
    const file = open(name)
    files.set(name, file)
    return file
  }
  return {
    // async: what `open` throws becomes a rejection.
    read: async (name) => fileOf(name).get('document'),
    write: async (name, document) => fileOf(name).set('document', document),
    async setAside(name) {
      const from = pathOf(name)
      const to = `${from}.unreadable-${new Date().toISOString().replaceAll(':', '')}`
      await rename(from, to)
      files.delete(name)
      return to
    },
  }
}
