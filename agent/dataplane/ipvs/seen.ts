// What IPVS holds, in the model's terms. Pure. The kernel keeps no word of some of it: who set a service up, the weight
// of a real server that is drained or down, health checks. That is filled in from what it was told.
import { addressBits } from '../../../core/model/address.ts'
import { commonMethod } from '../../../core/reconcile/adopt.ts'
import type { ObservedRealServer, ObservedService } from '../../../core/model/observed.ts'
import type { NatEntry, RealServerConfig, ServiceConfig } from '../../../core/model/plan.ts'
import { Scheduler, type SchedulerFlag } from '../../../core/model/scheduler.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import {
  compareEndpoints,
  compareServices,
  type Desired,
  type DesiredService,
} from '../../../core/reconcile/desired.ts'
import { hashingBits } from './constants.ts'
import { ipvsServiceKey } from './requests.ts'
import type { IpvsDestination, IpvsService, IpvsTableEntry } from './types.ts'
import { kernelWeight } from './wanted.ts'

export interface Knowledge {
  /** Keys of the services that are ours. */
  readonly isOurs: (service: string) => boolean
  /** What the kernel may have been told, likeliest first. */
  readonly hints: readonly Desired[]
  readonly natEntries: readonly NatEntry[]
  /** What health checking last told of a service's real servers, each list for good; none since the agent started. */
  readonly healthOf: (service: string) => ReadonlyMap<string, boolean> | undefined
}

export interface Seen {
  /** Sorted. */
  readonly services: readonly ObservedService[]
  /** Services of others that this version has no words for, as ipvsadm would name them. */
  readonly unspoken: readonly string[]
  /** For the next look. */
  readonly memory: SeenMemory
}

/** Of one service: what was seen, and from what. */
interface Sight {
  readonly row: IpvsTableEntry
  readonly isOurs: boolean
  readonly told: readonly DesiredService[]
  readonly health: ReadonlyMap<string, boolean> | undefined
  /** Null: no words for it. */
  readonly service: ObservedService | null
}

interface SeenMemory {
  readonly hints: readonly Desired[]
  readonly hinted: ReadonlyMap<string, readonly DesiredService[]>
  readonly natText: string
  readonly sights: ReadonlyMap<string, Sight>
}

export const nothingSeen: Seen = {
  services: [],
  unspoken: [],
  memory: { hints: [], hinted: new Map(), natText: '[]', sights: new Map() },
}

/**
 * @param before the last look: a service whose row is the same object, and of which nothing else is known now, is the same
 * object as then
 */
export function see(table: readonly IpvsTableEntry[], knowledge: Knowledge, before: Seen = nothingSeen): Seen {
  const { hints, natEntries } = knowledge
  const last = before.memory
  const isSameHint = hints.length === last.hints.length && hints.every((one, i) => one === last.hints[i])
  const hinted = isSameHint ? last.hinted : hintsByKey(hints)
  const natText = natEntries.length === 0 ? '[]' : JSON.stringify(natEntries)
  const natKeys = new Map(natEntries.map((entry) => [natKey(entry.vip, entry.port, entry), entry]))
  const sights = new Map<string, Sight>()
  let changes = 0
  for (const row of table) {
    const key = ipvsServiceKey(row.id)
    const isOurs = knowledge.isOurs(key)
    const given = { row, isOurs, told: isOurs ? (hinted.get(key) ?? []) : [], health: knowledge.healthOf(key) }
    const old = last.sights.get(key)
    const isSame = old !== undefined && natText === last.natText && isSameGiven(old, given)
    if (!isSame) changes += 1
    sights.set(key, isSame ? old : { ...given, service: seeService(given, natKeys) })
  }
  const memory = { hints, hinted, natText, sights }
  if (changes === 0 && sights.size === last.sights.size) return { ...before, memory }
  return {
    services: inOrder(sights, before.services),
    unspoken: [...sights.values()].flatMap(({ row, service }) => (service === null ? [nameOf(row)] : [])),
    memory,
  }
}

