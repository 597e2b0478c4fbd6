import { type Parsed, parseService } from '../../../core/model/cluster-spec.ts'
import { DataplaneName, type DataplaneOffer, dataplaneOffers } from '../../../core/model/dataplane.ts'
import { type RealServerForm, ServiceForm } from '../../../core/model/draft.ts'
import { defaultTcpCheck } from '../../../core/model/health-check.ts'
import type { Issue } from '../../../core/model/issue.ts'
import { Scheduler, schedulers } from '../../../core/model/scheduler.ts'
import type { VirtualService } from '../../../core/model/service.ts'

/** A new service as the wizard opens: what a web service in one network needs, nothing that only the operator knows. */
export const emptyForm = (): ServiceForm =>
  ServiceForm.parse({
    name: '',
    port: '80',
    placement: 'sameNetwork',
    needsClientAddress: true,
    portsDiffer: false,
    hasWindows: false,
    forwarding: 'dr',
    dataplane: 'ebpf',
    scheduler: 'mh',
    announce: 'arp',
    interface: '',
    vip: '',
    allowOwnAddress: false,
    check: {
      type: 'tcp',
      intervalMs: String(defaultTcpCheck.intervalMs),
      timeoutMs: String(defaultTcpCheck.timeoutMs),
      rise: String(defaultTcpCheck.rise),
      fall: String(defaultTcpCheck.fall),
    },
    realServers: [],
    confirmWithinSec: '60',
    message: '',
  })

export const emptyRow = (id: string): RealServerForm => ({
  id,
  address: '',
  port: '',
  weight: '',
  name: '',
  forwarding: '',
  upperThreshold: '',
  lowerThreshold: '',
  tunnel: { type: '', port: '', checksum: 'nocsum' },
})

/**
 * A typed number as a number; anything else stays the text that it is, so that the error shows what stands in the field.
 * An empty field is no value at all.
 */
function numberOf(text: string): number | string | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  return /^-?\d{1,10}$/.test(trimmed) ? Number(trimmed) : trimmed
}

const textOf = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim())

/** A field that is left out where nothing stands in it. */
const optional = (name: string, value: unknown): Record<string, unknown> =>
  value === undefined ? {} : { [name]: value }

/** What the chosen dataplane offers; all that there is while no known one is chosen. */
export const offerOf = (form: Pick<ServiceForm, 'dataplane'>): DataplaneOffer =>
  dataplaneOffers[DataplaneName.safeParse(form.dataplane).data ?? 'ipvs']

/** True where the service is for every port: it has none that could be checked, or that real servers could repeat. */
export const isForEveryPort = (form: Pick<ServiceForm, 'matchBy' | 'port'>): boolean =>
  form.matchBy === 'fwmark' || form.port.trim() === '0'

/** True where the service or one of its real servers is reached by a tunnel. */
export const usesTunnel = (form: Pick<ServiceForm, 'forwarding' | 'realServers'>): boolean =>
  form.forwarding === 'tun' || form.realServers.some(({ forwarding }) => forwarding === 'tun')

/** True where this real server is. */
export const isByTunnel = (
  form: Pick<ServiceForm, 'forwarding' | 'dataplane'>,
  row: Pick<RealServerForm, 'forwarding'>,
): boolean =>
  offerOf(form).forwarding.includes('tun') && (row.forwarding === '' ? form.forwarding : row.forwarding) === 'tun'

/** The form judged by the model's own rules; issue paths are those of {@link VirtualService}. */
export function serviceOf(form: ServiceForm): Parsed<VirtualService> {
  const parsed = parseService(serviceInput(form))
  if (parsed.ok) return parsed
  return { ok: false, issues: parsed.issues.map((issue) => (issue.found === 'null' ? missing(issue) : issue)) }
}

const missing = ({ path }: Issue): Issue => ({ path, found: 'nothing', expectation: 'required' })

