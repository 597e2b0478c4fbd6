import type { ClusterSpec } from '../model/cluster-spec.ts'
import { IpvsSysctls, IpvsTimeouts, type IpvsSettings, type SyncRole } from '../model/ipvs-settings.ts'
import type { ObservedService, ObservedState } from '../model/observed.ts'
import type { Step } from '../model/plan.ts'
import { type RealServer, realServerKey, serviceKey, type VirtualService } from '../model/service.ts'
import { adoptedService, nameForFound, realServerAsFound, settingsAsFound } from './adopt.ts'
import { type DesiredService, desiredOf } from './desired.ts'
import { realServerConfigOf } from './plan.ts'
import { isSameRealServer } from './same.ts'
import { settingsOf, timeoutSettings } from './settings.ts'

/** What a drifted step belongs to: a service by its key, or what the director has once. */
export const directorGroup = 'director'
export const driftGroup = (step: Step): string => ('service' in step ? step.service : directorGroup)

export interface Taken {
  /** The document as the kernel has it. */
  readonly spec: ClusterSpec
  /** Steps of the drift that no document can say away: a VIP, a hook or a module that is or is not there. */
  readonly left: readonly Step[]
}

/**
 * The document changed to what the kernel has, for what the drift names: applied, it leaves the kernel as it is.
 *
 * @param group takes only this service, or only what the director has once; left out, everything
 */
export function takeTheirs(spec: ClusterSpec, observed: ObservedState, drift: readonly Step[], group?: string): Taken {
  const steps = drift.filter((step) => group === undefined || driftGroup(step) === group)
  const keys = [...new Set(steps.filter((step) => 'service' in step).map(driftGroup))]
  const found = new Map(
    observed.services.filter((service) => !service.isForeign).map((service) => [serviceKey(service), service]),
  )
  const moved = new Set(steps.filter(isMove).map(driftGroup))
  const services = keys.reduce((all, key) => withService(all, key, found.get(key), moved.has(key)), spec)
  const needed = new Set(settingsOf(programmed(services.services), undefined).map(({ name }) => name))
  const left: Step[] = []
  let ipvs = spec.ipvs
  for (const step of steps) {
    if ('service' in step) continue
    const isNeeded = step.kind === 'setting.set' && needed.has(step.name)
    const taken = isNeeded ? null : withSetting(ipvs, step, observed)
    if (taken === null) left.push(step)
    else ipvs = taken
  }
  return { spec: withIpvs(services, ipvs), left }
}

/** True where the service stands on another interface than the document leads to. */
const isMove = (step: Step): boolean => step.kind === 'service.change' && step.before.interface !== step.after.interface

function withService(
  spec: ClusterSpec,
  key: string,
  found: ObservedService | undefined,
  isMoved: boolean,
): ClusterSpec {
  const known = spec.services.find((service) => serviceKey(service) === key)
  if (found === undefined) return { ...spec, services: spec.services.filter((service) => service !== known) }
  if (known === undefined) {
    const { announce, check } = found
    const added = { ...adoptedService(found, nameForFound(spec, found)), announce, check }
    return { ...spec, services: [...spec.services, placed(added, found)] }
  }
  const taken = serviceAsFound(known, found)
  const service = isMoved ? placed(taken, found) : taken
  return { ...spec, services: spec.services.map((one) => (one === known ? service : one)) }
}

/** On the interface where it was found. One by fwmark has none, and `lo` is what the director takes by itself. */
const placed = (service: VirtualService, { interface: name }: ObservedService): VirtualService =>
  name === '' || name === 'lo' ? service : { ...service, interface: name }

/** The document's service with what is programmed; names, notes and whatever says the same already stay as written. */
function serviceAsFound(known: VirtualService, found: ObservedService): VirtualService {
  const { persistence: _persistence, onePacket: _onePacket, localAddresses: _local, tunnel, ...rest } = known
  const usesTunnel = found.realServers.some((one) => one.forwarding === 'tun')
  const service = {
    ...rest,
    ...settingsAsFound(found),
    announce: found.announce,
    check: found.check,
    ...(usesTunnel && tunnel !== undefined ? { tunnel } : {}),
  }
  return { ...service, realServers: realServersAsFound(service, found) }
}

