import type { AgentHello } from '../../../core/contract/agent.ts'
import { familyOf, HostAddress, type IpFamily, PortOrAny } from '../../../core/model/address.ts'
import { parseService } from '../../../core/model/cluster-spec.ts'
import { DataplaneName, dataplaneOffers, type ForwardingMethod, type Protocol } from '../../../core/model/dataplane.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { defaultCheckOf } from '../../../core/model/health-check.ts'
import type { Issue } from '../../../core/model/issue.ts'
import type { Scheduler } from '../../../core/model/scheduler.ts'
import { Persistence, Tunnel } from '../../../core/model/service.ts'
import { isForEveryPort, serviceInput } from './form.ts'

export const dataplanes: readonly DataplaneName[] = DataplaneName.options

/** The family that the form is about: of its VIP, of the mark, or IPv4 while nothing says. */
export function familyOfForm({ matchBy, family, vip }: Pick<ServiceForm, 'matchBy' | 'family' | 'vip'>): IpFamily {
  if (matchBy === 'fwmark') return family
  const parsed = HostAddress.safeParse(vip.trim())
  return parsed.success ? familyOf(parsed.data) : 'ipv4'
}

const placeholders = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' } as const satisfies Record<IpFamily, string>
const valid = <T>(result: { success: boolean; data?: T }, otherwise: T | undefined) =>
  result.success ? result.data : otherwise

/**
 * What the model says against a choice, whatever else is missing or half typed: other fields are filled with what
 * nothing can be said against.
 */
export function objectionsTo(form: ServiceForm, choice: Partial<ServiceForm>): Issue[] {
  const wanted = { ...form, ...choice }
  const input = serviceInput(wanted)
  const filled = {
    ...input,
    name: 'form',
    realServers: [],
    ...(wanted.matchBy === 'fwmark'
      ? { fwmark: 1 }
      : {
          vip: valid(HostAddress.safeParse(input['vip']), placeholders[familyOfForm(wanted)]),
          port: valid(PortOrAny.safeParse(input['port']), 80),
        }),
    interface: undefined,
    localAddresses: undefined,
    check: undefined,
    tunnel: valid(Tunnel.safeParse(input['tunnel']), undefined),
    persistence:
      input['persistence'] === undefined
        ? undefined
        : valid(Persistence.safeParse(input['persistence']), { timeoutSec: 300 }),
  }
  const parsed = parseService(filled)
  return parsed.ok ? [] : parsed.issues
}

/** What keeps a dataplane from doing what is asked for; empty where it can. */
export function obstaclesOf(form: ServiceForm, dataplane: DataplaneName): Issue[] {
  return objectionsTo(form, { dataplane, scheduler: schedulerFor(dataplane, form.scheduler) }).filter(
    ({ expectation }) => ['offeredBy', 'notOfferedBy', 'anyPortIsPersistent'].includes(expectation),
  )
}

/** What a new service gets: of eBPF the one that hashes each flow, of IPVS the one that shares out as the weights say. */
const firstSchedulers = { ebpf: 'mh', ipvs: 'wrr' } as const satisfies Record<DataplaneName, Scheduler>

/** The scheduler that was chosen, or the dataplane's first where it does not have that one. */
function schedulerFor(dataplane: DataplaneName, scheduler: string): string {
  const own: readonly string[] = dataplaneOffers[dataplane].schedulers
  return own.includes(scheduler) ? scheduler : (own[0] ?? scheduler)
}

/** Dataplanes that offer a forwarding method. */
export const dataplanesFor = (method: ForwardingMethod): DataplaneName[] =>
  dataplanes.filter((name) => dataplaneOffers[name].forwarding.includes(method))

/**
 * An answer with all that follows from it: a dataplane that can do it, a scheduler that this dataplane has, persistence
 * for a service of every port, a check where there is something to check. What the operator chose by hand stays where
 * it fits.
 */
export function settled(form: ServiceForm, answer: Partial<ServiceForm>): Partial<ServiceForm> {
  const follow: Partial<ServiceForm> = { ...answer }
  const next = () => ({ ...form, ...follow })
  const becomesForEveryPort = isForEveryPort(next()) && !isForEveryPort(form)
  if (becomesForEveryPort && next().matchBy === 'address') {
    follow.persistence = { ...next().persistence, isOn: true }
  }
  const chosen = next().dataplane
  const able = dataplanes.filter((name) => obstaclesOf(next(), name).length === 0)
  if (!able.some((name) => name === chosen) && able[0] !== undefined) follow.dataplane = able[0]
  const [before, known] = [form, next()].map(({ dataplane }) => dataplanes.find((name) => name === dataplane))
  // One dataplane's own choice is none of the operator's: with mh, IPVS would leave all of a client with one server.
  const isUntouched = before !== undefined && before !== known && next().scheduler === firstSchedulers[before]
  if (known !== undefined) {
    follow.scheduler = isUntouched ? firstSchedulers[known] : schedulerFor(known, next().scheduler)
  }
  if (form.check.type === defaultCheckType(form)) {
    const type = defaultCheckType(next())
    if (type !== form.check.type) follow.check = { ...next().check, type }
  }
  return follow
}

function defaultCheckType(form: ServiceForm): 'tcp' | 'none' {
  const protocol: Protocol = form.protocol
  return defaultCheckOf({ protocol, port: isForEveryPort(form) ? 0 : 1 }).type
}

/** Whether a director can drive a dataplane: unknown while nothing was heard of it. */
export type Presence = 'ready' | 'loadable' | 'missing' | 'unknown'

export function presenceOf(dataplane: DataplaneName, hello: AgentHello | null): Presence {
  if (hello === null) return 'unknown'
  if (dataplane === 'ebpf') return hello.dataplane.isAvailable ? 'ready' : 'missing'
  switch (hello.ipvs.availability) {
    case 'ready':
      return 'ready'
    case 'module-not-loaded':
      return 'loadable'
    case 'module-missing':
    case 'no-permission':
      return 'missing'
  }
}

/** Why a dataplane is suggested: a key of `wizard.dataplane.suggestion.*` in the locales. */
export type Suggestion = 'only' | 'present' | 'lean'

/** The dataplane that fits best on this director; null where none that is there can do what is asked for. */
export function suggestDataplane(
  form: ServiceForm,
  hello: AgentHello | null,
): { readonly name: DataplaneName; readonly why: Suggestion } | null {
  const able = dataplanes.filter((name) => obstaclesOf(form, name).length === 0)
  const present = able.filter((name) => presenceOf(name, hello) !== 'missing')
  const [first] = present
  if (first === undefined) return null
  if (able.length === 1) return { name: first, why: 'only' }
  return present.length === 1 ? { name: first, why: 'present' } : { name: 'ebpf', why: 'lean' }
}
