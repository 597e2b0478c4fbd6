import type { InterfaceFacts } from '../core/contract/agent.ts'
import type { IpFamily } from '../core/model/address.ts'
import type { PlacedAddress } from '../core/reconcile/desired.ts'

/**
 * What the agent needs of the director's network beside the dataplane. Errors are `AppError` `KERNEL` with
 * `details.errno`.
 */
export interface Network {
  interfaces(): Promise<InterfaceFacts[]>
  /** Address families that this kernel has: without IPv6 no such address can be raised, and no such packet arrives. */
  families(): readonly IpFamily[]
  /** Adds the address with /32; EEXIST where it is there already. */
  addAddress(place: PlacedAddress): Promise<void>
  /** Removes the address with /32; EADDRNOTAVAIL where it is not there. */
  removeAddress(place: PlacedAddress): Promise<void>
  /** Tells the neighbours on the interface that the address is here now (gratuitous ARP). */
  announce(place: PlacedAddress): Promise<void>
  /** True where the director's routing table leads to the address without a gateway. */
  isOnLink(address: string): Promise<boolean>
  /** MACs that answer ARP for the address on the interface within the time. */
  probeArp(address: string, interfaceName: string, waitMs: number): Promise<string[]>
}
