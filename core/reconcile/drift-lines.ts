import { dataplaneNames, methodNames } from '../model/dataplane.ts'
import type { RealServerConfig, ServiceConfig, Step } from '../model/plan.ts'
import { realServerKey } from '../model/service.ts'
import { driftGroup } from './take-theirs.ts'

/** What a line is about; the renderer has a phrase for each (`drift.what.*`), with `{name}` where one is named. */
export const driftSubjects = [
  'service',
  'dataplane',
  'forwarding',
  'scheduler',
  'schedulerFlags',
  'persistence',
  'onePacket',
  'localAddresses',
  'announce',
  'interface',
  'check',
  'realServer',
  'weight',
  'state',
  'realServerForwarding',
  'tunnel',
  'upperThreshold',
  'lowerThreshold',
  'ownership',
  'setting',
  'module',
  'natTable',
  'syncDaemon',
  'hook',
  'vip',
] as const
export type DriftSubject = (typeof driftSubjects)[number]

/** A value as it is, or one of the words that the renderer translates (`drift.value.*`). */
export type DriftValue = { readonly text: string } | { readonly word: DriftWord }
export const driftWords = [
  'absent',
  'present',
  'none',
  'yes',
  'no',
  'enabled',
  'drain',
  'offline',
  'ours',
  'theirs',
] as const
export type DriftWord = (typeof driftWords)[number]

/** One difference: what the kernel has, and what the revision wants. */
export interface DriftLine {
  /** The service by its key, or `director`. */
  readonly group: string
  readonly subject: DriftSubject
  /** Which real server, setting, address or interface; empty where the group says it all. */
  readonly name: string
  readonly kernel: DriftValue
  readonly revision: DriftValue
}

const absent: DriftValue = { word: 'absent' }
const present: DriftValue = { word: 'present' }
const text = (value: string | number): DriftValue => ({ text: String(value) })

/** The drift line by line: what it would take to restore the revision, read as a difference of two states. */
export const driftLines = (drift: readonly Step[]): DriftLine[] => drift.flatMap((step) => linesOf(step))

function linesOf(step: Step): DriftLine[] {
  const group = driftGroup(step)
  const line = (subject: DriftSubject, name: string, kernel: DriftValue, revision: DriftValue): DriftLine[] => [
    { group, subject, name, kernel, revision },
  ]
  switch (step.kind) {
    case 'service.add':
      return line('service', '', absent, text(serviceWords(step.after)))
    case 'service.remove':
      return line('service', '', text(serviceWords(step.before)), absent)
    case 'service.change':
      return differences(serviceValues(step.before), serviceValues(step.after)).map((one) => ({
        group,
        name: '',
        ...one,
      }))
    case 'service.adopt':
      return line('ownership', '', { word: 'theirs' }, { word: 'ours' })
    case 'service.release':
      return line('ownership', '', { word: 'ours' }, { word: 'theirs' })
    case 'realServer.add':
      return line('realServer', realServerKey(step.after), absent, text(realServerWords(step.after)))
    case 'realServer.remove':
      return line('realServer', realServerKey(step.before), text(realServerWords(step.before)), absent)
    case 'realServer.change':
      return differences(realServerValues(step.before), realServerValues(step.after)).map((one) => ({
        group,
        name: realServerKey(step.after),
        ...one,
      }))
    case 'setting.set':
      return line('setting', step.name, step.before === '' ? absent : text(step.before), text(step.after))
    case 'module.load':
      return line('module', step.module, absent, present)
    case 'module.unload':
      return line('module', step.module, present, absent)
    case 'nat.set':
      return line('natTable', '', text(step.before.length), text(step.after.length))
    case 'sync.start':
      return line('syncDaemon', step.daemon.role, absent, text(syncWords(step.daemon)))
    case 'sync.stop':
      return line('syncDaemon', step.daemon.role, text(syncWords(step.daemon)), absent)
    case 'dataplane.attach':
      return line('hook', step.interface, absent, present)
    case 'dataplane.detach':
      return line('hook', step.interface, present, absent)
    case 'vip.raise':
      return line('vip', step.address, absent, text(step.interface))
    case 'vip.lower':
      return line('vip', step.address, text(step.interface), absent)
    case 'drain.wait':
      return []
  }
}

type Values = Partial<Record<DriftSubject, DriftValue>>

function differences(kernel: Values, revision: Values): Pick<DriftLine, 'subject' | 'kernel' | 'revision'>[] {
  return driftSubjects.flatMap((subject) => {
    const [a, b] = [kernel[subject], revision[subject]]
    return a === undefined || b === undefined || JSON.stringify(a) === JSON.stringify(b)
      ? []
      : [{ subject, kernel: a, revision: b }]
  })
}

const list = (values: readonly string[]): DriftValue =>
  values.length === 0 ? { word: 'none' } : text(values.join(' '))
const yesNo = (is: boolean): DriftValue => ({ word: is ? 'yes' : 'no' })

function serviceValues(config: ServiceConfig): Values {
  const { persistence, check } = config
  return {
    dataplane: text(dataplaneNames[config.dataplane]),
    forwarding: text(methodNames[config.forwarding]),
    scheduler: text(config.scheduler),
    schedulerFlags: list(config.schedulerFlags),
    persistence:
      persistence === null
        ? { word: 'none' }
        : text(
            [`${persistence.timeoutSec} s`, prefixOf(persistence.prefixLength), persistence.engine]
              .filter((part) => part !== undefined)
              .join(' '),
          ),
    onePacket: yesNo(config.onePacket),
    localAddresses: list(config.localAddresses),
    announce: text(config.announce),
    interface: config.interface === '' ? { word: 'none' } : text(config.interface),
    check:
      check.type === 'none'
        ? { word: 'none' }
        : text(`${check.type} ${check.intervalMs}/${check.timeoutMs} ms, ${check.rise}/${check.fall}`),
  }
}

const prefixOf = (prefixLength: number | undefined): string | undefined =>
  prefixLength === undefined ? undefined : `/${prefixLength}`

function realServerValues(config: RealServerConfig): Values {
  const { tunnel } = config
  return {
    weight: text(config.weight),
    state: { word: config.state },
    realServerForwarding: text(methodNames[config.forwarding]),
    tunnel: tunnel === null ? { word: 'none' } : text(tunnelWords(tunnel)),
    upperThreshold: text(config.upperThreshold),
    lowerThreshold: text(config.lowerThreshold),
  }
}

const tunnelWords = ({ type, port, checksum }: NonNullable<RealServerConfig['tunnel']>): string =>
  [type, port, checksum === 'nocsum' ? undefined : checksum].filter((part) => part !== undefined).join(' ')
const serviceWords = (config: ServiceConfig): string =>
  `${dataplaneNames[config.dataplane]} ${methodNames[config.forwarding]} ${config.scheduler}`
const realServerWords = ({ forwarding, weight }: RealServerConfig): string => `${methodNames[forwarding]} ${weight}`
const syncWords = (daemon: Extract<Step, { kind: 'sync.start' }>['daemon']): string =>
  `${daemon.interface} id ${daemon.syncId}`
