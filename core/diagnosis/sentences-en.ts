import type { CommonSentences, RuleSentences } from './sentences.ts'
import type { RuleId } from './rule.ts'

export const commonEn: CommonSentences = {
  ok: 'As it should be.',
  unknown: 'Not known: {fact} could not be read.',
  notChecked: 'Not checked: no SSH access to this host.',
  otherFamily: 'Not checked: this version judges it for {judged} alone.',
  otherProtocol: 'Not checked: this version judges it for {judged} alone.',
  survivesReboot: 'Survives a reboot.',
  endsWithReboot: 'Does not survive a reboot: nothing on this host would restore it.',
}

export const rulesEn: Readonly<Record<RuleId, RuleSentences>> = {
  V1: {
    title: 'VIP is free on the director',
    why: 'The agent raises the VIP itself. An address that the director uses for something else would lose that use, and the address that SSH came in by would lock everybody out.',
    causes: {
      managementAddress: 'SSH came in by {vip}: as a VIP it would cut this connection.',
      ownAddress: 'The director carries {vip} already, and not for this service.',
      ownAddressAllowed: 'The director carries {vip} already; the service was told to take it all the same.',
    },
  },
  V2: {
    title: 'VIP is in a connected network',
    why: 'Clients and routers find the VIP by ARP, which reaches only the network that an interface is connected to.',
    causes: {
      noNetwork: 'No interface of the director has a network that holds {vip}.',
      networkAddress: '{vip} is the network address of {interface}: no host can use it.',
      broadcastAddress: '{vip} is the broadcast address of {interface}: no host can use it.',
    },
  },
  D04: {
    title: 'Director owns the VIP',
    why: 'Without the address nobody answers ARP for it, or the router has nowhere to send it; IPVS takes packets only for addresses of the director, the eBPF dataplane would take them without.',
    causes: {
      absent: 'The director does not carry {vip} any more.',
      elsewhere: '{vip} is not on {place}.',
    },
  },
  DR1: {
    title: 'Real servers are on-link',
    why: 'DR rewrites only the MAC. A router on the way would see the VIP as destination and send the packet back.',
    causes: {
      gateway: 'A gateway stands between the director and {servers}. Tunnel would be the mode for these.',
      local: '{servers} is an address of the director itself.',
      unreachable: 'The director has no route to {servers}.',
    },
  },
  DR2: {
    title: 'Ports are equal',
    why: 'DR leaves the packet as it is, the port included.',
    causes: { otherPort: 'Not every real server uses port {port}. NAT could translate ports.' },
  },
  DR7: {
    title: 'Nobody else answers for the VIP',
    why: 'Who answers ARP for the VIP gets its traffic, past the director: one real server then takes all, or clients change sides from minute to minute.',
    causes: {
      realServer: '{servers} answers ARP for {vip}. arp_ignore there is the cure.',
      director: 'The director answers by {interface} too, where the dataplane does not listen.',
      stranger: 'Another host answers for {vip} ({macs}): the address is taken.',
    },
  },
  'D16-btf': {
    title: 'Kernel describes its types (BTF)',
    why: 'The dataplane is checked against the running kernel by it.',
    causes: { missing: 'The kernel was built without BTF; a kernel of the distribution has it.' },
  },
  'D16-bpffs': {
    title: 'bpffs is mounted',
    why: 'The dataplane is pinned there, so that traffic flows on while the agent is away.',
    causes: { missing: 'Nothing is mounted on /sys/fs/bpf: mount -t bpf bpf /sys/fs/bpf' },
  },
  'D16-jit': {
    title: 'BPF is compiled (JIT)',
    why: 'Without it each packet is interpreted, many times slower.',
    causes: { off: 'The JIT is switched off.' },
    fix: 'Switches the JIT on.',
  },
  'D16-programs': {
    title: 'No other BPF program',
    why: 'A program of somebody else on the same interface may take packets before ours, or never see those that ours takes.',
    causes: { other: 'Another program is attached to {interface}; it stays untouched.' },
  },
  RS1: {
    title: 'It is this real server',
    why: 'A forwarded port or a stale name can lead to another machine, whose facts would prove nothing.',
    causes: { otherHost: 'SSH led to {hostname}, which does not carry {host}.' },
  },
  DR4: {
    title: 'VIP on lo',
    why: 'In DR the packet still has the VIP as destination. The real server takes it only where the address is its own, on a device without ARP and as /32.',
    causes: {
      missing: 'The real server does not carry {vip}: it drops the packets.',
      wrongPrefix:
        '{vip} is there with a wider prefix: the whole of {network} counts as local, and neighbours there cannot be reached.',
      otherInterface: '{vip} is on {interface}, where ARP for it is answered whatever arp_ignore says.',
      managementAddress: 'SSH came in by {vip}: it is no address to move.',
    },
    fix: 'Puts {vip}/32 on lo.',
  },
  DR5: {
    title: 'arp_ignore',
    why: 'The real server must not answer ARP for the VIP, or it takes the traffic away from the director. The greater of "all" and the interface counts; lo never does.',
    causes: {
      missing: 'ARP requests for {vip} that arrive on {interfaces} are answered.',
      onlyOnLo: 'ARP requests for {vip} that arrive on {interfaces} are answered: the setting on lo has no effect.',
    },
    fix: 'Answers ARP only for addresses of the interface that was asked.',
  },
  DR6: {
    title: 'arp_announce',
    why: 'The real server must not name the VIP as sender of its own ARP requests: neighbours would learn its MAC for the VIP. 1 is not enough where the VIP is in the same subnet.',
    causes: {
      missing: 'ARP requests that leave by {interfaces} can carry {vip} as sender.',
      onlyOnLo: 'ARP requests that leave by {interfaces} can carry {vip} as sender: the setting on lo has no effect.',
    },
    fix: 'Uses the address of the interface as sender of ARP requests.',
  },
  DR8: {
    title: 'Service listens on the VIP',
    why: "The packet reaches the real server with the VIP as destination, so a socket bound to the real server's own address never gets it.",
    causes: {
      nobody: 'Nothing listens on port {port}.',
      otherAddress:
        'Port {port} is bound to another address only. Let the service listen on {vip} or on every address.',
      ipv6Only: 'Port {port} takes IPv6 only.',
    },
  },
  DR9: {
    title: 'Replies bypass the director',
    why: 'A reply has the VIP as its source. The director owns that address and drops such packets as martian.',
    causes: {
      throughDirector:
        'The default gateway {gateway} is the director. Use the router, or accept_local=1, rp_filter 0 or 2 and ip_forward=1 on the director.',
    },
  },
  DR10: {
    title: 'Reverse path filter',
    why: 'With rp_filter 1 the kernel drops packets whose reply would leave by another interface. The greater of "all" and the interface counts.',
    causes: { strict: 'Packets arrive on {interface}, replies leave by {other}: they are dropped.' },
    fix: 'Sets the filter on {interface} to loose.',
  },
}
