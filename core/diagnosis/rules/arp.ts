import { type ConfSetting, confFix } from '../fix-steps.ts'
import { type ConfValue, confValue, interfacesOnVipNetwork, showConf, sysctlOf } from '../read-facts.ts'
import { type CheckSubject, type Judgement, MissingFact, defineRule } from '../rule.ts'

interface InterfaceConf extends ConfValue {
  readonly name: string
}

function readAll(subject: CheckSubject, name: 'arp_ignore' | 'arp_announce'): InterfaceConf[] {
  return interfacesOnVipNetwork(subject).map((candidate) => ({
    name: candidate.name,
    ...confValue(subject.facts, name, candidate.name),
  }))
}

/** `all=0 eth0=0, effective 0`, and a setting on lo that only looks like a cure. */
function showAll(subject: CheckSubject, name: 'arp_ignore' | 'arp_announce', values: readonly InterfaceConf[]): string {
  const lo = sysctlOf(subject.facts, `net.ipv4.conf.lo.${name}`)
  const shown = values.map((value) => showConf(value.name, value)).join('; ')
  return lo === 0 ? shown : `${shown}; lo=${lo} has no effect`
}

/** Which of the two sentences: half of the tutorials set lo, where the kernel never looks. */
function causeOf(subject: CheckSubject, name: 'arp_ignore' | 'arp_announce'): 'missing' | 'onlyOnLo' {
  return sysctlOf(subject.facts, `net.ipv4.conf.lo.${name}`) > 0 &&
    sysctlOf(subject.facts, `net.ipv4.conf.all.${name}`) === 0
    ? 'onlyOnLo'
    : 'missing'
}

const names = (values: readonly InterfaceConf[]): string => values.map(({ name }) => name).join(', ')

export const arpIgnore = defineRule({
  id: 'DR5',
  role: 'realServer',
  severity: 'blocks',
  forwarding: ['dr'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces', 'sysctls'],
  expected: '1 or 2',
  causes: ['missing', 'onlyOnLo'],
  source: 'DIAGNOSIS DR5, truth table of arp_ignore',
  judge: (subject) => {
    const values = readAll(subject, 'arp_ignore')
    const found = showAll(subject, 'arp_ignore', values)
    const bad = values.filter(({ effective }) => effective !== 1 && effective !== 2)
    if (bad.length === 0) return { status: 'ok', found }
    // `all` covers interfaces that come later; the greater value counts, so 3 to 8 on an interface must come down too.
    const all = values[0]?.all ?? 0
    const settings: ConfSetting[] = [
      ...(all === 1 || all === 2 ? [] : [{ interface: 'all', name: 'arp_ignore', value: 1 }]),
      ...values.filter(({ own }) => own > 2).map(({ name }) => ({ interface: name, name: 'arp_ignore', value: 1 })),
    ]
    return {
      status: 'missing',
      cause: causeOf(subject, 'arp_ignore'),
      found,
      params: { interfaces: names(bad) },
      fix: confFix(subject.facts, subject.request.vip, settings),
    }
  },
})

/**
 * Only 2 will do: with 1 the kernel takes the VIP as the sender wherever the VIP lies in the interface's own subnet,
 * the usual case in DR (tried).
 */
export const arpAnnounce = defineRule({
  id: 'DR6',
  role: 'realServer',
  severity: 'blocks',
  forwarding: ['dr'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces', 'sysctls'],
  expected: '2',
  causes: ['missing', 'onlyOnLo'],
  source: 'DIAGNOSIS DR6, truth table of arp_announce; netns trial on 6.18 with the VIP in the same subnet',
  judge: (subject) => {
    const values = readAll(subject, 'arp_announce')
    const found = showAll(subject, 'arp_announce', values)
    const bad = values.filter(({ effective }) => effective !== 2)
    if (bad.length === 0) return { status: 'ok', found }
    return {
      status: 'missing',
      cause: causeOf(subject, 'arp_announce'),
      found,
      params: { interfaces: names(bad) },
      fix: confFix(subject.facts, subject.request.vip, [{ interface: 'all', name: 'arp_announce', value: 2 }]),
    }
  },
})

/** The director asks the network itself: nobody else may answer, neither before the service is live nor after. */
export const nobodyElseAnswers = defineRule({
  id: 'DR7',
  role: 'director',
  severity: 'blocks',
  forwarding: ['dr', 'nat', 'tun', 'fullnat', 'local'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['arp', 'interfaces'],
  expected: 'no answer',
  causes: ['realServer', 'director', 'stranger'],
  source: 'DIAGNOSIS DR7 and P01',
  judge: (subject): Judgement<'realServer' | 'director' | 'stranger'> | null => {
    // A VIP that a router sends here, or that somebody else raises, may well be answered for by others.
    if (subject.request.announce !== 'arp') return null
    if (subject.arp.kind === 'notAsked')
      throw new MissingFact(`who answers ARP for ${subject.request.vip} (${subject.arp.reason})`)
    const { macs } = subject.arp
    if (macs.length === 0) return { status: 'ok', found: `nobody answers on ${subject.arp.interface}` }
    const owners = macs.map((mac) => ({ mac, owner: ownerOf(subject, mac) }))
    const found = owners
      .map(({ mac, owner }) => (owner.name === null ? `${mac} answers` : `${mac} answers: ${owner.name}`))
      .join('; ')
    const culprits = owners.filter(({ owner }) => owner.kind === 'realServer').map(({ owner }) => owner.name ?? '')
    if (culprits.length > 0) {
      return { status: 'missing', cause: 'realServer', found, params: { servers: [...new Set(culprits)].join(', ') } }
    }
    const own = owners.find(({ owner }) => owner.kind === 'director')
    return own === undefined
      ? { status: 'missing', cause: 'stranger', found, params: { macs: macs.join(', ') } }
      : { status: 'missing', cause: 'director', found, params: { interface: own.owner.name ?? '' } }
  },
})

type Owner = { readonly kind: 'realServer' | 'director' | 'stranger'; readonly name: string | null }

/** Whose MAC it is: by the hosts' own interfaces first, else by the director's neighbour table. */
function ownerOf({ request, facts, realServers }: CheckSubject, mac: string): Owner {
  const wanted = mac.toLowerCase()
  const own = facts.interfaces.find((candidate) => candidate.mac?.toLowerCase() === wanted)
  if (own !== undefined) return { kind: 'director', name: own.name }
  for (const [address, host] of realServers) {
    const nic = host.interfaces.find((candidate) => candidate.mac?.toLowerCase() === wanted)
    if (nic !== undefined) return { kind: 'realServer', name: address }
  }
  const neighbour = facts.neighbours.find(
    (entry) => entry.mac?.toLowerCase() === wanted && entry.address !== request.vip,
  )
  if (neighbour === undefined) return { kind: 'stranger', name: null }
  const isRealServer = request.realServers.some(({ address }) => address === neighbour.address)
  return { kind: isRealServer ? 'realServer' : 'stranger', name: neighbour.address }
}
