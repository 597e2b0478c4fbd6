import { edgesOfNetwork } from '../../model/address.ts'
import { extraOf, ipv4Addresses, networksOfVip, showAddress } from '../read-facts.ts'
import { defineRule } from '../rule.ts'

/** Before the service is live nobody may need the VIP for something else on the director. */
export const vipIsFreeOnDirector = defineRule({
  id: 'V1',
  role: 'director',
  severity: 'blocks',
  forwarding: ['dr', 'nat', 'tun', 'fullnat', 'local'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces', 'extra'],
  expected: 'not an address of the director',
  causes: ['managementAddress', 'ownAddress', 'ownAddressAllowed'],
  source: 'DESIGN §6, who owns the addresses',
  judge: ({ facts, request: { vip, isLive, announce, allowOwnAddress } }) => {
    if (isLive) return null
    const carriers = ipv4Addresses(facts).filter(({ address }) => address.address === vip)
    if (carriers.length === 0) return { status: 'ok', found: `no interface carries ${vip}` }
    const found = carriers.map(showAddress).join(', ')
    const sshAddress = extraOf(facts, 'sshServerAddress', 'SSH_CONNECTION')
    if (sshAddress === vip)
      return { status: 'missing', cause: 'managementAddress', found: `${found}; SSH came in by it` }
    // Whoever raises it elsewhere may have done so already.
    if (announce === 'none') return { status: 'ok', found }
    return allowOwnAddress
      ? { status: 'warning', cause: 'ownAddressAllowed', found }
      : { status: 'missing', cause: 'ownAddress', found }
  },
})

/** ARP reaches only neighbours: a VIP outside of every connected network is asked for by nobody. */
export const vipIsInConnectedNetwork = defineRule({
  id: 'V2',
  role: 'director',
  severity: 'blocks',
  forwarding: ['dr', 'nat', 'tun', 'fullnat', 'local'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces'],
  expected: "a host address in a network of one of the director's interfaces",
  causes: ['noNetwork', 'networkAddress', 'broadcastAddress'],
  source: 'RFC 826; RFC 1122 §3.2.1.3',
  judge: ({ facts, request: { vip, announce } }) => {
    if (announce !== 'arp') return null
    const networks = networksOfVip(facts, vip)
    const [network] = networks
    if (network === undefined) {
      const own = ipv4Addresses(facts).filter(({ interface: { isLoopback } }) => !isLoopback)
      return { status: 'missing', cause: 'noNetwork', found: own.map(showAddress).join(', ') || 'no IPv4 address' }
    }
    const found = showAddress(network)
    const params = { interface: network.interface.name }
    for (const { address } of networks) {
      const cause = new Map(edgesOfNetwork(address.address, address.prefixLength)).get(vip)
      if (cause !== undefined) return { status: 'missing', cause, found, params }
    }
    return { status: 'ok', found, params }
  },
})

/**
 * The eBPF dataplane takes packets for the VIP also where the address is not local (tried); it is the ARP answer that
 * needs it, or the router's next hop.
 */
export const directorOwnsVip = defineRule({
  id: 'D04',
  role: 'director',
  severity: 'blocks',
  forwarding: ['dr', 'nat', 'tun', 'fullnat', 'local'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces'],
  expected: '{vip} on {place}',
  causes: ['absent', 'elsewhere'],
  source: 'netns trial on 6.18: without the address no ARP answer; with a static neighbour the traffic flows',
  judge: ({ facts, request: { vip, isLive, announce } }) => {
    if (!isLive || announce === 'none') return null
    const carriers = ipv4Addresses(facts).filter(({ address }) => address.address === vip)
    const ingress = networksOfVip(facts, vip)[0]?.interface.name
    const place = announce === 'route' ? 'lo' : (ingress ?? 'the ingress interface')
    const params = { place }
    if (carriers.length === 0) return { status: 'missing', cause: 'absent', found: 'no interface carries it', params }
    const found = carriers.map(showAddress).join(', ')
    const isInPlace = carriers.some(({ interface: { isLoopback } }) => isLoopback === (announce === 'route'))
    return isInPlace ? { status: 'ok', found, params } : { status: 'missing', cause: 'elsewhere', found, params }
  },
})