const isSameGiven = (a: Omit<Sight, 'service'>, b: Omit<Sight, 'service'>): boolean =>
  a.row === b.row &&
  a.isOurs === b.isOurs &&
  a.health === b.health &&
  a.told.length === b.told.length &&
  a.told.every((one, i) => one === b.told[i])

/** Sorts from the last look's order on: the kernel's is none, and most has its place already. */
function inOrder(sights: ReadonlyMap<string, Sight>, before: readonly ObservedService[]): ObservedService[] {
  const keys = new Set([...before.map((service) => serviceKey(service)), ...sights.keys()])
  return [...keys].flatMap((key) => sights.get(key)?.service ?? []).toSorted(compareServices)
}

/** Null for what this version has no words for. */
function seeService(
  { row, isOurs, told, health }: Omit<Sight, 'service'>,
  natKeys: ReadonlyMap<string, NatEntry>,
): ObservedService | null {
  const spoken = spokenService(row)
  const reached = row.destinations.flatMap((one) => {
    const method = spokenMethod(one)
    return method === null ? [] : [{ one, method }]
  })
  if (spoken === null || reached.length < row.destinations.length) return null
  const context = { told: toldOf(told), hasChecks: told[0]?.config.check.type !== 'none', natKeys, health }
  const realServers = reached
    .map(({ one, method }) => seeRealServer(one, method, spoken, context))
    .toSorted(compareEndpoints)
  return {
    ...completed(spoken, told[0]?.config, realServers, natKeys),
    realServers,
    ringDigest: null,
    isForeign: !isOurs,
  }
}

/** What was told of each real server, likeliest first. */
function toldOf(services: readonly DesiredService[]): Map<string, RealServerConfig[]> {
  const byKey = new Map<string, RealServerConfig[]>()
  for (const { realServers } of services) {
    for (const one of realServers) {
      const key = realServerKey(one)
      const others = byKey.get(key)
      if (others === undefined) byKey.set(key, [one])
      else others.push(one)
    }
  }
  return byKey
}

function hintsByKey(hints: readonly Desired[]): Map<string, DesiredService[]> {
  const byKey = new Map<string, DesiredService[]>()
  for (const { services } of hints) {
    for (const service of services) {
      if (service.config.dataplane !== 'ipvs') continue
      const key = serviceKey(service.config)
      byKey.set(key, [...(byKey.get(key) ?? []), service])
    }
  }
  return byKey
}

/** The part of a configuration that IPVS tells. */
type Spoken = Pick<
  ServiceConfig,
  'vip' | 'port' | 'protocol' | 'fwmark' | 'family' | 'scheduler' | 'schedulerFlags' | 'persistence' | 'onePacket'
>

/** Null for what this version's model has no words for: another protocol or scheduler, AH and ESP among them. */
function spokenService(service: IpvsService): Spoken | null {
  const { id } = service
  const { success, data: scheduler } = Scheduler.safeParse(service.scheduler)
  if (!success || (service.engine !== null && service.engine !== 'sip') || service.prefixLength === null) return null
  const bits = addressBits[id.family]
  const persistence = service.flags.persistent
    ? {
        timeoutSec: service.timeoutSec,
        ...(service.prefixLength === bits ? {} : { prefixLength: service.prefixLength }),
        ...(service.engine === null ? {} : { engine: 'sip' as const }),
      }
    : null
  const flags: SchedulerFlag[] = (['fallback', 'port'] as const).filter(
    (flag) => (service.flags.schedulerBits & hashingBits[flag]) !== 0,
  )
  const rest = { family: id.family, scheduler, schedulerFlags: flags, persistence, onePacket: service.flags.onePacket }
  if ('fwmark' in id) return { ...rest, vip: null, port: 0, protocol: 'tcp', fwmark: id.fwmark }
  const { protocol } = id
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') return null
  return { ...rest, vip: id.address, port: id.port, protocol, fwmark: null }
}

const nameOf = ({ id, scheduler }: IpvsService): string =>
  'fwmark' in id ? `fwmark ${id.fwmark} ${scheduler}` : `${id.protocol} ${id.address} ${id.port} ${scheduler}`