/** In the document's order, then those that it does not name. */
function realServersAsFound(service: VirtualService, found: ObservedService): RealServer[] {
  const written = new Map(service.realServers.map((one) => [realServerKey(one), one]))
  const order = [...written.keys()]
  const rank = (key: string) => (written.has(key) ? order.indexOf(key) : order.length)
  const [desired] = programmed([service])
  const configs = new Map(desired?.realServers.map((one) => [realServerKey(one), one]))
  return found.realServers
    .toSorted((a, b) => rank(realServerKey(a)) - rank(realServerKey(b)))
    .map((one) => {
      const key = realServerKey(one)
      const mine = written.get(key)
      const config = configs.get(key)
      if (mine !== undefined && config !== undefined && isSameRealServer(config, realServerConfigOf(one))) {
        // A tunnel of its own has no place on a real server that is reached without one now.
        const { tunnel: _tunnel, ...plain } = mine
        return one.forwarding === 'tun' ? mine : plain
      }
      return { ...realServerAsFound(one, service), ...(mine?.name === undefined ? {} : { name: mine.name }) }
    })
}

/** These services as a director would be programmed; the interface plays no part in what is asked of it here. */
function programmed(services: VirtualService[]): readonly DesiredService[] {
  const interfaces = Object.fromEntries(services.map((service) => [serviceKey(service), 'any']))
  return desiredOf({ apiVersion: 'signalbox/v1', name: 'any', services }, interfaces).services
}

type HostStep = Exclude<Step, { service: string }>

/** IPVS's settings with this step's answer taken from the host; null where the document has no word for it. */
function withSetting(
  ipvs: IpvsSettings | undefined,
  step: HostStep,
  observed: ObservedState,
): IpvsSettings | undefined | null {
  switch (step.kind) {
    case 'setting.set':
      return withValue(ipvs, step.name, step.before)
    case 'sync.start':
    case 'sync.stop':
      return withSync(ipvs, observed)
    default:
      return null
  }
}

const sysctlPrefix = 'net.ipv4.vs.'

function withValue(ipvs: IpvsSettings | undefined, name: string, value: string): IpvsSettings | null {
  const timeout = (['tcpSec', 'tcpFinSec', 'udpSec'] as const).find((field) => timeoutSettings[field] === name)
  if (timeout !== undefined) {
    const parsed = IpvsTimeouts.safeParse({ ...ipvs?.timeouts, [timeout]: Number(value) })
    return parsed.success ? { ...ipvs, timeouts: parsed.data } : null
  }
  if (!name.startsWith(sysctlPrefix)) return null
  const parsed = IpvsSysctls.safeParse({ ...ipvs?.sysctls, [name.slice(sysctlPrefix.length)]: value })
  return parsed.success ? { ...ipvs, sysctls: parsed.data } : null
}

/**
 * The daemons that run for us, and the roles that somebody else runs. The document has one daemon with its roles: two of
 * ours with different settings cannot be said.
 */
function withSync(ipvs: IpvsSettings | undefined, observed: ObservedState): IpvsSettings | undefined | null {
  const [first, ...others] = observed.ipvs.syncDaemons.filter((daemon) => daemon.isOurs)
  const wanted = ipvs?.sync
  const theirs = observed.ipvs.syncDaemons.filter((daemon) => !daemon.isOurs).map(({ role }) => role)
  const kept = wanted?.roles.filter((role) => theirs.includes(role)) ?? []
  if (first === undefined) {
    const { sync: _sync, ...rest } = ipvs ?? {}
    return wanted === undefined || kept.length === 0 ? rest : { ...rest, sync: { ...wanted, roles: kept } }
  }
  const { role, isOurs: _isOurs, ...daemon } = first
  const text = (one: typeof first): string => JSON.stringify({ ...one, role: '' })
  if (others.some((one) => text(one) !== text(first))) return null
  const roles = [...new Set<SyncRole>([role, ...others.map((one) => one.role), ...kept])].toSorted()
  return { ...ipvs, sync: { ...daemon, roles } }
}

function withIpvs(spec: ClusterSpec, ipvs: IpvsSettings | undefined): ClusterSpec {
  if (ipvs === spec.ipvs) return spec
  const { ipvs: _ipvs, ...rest } = spec
  return ipvs === undefined || Object.values(ipvs).every((value) => value === undefined) ? rest : { ...rest, ipvs }
}
