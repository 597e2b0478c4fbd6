import type { Disk } from '../../agent/disk.ts'

/** A disk in memory with the real one's promises: a write is there as a whole or not at all. */
export class FakeDisk implements Disk {
  readonly files = new Map<string, string>()
  /** Before and after each change. May throw (disk full), or never come back (the process is gone). */
  hook: (call: string, moment: 'before' | 'after') => Promise<void> = async () => {}

  async read(name: string): Promise<string | null> {
    return this.files.get(name) ?? null
  }

  async write(name: string, text: string): Promise<void> {
    await this.#change(`write ${name}`, () => this.files.set(name, text))
  }

  async append(name: string, text: string): Promise<void> {
    await this.#change(`append ${name}`, () => {
      const old = this.files.get(name)
      if (old === undefined) throw new Error(`ENOENT: ${name}`)
      this.files.set(name, old + text)
    })
  }

  async remove(name: string): Promise<void> {
    await this.#change(`remove ${name}`, () => this.files.delete(name))
  }

  async list(folder: string): Promise<string[]> {
    return [...this.files.keys()]
      .filter((name) => name.startsWith(`${folder}/`))
      .map((name) => name.slice(folder.length + 1))
  }

  async #change(call: string, effect: () => void): Promise<void> {
    await this.hook(call, 'before')
    effect()
    await this.hook(call, 'after')
  }
}
