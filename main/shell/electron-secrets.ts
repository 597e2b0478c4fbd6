import type { SafeStorage } from 'electron'
import { z } from 'zod'
import type { SecretsPort } from '../console/ports.ts'
import type { DocumentFile } from './document-store.ts'
import { sessionSecrets } from './session-secrets.ts'

type AsyncSafeStorage = Pick<
  SafeStorage,
  'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync' | 'getSelectedStorageBackend'
>

const Encrypted = z.record(z.string(), z.base64())

/**
 * Secrets in the desktop's keyring by way of safeStorage. Where there is none they are kept for this run only: what
 * Chromium calls `basic_text` encrypts with a password that everybody knows.
 *
 * @param file opened only where secrets are kept; holds ciphertext
 */
export async function safeStorageSecrets(
  safeStorage: AsyncSafeStorage,
  platform: NodeJS.Platform,
  file: () => DocumentFile,
): Promise<SecretsPort> {
  const reason = await whyNotKept(safeStorage, platform)
  return reason === null ? keptSecrets(safeStorage, file()) : sessionSecrets(reason)
}

/** Null where secrets outlive a restart safely; else why not, in one sentence. */
async function whyNotKept(safeStorage: AsyncSafeStorage, platform: NodeJS.Platform): Promise<string | null> {
  if (!(await safeStorage.isAsyncEncryptionAvailable())) {
    return 'The desktop offers no encryption for secrets: they are forgotten when the console ends.'
  }
  // Linux alone has backends to choose from.
  if (platform !== 'linux' || !['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend())) return null
  return 'The desktop has no keyring (GNOME Keyring or KWallet): secrets are forgotten when the console ends.'
}

function keptSecrets(safeStorage: AsyncSafeStorage, file: DocumentFile): SecretsPort {
  const read = (): Map<string, string> => new Map(Object.entries(Encrypted.safeParse(file.get('document')).data ?? {}))
  const write = (change: (secrets: Map<string, string>) => void): void => {
    const secrets = read()
    change(secrets)
    file.set('document', Object.fromEntries(secrets))
  }
  const set = async (id: string, secret: string): Promise<void> => {
    const encrypted = (await safeStorage.encryptStringAsync(secret)).toString('base64')
    write((secrets) => secrets.set(id, encrypted))
  }
  return {
    keeps: true,
    reason: null,
    async get(id) {
      const encrypted = read().get(id)
      if (encrypted === undefined) return null
      const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(Buffer.from(encrypted, 'base64'))
      if (shouldReEncrypt) await set(id, result)
      return result
    },
    set,
    remove: async (id) => write((secrets) => secrets.delete(id)),
  }
}
