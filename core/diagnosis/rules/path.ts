import { confFix } from '../fix-steps.ts'
import {
  confValue,
  directorOf,
  ipv4Addresses,
  realServerInterface,
  routeTo,
  showConf,
  sysctlOf,
} from '../read-facts.ts'
import { defineRule } from '../rule.ts'

const shownAtMost = 5

function listed(entries: readonly string[]): string {
  const shown = entries.slice(0, shownAtMost).join(', ')
  return entries.length > shownAtMost ? `${shown} and ${entries.length - shownAtMost} more` : shown
}

/** DR rewrites only the MAC, so a router between director and real server would send the frame back. */
export const realServersAreOnLink = defineRule({
  id: 'DR1',
  role: 'director',
  severity: 'blocks',
  forwarding: ['dr'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['routes'],
  expected: 'no gateway',
  causes: ['gateway', 'local', 'unreachable'],
  source: 'DIAGNOSIS DR1',
  judge: ({ facts, request: { realServers } }) => {
    const routes = realServers.map(({ address }) => ({ address, ...routeTo(facts, address) }))
    const bad = routes.filter(({ kind, gateway }) => kind !== 'unicast' || gateway !== null)
    const [first] = bad
    if (first === undefined) {
      const names = [...new Set(routes.map((route) => route.interface ?? '?'))]
      return { status: 'ok', found: `on-link by ${listed(names)}` }
    }
    const cause = first.kind === 'local' ? 'local' : first.gateway === null ? 'unreachable' : 'gateway'
    return {
      status: 'missing',
      cause,
      found: listed(
        bad.map(({ address, kind, gateway }) =>
          gateway === null ? `${address} ${kind}` : `${address} via ${gateway}`,
        ),
      ),
      params: { servers: listed(bad.map(({ address }) => address)) },
    }
  },
})

export const portsAreEqual = defineRule({
  id: 'DR2',
  role: 'director',
  severity: 'blocks',
  forwarding: ['dr'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: [],
  expected: 'port {port} on every real server',
  causes: ['otherPort'],
  source: 'ipvsadm(8): "port mapping is not possible with direct routing"',
  judge: ({ request: { port, realServers } }) => {
    if (port === 0) return null
    const bad = realServers.filter((realServer) => realServer.port !== port)
    return bad.length === 0
      ? { status: 'ok', found: `${port} on all` }
      : {
          status: 'missing',
          cause: 'otherPort',
          found: listed(bad.map((server) => `${server.address}:${server.port}`)),
        }
  },
})

/** The director would see its own VIP as the source of a packet that comes in, and drop it as martian. */
export const repliesBypassDirector = defineRule({
  id: 'DR9',
  role: 'realServer',
  severity: 'warns',
  forwarding: ['dr'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['routes', 'interfaces', 'sysctls'],
  expected: 'a gateway other than the director',
  causes: ['throughDirector'],
  source: 'DIAGNOSIS DR9, truth table of accept_local',
  judge: (subject) => {
    const route = routeTo(subject.facts, 'default')
    // Clients behind a router are then not answered at all, but not because of the director.
    if (route.kind !== 'unicast')
      return { status: 'ok', found: 'no default route: only connected networks are answered' }
    if (route.gateway === null) return { status: 'ok', found: `default dev ${route.interface ?? '?'}` }
    const found = `default via ${route.gateway} dev ${route.interface ?? '?'}`
    const director = directorOf(subject)
    const gateway = ipv4Addresses(director).find(({ address }) => address.address === route.gateway)
    if (gateway === undefined) return { status: 'ok', found }
    const name = gateway.interface.name
    const acceptLocal = confValue(director, 'accept_local', name)
    const reversePath = confValue(director, 'rp_filter', name)
    const forwards = sysctlOf(director, 'net.ipv4.ip_forward')
    const state = `the director: accept_local ${acceptLocal.effective}, rp_filter ${reversePath.effective}, ip_forward ${forwards}`
    const passes = acceptLocal.effective === 1 && reversePath.effective !== 1 && forwards === 1
    return passes
      ? { status: 'ok', found: `${found}, ${state}` }
      : { status: 'warning', cause: 'throughDirector', found: `${found}, ${state}`, params: { gateway: route.gateway } }
  },
})

/** Strict reverse path filtering drops what comes in by one interface when the way back leads out of another. */
export const reversePathIsOpen = defineRule({
  id: 'DR10',
  role: 'realServer',
  severity: 'warns',
  forwarding: ['dr'],
  dataplanes: ['ebpf', 'ipvs'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces', 'routes', 'sysctls'],
  expected: 'replies leave where packets arrive, or rp_filter 0 or 2',
  causes: ['strict'],
  source: 'DIAGNOSIS DR10, truth table of rp_filter',
  judge: (subject) => {
    const { name } = realServerInterface(subject).interface
    const route = routeTo(subject.facts, 'default')
    const value = confValue(subject.facts, 'rp_filter', name)
    const shown = showConf(name, value)
    if (route.interface === null)
      return { status: 'ok', found: `packets arrive on ${name}; no default route; rp_filter ${shown}` }
    const way = `packets arrive on ${name}, default route by ${route.interface}`
    if (route.interface === name || value.effective !== 1) return { status: 'ok', found: `${way}; rp_filter ${shown}` }
    return {
      status: 'warning',
      cause: 'strict',
      found: `${way}; rp_filter ${shown}`,
      params: { interface: name, other: route.interface },
      // The greater of both counts, so 2 on the interface is enough. Loose needs an address there: it has the RIP.
      fix: confFix(subject.facts, subject.request.vip, [{ interface: name, name: 'rp_filter', value: 2 }]),
    }
  },
})
