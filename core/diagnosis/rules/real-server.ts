import type { HostFacts } from '../facts.ts'
import { addAddress, deleteAddress, flushAddress, vipUnit } from '../fix-steps.ts'
import {
  type PlacedAddress,
  answersArp,
  confValue,
  interfacesOf,
  ipv4Addresses,
  networkAddress,
  showAddress,
} from '../read-facts.ts'
import { type FixDraft, type FixStep, MissingFact, defineRule } from '../rule.ts'

/** The way in may lead to another machine (a forwarded port, a stale name): its facts would prove nothing. */
export const hostIsRealServer = defineRule({
  id: 'RS1',
  role: 'realServer',
  severity: 'blocks',
  forwarding: ['dr', 'nat', 'tun', 'fullnat'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces'],
  expected: 'carries {host}',
  causes: ['otherHost'],
  source: 'a frame for the real server goes to the MAC that answers for its address',
  judge: ({ facts, host }) => {
    const placed = ipv4Addresses(facts)
    const own = placed.find(({ address }) => address.address === host)
    if (own !== undefined) return { status: 'ok', found: `${facts.hostname}: ${showAddress(own)}` }
    const others = placed.filter(({ interface: { isLoopback } }) => !isLoopback).map(showAddress)
    return {
      status: 'missing',
      cause: 'otherHost',
      found: `${facts.hostname}: ${others.join(', ') || 'no IPv4 address'}`,
      params: { hostname: facts.hostname },
    }
  },
})

/**
 * The real server must take packets for the VIP as its own, on a device that has no ARP. A wider prefix on lo would
 * make the whole subnet local (P04).
 */
export const vipIsOnLoopback = defineRule({
  id: 'DR4',
  role: 'realServer',
  severity: 'blocks',
  forwarding: ['dr'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces', 'sysctls', 'extra'],
  expected: '{vip}/32 on lo',
  causes: ['missing', 'wrongPrefix', 'otherInterface', 'managementAddress'],
  // With the address there and ARP not tamed, the real server would answer for the VIP at once.
  fixAfter: ['DR5', 'DR6'],
  source: 'DIAGNOSIS DR4 and P04',
  judge: ({ facts, request: { vip } }) => {
    if (!interfacesOf(facts).some(({ isLoopback }) => isLoopback)) throw new MissingFact('the loopback interface')
    const placed = ipv4Addresses(facts).filter(({ address }) => address.address === vip)
    const onArp = placed.filter(({ interface: candidate }) => answersArp(candidate))
    const quiet = placed.filter(({ interface: candidate }) => !answersArp(candidate))
    const wide = quiet.filter(({ address }) => address.prefixLength !== 32)
    const found = placed.map(showAddress).join(', ') || 'no interface carries it'
    if (onArp.length === 0 && wide.length === 0 && quiet.length > 0) return { status: 'ok', found }
    if (placed.length > 0 && facts.extra['sshServerAddress'] === vip) {
      return { status: 'missing', cause: 'managementAddress', found }
    }
    const [first] = [...onArp, ...wide]
    const cause = onArp.length > 0 ? 'otherInterface' : wide.length > 0 ? 'wrongPrefix' : 'missing'
    return {
      status: 'missing',
      cause,
      found,
      ...(first === undefined
        ? {}
        : {
            params: {
              interface: first.interface.name,
              network: `${networkAddress(vip, first.address.prefixLength)}/${first.address.prefixLength}`,
            },
          }),
      fix: moveToLoopback(facts, vip, [...onArp, ...wide], wide.length === quiet.length),
    }
  },
})

function moveToLoopback(
  facts: HostFacts,
  vip: string,
  wrong: readonly PlacedAddress[],
  mustAdd: boolean,
): FixDraft | null {
  const removals: FixStep[] = []
  for (const place of wrong) {
    const followers = followersOf(facts, place)
    // On a network interface the followers are the host's own addresses, SSH among them: nothing to play with.
    if (followers.length > 0 && !place.interface.isLoopback) return null
    const name = place.interface.name
    removals.push({
      run: deleteAddress(name, place.address),
      undo: [place.address, ...followers].map((address) => addAddress(name, address, 'replace')).join(' && '),
    })
    for (const address of followers) {
      removals.push({ run: addAddress(name, address, 'add'), undo: flushAddress(name, address.address) })
    }
  }
  const addition: FixStep = { run: `ip addr add ${vip}/32 dev lo`, undo: flushAddress('lo', vip) }
  const unit = vipUnit(facts, vip)
  return {
    steps: [...removals, ...(mustAdd ? [addition] : []), ...unit.steps],
    files: unit.files,
    survivesReboot: unit.survivesReboot,
  }
}

/** Addresses that the kernel deletes together with this one. */
function followersOf(
  facts: HostFacts,
  { interface: candidate, address }: PlacedAddress,
): HostFacts['interfaces'][number]['addresses'] {
  if (address.isSecondary || confValue(facts, 'promote_secondaries', candidate.name).effective === 1) return []
  const network = networkAddress(address.address, address.prefixLength)
  return candidate.addresses.filter(
    (other) =>
      other.family === 'inet' &&
      other.isSecondary &&
      other.prefixLength === address.prefixLength &&
      networkAddress(other.address, other.prefixLength) === network,
  )
}

/** The packet arrives with the VIP as its destination: a socket that listens on the RIP alone never sees it. */
export const serviceListensOnVip = defineRule({
  id: 'DR8',
  role: 'realServer',
  severity: 'blocks',
  forwarding: ['dr'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp'],
  needs: ['listeners'],
  expected: '{vip}:{port} or *:{port}',
  causes: ['nobody', 'otherAddress', 'ipv6Only'],
  source: 'DIAGNOSIS DR8',
  judge: ({ facts, request: { vip, port } }) => {
    if (port === 0) return null
    if (facts.listeners === null) throw new MissingFact('/proc/net/tcp')
    const addresses = facts.listeners.filter((listener) => listener.port === port).map(({ address }) => address)
    if (addresses.length === 0) return { status: 'missing', cause: 'nobody', found: `nothing listens on port ${port}` }
    const found = addresses
      .map((address) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`))
      .join(', ')
    if (addresses.some((address) => address === '*' || address === vip)) return { status: 'ok', found }
    const isIpv6Only = addresses.every((address) => address.includes(':'))
    return { status: 'missing', cause: isIpv6Only ? 'ipv6Only' : 'otherAddress', found }
  },
})
