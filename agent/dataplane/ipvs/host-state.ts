// What IPVS has once for a host: module, settings, FullNAT's table, sync daemons. Reads it, and carries out its steps.
import { AppError } from '../../../core/contract/errors.ts'
import { defaultSyncGroup } from '../../../core/model/ipvs-settings.ts'
import type { ObservedIpvs, ObservedSetting } from '../../../core/model/observed.ts'
import type { NatEntry, Step } from '../../../core/model/plan.ts'
import type { Desired } from '../../../core/reconcile/desired.ts'
import { isSysctl, timeoutSettings } from '../../../core/reconcile/settings.ts'
import type { OwnObjects } from '../../apply/own-objects.ts'
import type { HostControls } from '../../host/host-controls.ts'
import { isErrno } from '../../kernel/errno.ts'
import type { IpvsDataplane } from './ipvs-dataplane.ts'
import type { NatTable } from './nat-table.ts'
import { hasModule, type KernelPlaces } from './offer.ts'
import type { IpvsDaemonSettings, IpvsDaemonState } from './types.ts'
import { findWriters } from './writers.ts'

export type HostStep = Extract<Step, { kind: `module.${string}` | 'setting.set' | 'nat.set' | `sync.${string}` }>

export const isHostStep = (step: Step): step is HostStep =>
  step.kind.startsWith('module.') ||
  step.kind.startsWith('sync.') ||
  step.kind === 'setting.set' ||
  step.kind === 'nat.set'

export interface HostStateOptions {
  readonly ipvs: IpvsDataplane
  readonly own: OwnObjects
  readonly host: HostControls
  readonly nat: NatTable
  readonly places: KernelPlaces
  readonly log: (message: string) => void
}

export class HostState {
  readonly #options: HostStateOptions
  /** False once the table was seen empty: then nobody needs to look until somebody wants an entry. */
  #mayHaveNat = true
  #persisted: string | null = null

  constructor(options: HostStateOptions) {
    this.#options = options
  }

  natEntries(hints: readonly Desired[]): NatEntry[] {
    if (!this.#mayHaveNat && hints.every(({ natEntries }) => natEntries.length === 0)) return []
    const entries = this.#options.nat.read()
    this.#mayHaveNat = entries.length > 0
    return entries
  }

  observe(natEntries: readonly NatEntry[]): ObservedIpvs {
    const { ipvs, own } = this.#options
    const availability = ipvs.availability()
    const daemons = availability === 'ready' ? ipvs.ask((kernel) => kernel.daemons()) : []
    return {
      availability,
      syncDaemons: daemons.map(({ state: role, interface: name, syncId, group, port, ttl }) => ({
        role,
        interface: name,
        syncId,
        // The kernel's own default is no word of the document.
        ...(group === null || group === defaultSyncGroup ? {} : { group }),
        port: port ?? defaultPort,
        ttl: ttl ?? 1,
        isOurs: own.syncRoles.includes(role),
      })),
      natEntries: [...natEntries],
      ownModules: [...own.modules],
      writers: availability === 'ready' ? findWriters() : [],
    }
  }

  /** Those that are ours, and those that somebody wants. */
  settings(hints: readonly Desired[]): ObservedSetting[] {
    const { own } = this.#options
    const names = new Set([...own.settingNames, ...hints.flatMap(({ settings }) => settings.map(({ name }) => name))])
    return [...names].toSorted().flatMap((name): ObservedSetting[] => {
      const value = this.#setting(name)
      return value === null ? [] : [{ name, value, original: own.originalSetting(name) }]
    })
  }

  #setting(name: string): string | null {
    const { host, ipvs } = this.#options
    if (isSysctl(name)) return host.readSysctl(name)
    if (ipvs.availability() !== 'ready') return null
    const seconds = ipvs.ask((kernel) => kernel.timeouts())[timeoutField(name)]
    return seconds === null ? null : String(seconds)
  }

