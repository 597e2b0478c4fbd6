import { z } from 'zod'
import { addressBits, familyOf } from '../../core/model/address.ts'
import type { ObservedVip } from '../../core/model/observed.ts'
import { type PlacedAddress, placeKey } from '../../core/reconcile/desired.ts'
import type { InterfaceFacts } from '../../core/contract/agent.ts'
import type { Disk } from '../disk.ts'

const OwnVips = z.object({
  bootId: z.string(),
  vips: z.array(z.object({ address: z.string(), interface: z.string() })),
})
const file = 'own-vips.json'

/**
 * The addresses that the agent raised, and may therefore lower. On the disk before the kernel has them. An address does
 * not outlive a boot: one that stands there after it was raised by somebody else.
 */
export class OwnVipRecord {
  readonly #disk: Disk
  readonly #bootId: string
  #vips: readonly PlacedAddress[]

  private constructor(disk: Disk, bootId: string, vips: readonly PlacedAddress[]) {
    this.#disk = disk
    this.#bootId = bootId
    this.#vips = vips
  }

  static async open(disk: Disk, bootId: string): Promise<OwnVipRecord> {
    const text = await disk.read(file)
    const stored = text === null ? null : OwnVips.parse(JSON.parse(text))
    return new OwnVipRecord(disk, bootId, stored?.bootId === bootId ? stored.vips : [])
  }

  list(): readonly PlacedAddress[] {
    return this.#vips
  }

  async add(place: PlacedAddress): Promise<void> {
    await this.#save([...this.#without(place), { address: place.address, interface: place.interface }])
  }

  async remove(place: PlacedAddress): Promise<void> {
    await this.#save(this.#without(place))
  }

  #without(place: PlacedAddress): PlacedAddress[] {
    return this.#vips.filter((one) => placeKey(one) !== placeKey(place))
  }

  async #save(vips: readonly PlacedAddress[]): Promise<void> {
    await this.#disk.write(file, `${JSON.stringify({ bootId: this.#bootId, vips })}\n`)
    this.#vips = vips
  }
}

/** Where these addresses stand on the director now, and whether we put them there. */
export function observeVips(
  interfaces: readonly InterfaceFacts[],
  own: readonly PlacedAddress[],
  addresses: ReadonlySet<string>,
): ObservedVip[] {
  const ours = new Set(own.map(placeKey))
  return interfaces.flatMap((one) =>
    one.addresses
      .filter(({ address }) => addresses.has(address))
      .map(({ address, prefixLength }) => {
        const place = { address, interface: one.name }
        return { ...place, isOurs: prefixLength === addressBits[familyOf(address)] && ours.has(placeKey(place)) }
      }),
  )
}
