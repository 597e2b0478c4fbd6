import { appendFile, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../../core/contract/errors.ts'
import { type KnownHostLine, formatKnownHost, parseKnownHosts } from './known-hosts.ts'

/** The files that say which keys are known: the operator's own, read only, and ours, which accepted keys go to. */
export interface KnownHostsFiles {
  /** Every line of every file, ours last. Read anew each time, since ssh and ssh-keygen change them too. */
  read(): Promise<KnownHostLine[]>
  /** Pins a key in our file. */
  pin(name: string, key: Buffer): Promise<void>
  /** Our file, for the hint of an error. */
  readonly ownFile: string
}

/** @param readOnly files of the operator and the system; those that do not exist count as empty. */
export function knownHostsFiles(ownFile: string, readOnly: readonly string[]): KnownHostsFiles {
  const readOne = async (file: string): Promise<KnownHostLine[]> => {
    try {
      return parseKnownHosts(await readFile(file, 'utf8'), file)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') return []
      // Going on without it could take a changed key for a new one.
      throw new AppError('REFUSED', `${file} could not be read: ${code ?? 'unknown error'}.`, {
        hint: 'The keys of hosts are looked up there; make it readable.',
      })
    }
  }
  return {
    ownFile,
    read: async () => (await Promise.all([...readOnly, ownFile].map(readOne))).flat(),
    pin: async (name, key) => {
      await mkdir(path.dirname(ownFile), { recursive: true, mode: 0o700 })
      await appendFile(ownFile, formatKnownHost(name, key), { mode: 0o600 })
    },
  }
}
