// A document that changes at random, one thing at a time; the same sequence for the same seed.
import { type ClusterSpec, parseClusterSpec } from '../../../core/model/cluster-spec.ts'
import { schedulers } from '../../../core/model/scheduler.ts'
import { guestSchedulers } from './cells.ts'
import { insideAddress } from './network.ts'

type Fields = Record<string, unknown>
interface Draft extends Fields {
  realServers: Fields[]
}

/** mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const ownAddresses: readonly string[] = Object.values(insideAddress)
const identities: readonly Fields[] = [
  { vip: '10.1.0.50', port: 80 },
  { vip: '10.1.0.50', port: 81, protocol: 'sctp' },
  { vip: '10.1.0.50', port: 53, protocol: 'udp' },
  { vip: '10.1.0.51', port: 0 },
  { vip: 'fd00:1::50', port: 80 },
  { vip: 'fd00:1::50', port: 53, protocol: 'udp' },
  { fwmark: 5 },
  { fwmark: 5, family: 'ipv6' },
]

/** Documents, each one thing away from the one before; never ends. */
export function* changingDocuments(random: () => number): Generator<ClusterSpec, never> {
  const below = (n: number): number => Math.floor(random() * n)
  const pick = <T>(from: readonly T[]): T => {
    const value = from[below(from.length)]
    if (value === undefined) throw new RangeError('nothing to pick from')
    return value
  }
  const maybe = <T>(value: () => T): T | undefined => (random() < 0.5 ? value() : undefined)

  const tunnel = (): Fields => {
    const type = pick(['ipip', 'gue', 'gre'])
    if (type === 'ipip') return { type }
    if (type === 'gre') return { type, checksum: pick(['nocsum', 'csum']) }
    return { type, port: 5000 + below(3), checksum: pick(['nocsum', 'csum', 'remcsum']) }
  }
  /** Only what goes to the director's own address can stay on it. */
  const method = (address: unknown): Fields => {
    const forwarding = pick(['nat', 'dr', 'tun', ...(ownAddresses.includes(String(address)) ? ['local'] : [])])
    return forwarding === 'tun' ? { forwarding, tunnel: maybe(tunnel) } : { forwarding, tunnel: undefined }
  }
  const thresholds = (): Fields => {
    const upperThreshold = maybe(() => 1 + below(1000))
    return {
      upperThreshold,
      lowerThreshold: upperThreshold === undefined ? undefined : maybe(() => below(upperThreshold)),
    }
  }
  const realServer = (service: Fields): Fields => {
    const isIpv6 = service['family'] === 'ipv6' || String(service['vip']).includes(':')
    const isOther = random() < 0.1
    const host = pick([1, 11, 12, 13])
    const address = isIpv6 !== isOther ? `fd00:2::${host}` : `10.2.0.${host}`
    return {
      address,
      port: random() < 0.7 ? (service['port'] ?? 0) : 8000 + below(2),
      weight: below(100),
      ...method(address),
      ...thresholds(),
    }
  }
  const scheduling = (): Fields => {
    const scheduler = pick(guestSchedulers)
    return { scheduler, schedulerFlags: schedulers[scheduler].flags.filter(() => random() < 0.5) }
  }
  const persistence = (): Fields => ({
    persistence: maybe(() => ({
      timeoutSec: 1 + below(1000),
      prefixLength: maybe(() => 8 + below(120)),
      engine: maybe(() => 'sip'),
    })),
  })
  const addService = (services: Draft[]): void => {
    const identity = pick(identities)
    const base = { name: JSON.stringify(identity).replaceAll('"', ''), dataplane: 'ipvs', forwarding: 'nat' }
    const service: Fields = {
      ...base,
      ...identity,
      announce: 'none',
      check: { type: 'none' },
      ...scheduling(),
      ...persistence(),
    }
    services.push({ ...service, realServers: Array.from({ length: below(3) }, () => realServer(service)) })
  }
  const mutations: readonly ((services: Draft[]) => void)[] = [
    addService,
    (services) => services.splice(below(services.length), 1),
    (services) => Object.assign(pick(services), scheduling()),
    (services) => Object.assign(pick(services), persistence()),
    (services) => Object.assign(pick(services), { onePacket: maybe(() => true) }),
    ...Array.from({ length: 3 }, () => (services: Draft[]) => {
      const service = pick(services)
      service.realServers.push(realServer(service))
    }),
    (services) => {
      const { realServers } = pick(services)
      realServers.splice(below(realServers.length), 1)
    },
    (services) => Object.assign(pick(pick(services).realServers), { weight: below(65_536) }),
    (services) => Object.assign(pick(pick(services).realServers), { state: pick(['enabled', 'drain', 'offline']) }),
    (services) => Object.assign(pick(pick(services).realServers), thresholds()),
    (services) => {
      const one = pick(pick(services).realServers)
      Object.assign(one, method(one['address']))
    },
  ]

  let services: Draft[] = []
  let text = ''
  for (;;) {
    const next = structuredClone(services)
    try {
      pick(mutations)(next)
    } catch (error) {
      if (error instanceof RangeError) continue
      throw error
    }
    const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'guest', services: next })
    // What the rules refuse, and what changes nothing, is drawn again.
    if (!parsed.ok || JSON.stringify(parsed.value) === text) continue
    services = next
    text = JSON.stringify(parsed.value)
    yield parsed.value
  }
}
