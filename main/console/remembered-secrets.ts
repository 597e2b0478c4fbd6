import type { Answer } from '../../core/contract/session.ts'
import type { NewQuestion, SecretsPort } from './ports.ts'

/**
 * Answers of one session that need not be asked for twice: for the session in memory, so that it reconnects by itself,
 * and in the secrets port where the operator said so.
 */
export interface RememberedSecrets {
  /** Answers from memory where it can, else asks; a remembered secret that was wrong is forgotten. */
  answer(question: NewQuestion, ask: () => Promise<Answer>): Promise<Answer>
  forgetSession(): void
}

export function rememberedSecrets(
  secrets: SecretsPort,
  onSecret: (secret: string) => void,
  log: (line: string) => void,
): RememberedSecrets {
  const inMemory = new Map<string, string>()

  const known = async (id: string): Promise<string | null> => {
    try {
      return inMemory.get(id) ?? (await secrets.get(id))
    } catch {
      log('The stored secrets could not be read; asking instead.')
      return null
    }
  }
  const keep = async (id: string, secret: string, remember: boolean): Promise<void> => {
    inMemory.set(id, secret)
    if (!remember) return
    await secrets.set(id, secret).catch(() => log('The secret could not be stored; it will be asked for again.'))
  }

  return {
    async answer(question, ask) {
      const id = secretId(question)
      if (id !== null && 'wasWrong' in question) {
        if (question.wasWrong) {
          inMemory.delete(id)
          await secrets.remove(id).catch(() => {})
        } else {
          const secret = await known(id)
          if (secret !== null) {
            onSecret(secret)
            return { kind: 'secrets', secrets: [secret], remember: false }
          }
        }
      }
      const answer = await ask()
      if (answer.kind !== 'secrets') return answer
      answer.secrets.forEach(onSecret)
      if (id !== null && answer.secrets[0] !== undefined) await keep(id, answer.secrets[0], answer.remember)
      return answer
    },
    forgetSession: () => inMemory.clear(),
  }
}

/** Null for what is good for one time only. */
function secretId(question: NewQuestion): string | null {
  if (question.kind === 'passphrase') return `passphrase:${question.keyFile}`
  if (question.kind === 'password') return `password:${question.user}@${question.host}`
  return null
}
