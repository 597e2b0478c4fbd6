// The hosts with the director in the middle: clients on one side, real servers on the other, which have the director as
// their router. IPv4 and IPv6 on both.
import { addresses, addresses6, Hosts, vip, vip6 } from './hosts.ts'

export const routed = {
  vip: { ipv4: vip, ipv6: vip6 },
  client: { ipv4: '10.82.0.3', ipv6: 'fd82::3' },
  rs1: { ipv4: addresses.rs1, ipv6: addresses6.rs1 },
  rs2: { ipv4: addresses.rs2, ipv6: addresses6.rs2 },
} as const

/** `eth1` of the director is the clients' side, `eth0` the real servers'. Nobody carries the VIP. */
export async function startRouted(): Promise<Hosts> {
  const hosts = await Hosts.start()
  hosts.connect('director', 'client', 'eth1')
  hosts.run('client', 'ip', 'link', 'set', 'eth0', 'down')
  for (const [host, name, ...addresses] of [
    ['director', 'eth1', '10.82.0.2/24', 'fd82::2/64'],
    ['client', 'eth1', '10.82.0.3/24', 'fd82::3/64'],
  ] as const) {
    for (const address of addresses) {
      hosts.run(host, 'ip', 'addr', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []))
    }
  }
  for (const [host, name] of [
    ['director', 'eth0'],
    ['rs1', 'lo'],
    ['rs2', 'lo'],
  ] as const) {
    hosts.run(host, 'ip', 'addr', 'del', `${vip}/32`, 'dev', name)
    hosts.run(host, 'ip', 'addr', 'del', `${vip6}/128`, 'dev', name)
  }
  for (const [host, ...gateways] of [
    ['client', '10.82.0.2', 'fd82::2'],
    ['rs1', '10.81.0.2', 'fd81::2'],
    ['rs2', '10.81.0.2', 'fd81::2'],
  ] as const) {
    for (const gateway of gateways) {
      hosts.run(host, 'ip', gateway.includes(':') ? '-6' : '-4', 'route', 'add', 'default', 'via', gateway)
    }
  }
  hosts.run('director', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')
  return hosts
}

/** What native XDP on veth asks of its neighbours, on both sides of the director. */
export function prepareRoutedForXdp(hosts: Hosts): void {
  for (const [host, name] of [
    ['client', 'eth1'],
    ['rs1', 'eth0'],
    ['rs2', 'eth0'],
  ] as const) {
    hosts.run(host, 'ethtool', '-K', name, 'tx', 'off')
  }
  hosts.run('client', 'ethtool', '-K', 'eth1', 'gro', 'on')
  hosts.run('switch', 'ethtool', '-K', 'p-director', 'gro', 'on')
}
