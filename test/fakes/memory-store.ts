import type { SecretsPort, StoreName, StorePort } from '../../main/console/ports.ts'

/** Documents as JSON text, as they would be on disk. */
export class MemoryStore implements StorePort {
  readonly texts = new Map<string, string>()

  async read(name: StoreName): Promise<unknown> {
    const text = this.texts.get(name)
    return text === undefined ? undefined : JSON.parse(text)
  }

  async write(name: StoreName, document: unknown): Promise<void> {
    this.texts.set(name, JSON.stringify(document))
  }

  async setAside(name: StoreName): Promise<string> {
    const aside = `${name}.unreadable`
    this.texts.set(aside, this.texts.get(name) ?? '')
    this.texts.delete(name)
    return aside
  }
}

export class MemorySecrets implements SecretsPort {
  readonly keeps = true
  readonly reason = null
  readonly secrets = new Map<string, string>()

  async get(id: string): Promise<string | null> {
    return this.secrets.get(id) ?? null
  }

  async set(id: string, secret: string): Promise<void> {
    this.secrets.set(id, secret)
  }

  async remove(id: string): Promise<void> {
    this.secrets.delete(id)
  }
}
