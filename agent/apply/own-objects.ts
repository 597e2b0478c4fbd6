import { z } from 'zod'
import { RealServerConfig, ServiceConfig } from '../../core/model/plan.ts'
import { SyncRole } from '../../core/model/ipvs-settings.ts'
import type { Disk } from '../disk.ts'

/** A service as somebody else had set it up before it was taken over. */
const Original = z.object({ config: ServiceConfig, realServers: z.array(RealServerConfig) })

const Stored = z.object({
  bootId: z.string(),
  /** Keys of IPVS services that the agent made or took over: the kernel's carry no mark. */
  services: z.array(z.string()),
  adopted: z.record(z.string(), Original),
  syncRoles: z.array(SyncRole),
  /** What settings were before the agent set them, by name. They outlive a boot, as sysctl.d does. */
  settings: z.record(z.string(), z.string()),
  modules: z.array(z.string()),
})
type Stored = z.infer<typeof Stored>
export type OriginalService = z.infer<typeof Original>

const file = 'own-objects.json'

/**
 * What the agent put into the kernel, and may therefore take away. On the disk before the kernel has it. Services and
 * daemons do not outlive a boot; modules and settings do, by files of ours in /etc.
 */
export class OwnObjects {
  readonly #disk: Disk
  #stored: Stored
  #keys: ReadonlySet<string>

  private constructor(disk: Disk, stored: Stored) {
    this.#disk = disk
    this.#stored = stored
    this.#keys = new Set(stored.services)
  }

  static async open(disk: Disk, bootId: string): Promise<OwnObjects> {
    const text = await disk.read(file)
    const nothing: Stored = { bootId, services: [], adopted: {}, syncRoles: [], settings: {}, modules: [] }
    const stored = text === null ? nothing : Stored.parse(JSON.parse(text))
    const { settings, modules } = stored
    return new OwnObjects(disk, stored.bootId === bootId ? stored : { ...nothing, settings, modules })
  }

  has(service: string): boolean {
    return this.#keys.has(service)
  }
  get services(): readonly string[] {
    return this.#stored.services
  }
  original(service: string): OriginalService | undefined {
    return Object.hasOwn(this.#stored.adopted, service) ? this.#stored.adopted[service] : undefined
  }
  get syncRoles(): readonly z.infer<typeof SyncRole>[] {
    return this.#stored.syncRoles
  }
  originalSetting(name: string): string | null {
    return Object.hasOwn(this.#stored.settings, name) ? (this.#stored.settings[name] ?? null) : null
  }
  get settingNames(): readonly string[] {
    return Object.keys(this.#stored.settings)
  }
  get modules(): readonly string[] {
    return this.#stored.modules
  }

  /** Many at once: one write for a whole plan. */
  async addServices(keys: readonly string[]): Promise<void> {
    const services = [...new Set([...this.#stored.services, ...keys])]
    if (services.length > this.#stored.services.length) await this.#save({ services })
  }

  async removeServices(keys: readonly string[]): Promise<void> {
    const gone = new Set(keys)
    const services = this.#stored.services.filter((one) => !gone.has(one))
    if (services.length === this.#stored.services.length) return
    const adopted = Object.fromEntries(Object.entries(this.#stored.adopted).filter(([key]) => !gone.has(key)))
    await this.#save({ services, adopted })
  }

  async adopt(key: string, original: OriginalService): Promise<void> {
    const services = [...new Set([...this.#stored.services, key])]
    await this.#save({ services, adopted: { ...this.#stored.adopted, [key]: original } })
  }

  async setSyncRole(role: z.infer<typeof SyncRole>, isOurs: boolean): Promise<void> {
    const others = this.#stored.syncRoles.filter((one) => one !== role)
    await this.#save({ syncRoles: isOurs ? [...others, role] : others })
  }

  /** `original` null: it is not ours any more. */
  async setSetting(name: string, original: string | null): Promise<void> {
    const { [name]: _old, ...others } = this.#stored.settings
    await this.#save({ settings: original === null ? others : { ...others, [name]: original } })
  }

  async setModule(name: string, isOurs: boolean): Promise<void> {
    const others = this.#stored.modules.filter((one) => one !== name)
    await this.#save({ modules: isOurs ? [...others, name] : others })
  }

  async #save(change: Partial<Stored>): Promise<void> {
    const next = { ...this.#stored, ...change }
    await this.#disk.write(file, `${JSON.stringify(next)}\n`)
    this.#stored = next
    this.#keys = new Set(next.services)
  }
}