  async execute(step: HostStep): Promise<void> {
    const { own, host, ipvs, nat } = this.#options
    switch (step.kind) {
      case 'module.load':
        await own.setModule(step.module, true)
        host.loadModule(step.module)
        break
      case 'module.unload':
        await this.persist({ module: step.module })
        this.#unload(step.module)
        await own.setModule(step.module, false)
        break
      case 'setting.set':
        await this.#set(step)
        break
      case 'nat.set': {
        const obstacle = nat.obstacle()
        if (obstacle !== null) throw new AppError('REFUSED', obstacle)
        nat.write(step.after)
        this.#mayHaveNat = step.after.length > 0
        break
      }
      case 'sync.start':
        await own.setSyncRole(step.daemon.role, true)
        try {
          ipvs.kernel().startDaemon(daemonOf(step.daemon))
        } catch (error) {
          await own.setSyncRole(step.daemon.role, false)
          throw error
        }
        break
      case 'sync.stop':
        this.#stopDaemon(step.daemon.role)
        await own.setSyncRole(step.daemon.role, false)
        break
    }
    await this.persist()
  }

  #stopDaemon(role: IpvsDaemonState): void {
    try {
      this.#options.ipvs.kernel().stopDaemon(role)
    } catch (error) {
      // ESRCH: it does not run any more.
      if (!isErrno(error, 'ESRCH')) throw error
    }
  }

  async #set({ name, before, after, wasOurs, isOurs }: Extract<HostStep, { kind: 'setting.set' }>): Promise<void> {
    const { own, host, ipvs } = this.#options
    // On the disk before the kernel has it, and off the disk only after the kernel and our files have it back: a boot
    // with the old files would bring it again, and nobody would know that it was ours.
    if (isOurs && !wasOurs) await own.setSetting(name, before === unknown ? (this.#setting(name) ?? unknown) : before)
    const value = after === unknown ? (own.originalSetting(name) ?? unknown) : after
    if (value === unknown) {
      // What nobody could tell before is left to the kernel.
    } else if (isSysctl(name)) host.writeSysctl(name, value)
    else ipvs.kernel().setTimeouts({ [timeoutField(name)]: Number(value) })
    if (isOurs) return
    await this.persist({ setting: name })
    await own.setSetting(name, null)
  }

  /** With what depends on it, which was loaded after it. A module that stays does no harm, so it is no failure. */
  #unload(module: string): void {
    const { host, ipvs, places, log } = this.#options
    ipvs.forgetKernel()
    const dependents = ['ftp', 'pe_sip', ...schedulerModules].map((name) => `${module}_${name}`)
    for (const name of [...dependents.filter((one) => hasModule(one, places)), module]) {
      try {
        host.unloadModule(name)
      } catch (error) {
        if (name === module) log(`The module ${module} stays loaded: ${String(error)}`)
      }
    }
  }

  /**
   * Our files in /etc say what is ours now.
   *
   * @param without what is about to be ours no longer
   */
  async persist(without: { readonly setting?: string; readonly module?: string } = {}): Promise<void> {
    const { own, host } = this.#options
    const sysctls = new Map(
      own.settingNames
        .filter((name) => isSysctl(name) && name !== without.setting)
        .toSorted()
        .flatMap((name) => {
          const value = host.readSysctl(name)
          return value === null ? [] : [[name, value] as const]
        }),
    )
    // Sysctls of IPVS exist only with its module, also where somebody else loaded it this time.
    const needsIpvs = own.services.length > 0 || own.syncRoles.length > 0
    const modules = [...new Set([...own.modules, ...(needsIpvs ? ['ip_vs'] : [])])].filter(
      (one) => one !== without.module,
    )
    const text = JSON.stringify([[...sysctls], modules])
    if (text === this.#persisted) return
    await host.persist({ sysctls, modules })
    this.#persisted = text
  }
}

const schedulerModules = ['rr', 'wrr', 'lc', 'wlc', 'fo', 'ovf', 'lblc', 'lblcr', 'dh', 'sh', 'mh', 'sed', 'nq', 'twos']

/** Of a setting that there was none of when the step was planned: those of IPVS come with its module. */
const unknown = ''

function timeoutField(name: string): keyof typeof timeoutSettings {
  for (const field of ['tcpSec', 'tcpFinSec', 'udpSec'] as const) if (timeoutSettings[field] === name) return field
  throw new TypeError(`there is no setting ${name}`)
}

/** IP_VS_SYNC_PORT of net/netfilter/ipvs/ip_vs_sync.c. */
const defaultPort = 8848

type StartedDaemon = Extract<HostStep, { kind: 'sync.start' }>['daemon']

const daemonOf = ({ role, interface: name, syncId, group, port, ttl }: StartedDaemon): IpvsDaemonSettings => ({
  state: role,
  interface: name,
  syncId,
  group,
  port,
  ttl,
})