/**
 * The service that the form says, unjudged. Settings that the chosen dataplane or scheduler has no place for are not
 * shown, and so are not part of it; they stay in the form for the case that the choice is taken back.
 */
export function serviceInput(form: ServiceForm): Record<string, unknown> {
  return { name: textOf(form.name), ...identityOf(form), ...settingsOf(form), realServers: realServersOf(form) }
}

function identityOf(form: ServiceForm): Record<string, unknown> {
  if (form.matchBy === 'fwmark') {
    // Null, not left out: without a mark the model would ask for a VIP.
    return { protocol: form.protocol, fwmark: numberOf(form.fwmark) ?? null, family: form.family, announce: 'none' }
  }
  return {
    vip: textOf(form.vip),
    port: numberOf(form.port),
    protocol: form.protocol,
    announce: form.announce,
    ...optional('interface', textOf(form.interface)),
    ...(form.allowOwnAddress ? { allowOwnAddress: true } : {}),
  }
}

/** What can be changed of a service that is there: everything but its identity and its real servers. */
export function settingsOf(form: ServiceForm): Record<string, unknown> {
  const offer = offerOf(form)
  const scheduler = Scheduler.safeParse(form.scheduler).data
  const flags = scheduler === undefined || !offer.hasSchedulerFlags ? [] : schedulers[scheduler].flags
  const { persistence } = form
  return {
    dataplane: form.dataplane,
    forwarding: form.forwarding,
    scheduler: form.scheduler,
    schedulerFlags: form.schedulerFlags.filter((flag) => flags.includes(flag)),
    ...(persistence.isOn && offer.hasPersistence
      ? {
          persistence: {
            timeoutSec: numberOf(persistence.timeoutSec),
            ...optional('prefixLength', numberOf(persistence.prefixLength)),
            ...(persistence.isSip ? { engine: 'sip' } : {}),
          },
        }
      : {}),
    ...(form.onePacket && offer.hasOnePacket ? { onePacket: true } : {}),
    ...(usesTunnel(form) ? { tunnel: tunnelOf(form.tunnel) } : {}),
    ...(form.forwarding === 'fullnat' && form.localAddresses.length > 0
      ? { localAddresses: form.localAddresses.map((address) => address.trim()) }
      : {}),
    check: checkOf(form),
  }
}

const tunnelOf = ({ type, port, checksum }: ServiceForm['tunnel']): Record<string, unknown> => ({
  type,
  ...(type === 'gue' ? optional('port', numberOf(port)) : {}),
  checksum: type === 'ipip' ? 'nocsum' : checksum,
})

function checkOf(form: ServiceForm): Record<string, unknown> {
  const { type, intervalMs, timeoutMs, rise, fall } = form.check
  if (type === 'none' || isForEveryPort(form)) return { type: 'none' }
  return {
    type: 'tcp',
    intervalMs: numberOf(intervalMs),
    timeoutMs: numberOf(timeoutMs),
    rise: numberOf(rise),
    fall: numberOf(fall),
  }
}

function realServersOf(form: ServiceForm): Record<string, unknown>[] {
  const offer = offerOf(form)
  const port = isForEveryPort(form) ? '0' : form.port
  return form.realServers.map((row) => ({
    address: textOf(row.address),
    port: numberOf(row.port.trim() === '' ? port : row.port),
    weight: numberOf(row.weight.trim() === '' ? '1' : row.weight),
    ...optional('name', textOf(row.name)),
    ...(offer.forwarding.length > 1 ? optional('forwarding', textOf(row.forwarding)) : {}),
    ...(isByTunnel(form, row) && row.tunnel.type !== '' ? { tunnel: tunnelOf(row.tunnel) } : {}),
    ...(offer.hasThresholds
      ? {
          ...optional('upperThreshold', numberOf(row.upperThreshold)),
          ...optional('lowerThreshold', numberOf(row.lowerThreshold)),
        }
      : {}),
  }))
}
