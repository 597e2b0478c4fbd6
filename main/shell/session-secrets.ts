import type { SecretsPort } from '../console/ports.ts'

/** Secrets for this run only: nothing is written anywhere. */
export function sessionSecrets(reason: string): SecretsPort {
  const secrets = new Map<string, string>()
  return {
    keeps: false,
    reason,
    get: async (id) => secrets.get(id) ?? null,
    set: async (id, secret) => {
      secrets.set(id, secret)
    },
    remove: async (id) => {
      secrets.delete(id)
    },
  }
}
