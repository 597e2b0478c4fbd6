import { existsSync } from 'node:fs'
import type { InterfaceFacts } from '../core/contract/agent.ts'
import { addressBits, familyOf, IpFamily } from '../core/model/address.ts'
import type { PlacedAddress } from '../core/reconcile/desired.ts'
import { announceAddress, probeAddress } from './kernel/arp.ts'
import { KernelError } from './kernel/errno.ts'
import { advertiseAddress } from './kernel/neighbour-advertisement.ts'
import type { EthernetInterface } from './kernel/packet-socket.ts'
import { type Link, RouteSocket } from './kernel/route.ts'
import type { Network } from './network.ts'

/**
 * There in every namespace once IPv6 is up. A kernel that was booted with ipv6.disable=1 has the module and not this:
 * inet6_init of net/ipv6/af_inet6.c (Linux 6.1) ends before it.
 */
const ipv6Addresses = '/proc/net/if_inet6'

/** The network of the namespace that the agent runs in. */
export function kernelNetwork(): Network & { close(): void } {
  const route = new RouteSocket()
  const linkOf = (name: string): Link => {
    const link = route.linkByName(name)
    if (link === null) throw new KernelError(`finding the interface ${name}`, 'ENODEV')
    return link
  }
  const ethernetOf = (name: string): EthernetInterface => {
    const { index, mac, isEthernet } = linkOf(name)
    if (mac === null || !isEthernet)
      throw new KernelError(`announcing an address on ${name}`, 'EOPNOTSUPP', { says: 'no Ethernet' })
    return { index, mac }
  }
  return {
    interfaces: () => Promise.resolve(readInterfaces(route)),
    families: () => (existsSync(ipv6Addresses) ? IpFamily.options : ['ipv4']),
    async addAddress({ address, interface: name }: PlacedAddress) {
      route.addAddress({ ifindex: linkOf(name).index, address, prefixLength: addressBits[familyOf(address)] })
    },
    async removeAddress({ address, interface: name }: PlacedAddress) {
      route.removeAddress({ ifindex: linkOf(name).index, address, prefixLength: addressBits[familyOf(address)] })
    },
    async announce({ address, interface: name }) {
      if (familyOf(address) === 'ipv4') announceAddress(ethernetOf(name), address)
      else advertiseAddress(ethernetOf(name), address)
    },
    async isOnLink(address) {
      const found = route.routeTo(address)
      return found !== null && found.gateway === null && !found.isLocal
    },
    probeArp: async (address, name, waitMs) => probeAddress(ethernetOf(name), address, waitMs),
    close: () => route.close(),
  }
}

function readInterfaces(route: RouteSocket): InterfaceFacts[] {
  const addresses = route.addresses()
  return route.links().map(({ index, name, mac, mtu, isUp }) => ({
    name,
    index,
    mac,
    mtu,
    isUp,
    addresses: addresses
      // A link-local address is every interface's own affair: no VIP can be one.
      .filter((one) => one.ifindex === index && !one.address.startsWith('fe80:'))
      .map(({ address, prefixLength }) => ({ address, prefixLength })),
  }))
}
