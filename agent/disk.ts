import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'

/** The files of one directory. Each write is on the disk when its promise resolves; names are relative. */
export interface Disk {
  /** Null where there is no such file. */
  read(name: string): Promise<string | null>
  /** Replaces the whole file or leaves the old one. */
  write(name: string, text: string): Promise<void>
  /** Adds to the end of a file that exists. */
  append(name: string, text: string): Promise<void>
  /** No error where there is no such file. */
  remove(name: string): Promise<void>
  /** Names in a folder, unsorted; none where there is no such folder. */
  list(folder: string): Promise<string[]>
}

/** A directory that only root reads; made where it is missing. */
export async function openDisk(root: string): Promise<Disk> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  return {
    async read(name) {
      try {
        return await readFile(join(root, name), 'utf8')
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },
    async write(name, text) {
      const file = join(root, name)
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeFileAtomic(file, text, { mode: 0o600 })
      // The rename itself is on the disk only when its folder is.
      await syncFolder(dirname(file))
    },
    async append(name, text) {
      const file = await open(join(root, name), 'a')
      try {
        await file.appendFile(text)
        await file.datasync()
      } finally {
        await file.close()
      }
    },
    async remove(name) {
      const file = join(root, name)
      await rm(file, { force: true })
      await syncFolder(dirname(file))
    },
    async list(folder) {
      try {
        return await readdir(join(root, folder))
      } catch (error) {
        if (isMissing(error)) return []
        throw error
      }
    },
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