/** What IPVS does not tell of a service is what it was told to be. */
function completed(
  spoken: Spoken,
  told: ServiceConfig | undefined,
  realServers: readonly ObservedRealServer[],
  natKeys: ReadonlyMap<string, NatEntry>,
): ServiceConfig {
  const entries =
    natKeys.size === 0
      ? []
      : realServers.flatMap((one) => natKeys.get(natKey(spoken.vip ?? '', spoken.port, entryPart(one, spoken))) ?? [])
  const localAddresses = entries[0]?.localAddresses ?? told?.localAddresses ?? []
  return {
    ...spoken,
    // The mark alone decides; the protocol of such a service is a word of the document.
    protocol: spoken.fwmark === null ? spoken.protocol : (told?.protocol ?? spoken.protocol),
    dataplane: 'ipvs',
    forwarding: told?.forwarding ?? commonMethod(realServers) ?? 'nat',
    localAddresses: [...localAddresses],
    announce: told?.announce ?? 'none',
    interface: told?.interface ?? '',
    check: told?.check ?? { type: 'none' },
  }
}

interface RealServerContext {
  readonly told: ReadonlyMap<string, readonly RealServerConfig[]>
  readonly hasChecks: boolean
  readonly natKeys: ReadonlyMap<string, NatEntry>
  readonly health: ReadonlyMap<string, boolean> | undefined
}

function seeRealServer(
  one: IpvsDestination,
  method: Method,
  service: Spoken,
  { told, hasChecks, natKeys, health }: RealServerContext,
): ObservedRealServer {
  const { upperThreshold, lowerThreshold } = one
  const { address, port } = one.id
  const key = realServerKey({ address, port })
  const isFullnat =
    natKeys.size > 0 &&
    method.forwarding === 'nat' &&
    natKeys.has(natKey(service.vip ?? '', service.port, entryPart({ address, port }, service)))
  return {
    address,
    port,
    ...weightAndState(one.weight, told.get(key) ?? [], health?.get(key), hasChecks),
    ...method,
    ...(isFullnat ? { forwarding: 'fullnat' as const } : {}),
    upperThreshold,
    lowerThreshold,
  }
}

/**
 * The first telling that explains the kernel's weight. After a restart nothing is known of health: a weight of 0 where
 * one that is checked should have more says that it was down when the last agent ran.
 */
function weightAndState(
  weight: number,
  candidates: readonly RealServerConfig[],
  isUp: boolean | undefined,
  hasChecks: boolean,
): Pick<ObservedRealServer, 'weight' | 'state' | 'isUp'> {
  for (const told of candidates) {
    const known = isUp ?? true
    if (kernelWeight(told, known) === weight) return { weight: told.weight, state: told.state, isUp: known }
    if (isUp === undefined && hasChecks && weight === 0) return { weight: told.weight, state: told.state, isUp: false }
  }
  return { weight, state: 'enabled', isUp: isUp ?? true }
}

const methods = { masq: 'nat', local: 'local', tunnel: 'tun', droute: 'dr' } as const

type Method = Pick<RealServerConfig, 'forwarding' | 'tunnel'>

/** Null for what this version's model has no words for. */
function spokenMethod({ forwarding, tunnel }: IpvsDestination): Method | null {
  if (forwarding === 'bypass' || forwarding === 'unknown') return null
  if (forwarding !== 'tunnel') return { forwarding: methods[forwarding], tunnel: null }
  const { type, checksum, port } = tunnel
  if (type === 'unknown' || checksum === 'unknown') return null
  return { forwarding: 'tun', tunnel: { type, checksum, ...(type === 'gue' ? { port } : {}) } }
}

const entryPart = ({ address, port }: { address: string; port: number }, { protocol }: Spoken) => ({
  protocol,
  address,
  realPort: port,
})

const natKey = (vip: string, port: number, entry: Pick<NatEntry, 'protocol' | 'address' | 'realPort'>): string =>
  `${entry.protocol} ${vip} ${port} ${entry.address} ${entry.realPort}`
