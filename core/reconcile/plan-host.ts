import type { ObservedState } from '../model/observed.ts'
import type { PlannedStep, Step, SyncDaemonConfig } from '../model/plan.ts'
import type { Desired } from './desired.ts'
import { sameNatEntries, unionOfNatEntries } from './nat-entries.ts'

/** Steps for what the host has once: the IPVS module, settings, FullNAT's table, the sync daemon. */
export function planHost(desired: Desired, observed: ObservedState): PlannedStep[] {
  const needsIpvs = desired.syncDaemons.length > 0 || desired.services.some(({ config }) => config.dataplane === 'ipvs')
  const { load, unload } = planModule(needsIpvs, observed)
  // Its own sysctls and daemons go with the module: it comes first, and goes last.
  return [
    ...load,
    ...planSettings(desired, observed),
    ...planNat(desired, observed),
    ...planSync(desired, observed),
    ...unload,
  ]
}

const prepare = (step: Step): PlannedStep => ({ phase: 'prepare', step })
const release = (step: Step): PlannedStep => ({ phase: 'release', step })

const ipvsModule = 'ip_vs'

/** The schedulers' and the tunnels' modules are loaded by the kernel itself, as it needs them. */
function planModule(
  needsIpvs: boolean,
  { ipvs, services }: ObservedState,
): { readonly load: PlannedStep[]; readonly unload: PlannedStep[] } {
  const isMissing = needsIpvs && ipvs.availability === 'module-not-loaded'
  const isUsed = services.some((service) => service.isForeign) || ipvs.syncDaemons.some((daemon) => !daemon.isOurs)
  const isSpare = !needsIpvs && !isUsed && ipvs.ownModules.includes(ipvsModule)
  return {
    load: isMissing ? [prepare({ kind: 'module.load', module: ipvsModule })] : [],
    unload: isSpare ? [release({ kind: 'module.unload', module: ipvsModule })] : [],
  }
}

/** A setting that nobody wants any more goes back to what it was. */
function planSettings(desired: Desired, observed: ObservedState): PlannedStep[] {
  const present = new Map(observed.settings.map((one) => [one.name, one]))
  const wanted = new Map(desired.settings.map((one) => [one.name, one.value]))
  const set = desired.settings.flatMap(({ name, value }) => {
    const now = present.get(name)
    if (now?.value === value) return []
    const wasOurs = (now?.original ?? null) !== null
    return [prepare({ kind: 'setting.set', name, before: now?.value ?? '', after: value, wasOurs, isOurs: true })]
  })
  const back = observed.settings.flatMap(({ name, value, original }) => {
    if (original === null || wanted.has(name)) return []
    return [release({ kind: 'setting.set', name, before: value, after: original, wasOurs: true, isOurs: false })]
  })
  return [...set, ...back]
}

/** New connections find their entry before their service, and old ones keep theirs until their service is gone. */
function planNat({ natEntries: wanted }: Desired, { ipvs: { natEntries: present } }: ObservedState): PlannedStep[] {
  const both = unionOfNatEntries(present, wanted)
  const steps: PlannedStep[] = []
  if (!sameNatEntries(present, both)) steps.push(prepare({ kind: 'nat.set', before: present, after: both }))
  if (!sameNatEntries(both, wanted)) steps.push(release({ kind: 'nat.set', before: both, after: [...wanted] }))
  return steps
}

function planSync({ syncDaemons: wanted }: Desired, { ipvs: { syncDaemons } }: ObservedState): PlannedStep[] {
  const isSame = (a: SyncDaemonConfig) => (b: SyncDaemonConfig) => syncDaemonKey(a) === syncDaemonKey(b)
  const foreignRoles = new Set(syncDaemons.filter((one) => !one.isOurs).map((one) => one.role))
  const ours = syncDaemons.filter((one) => one.isOurs)
  const stop = ours.filter((one) => !wanted.some(isSame(one)))
  const start = wanted.filter((one) => !foreignRoles.has(one.role) && !ours.some(isSame(one)))
  // At the end: the kernel starts none while a real server of another family is there. One of a role runs at a time.
  return [
    ...stop.map(({ isOurs: _isOurs, ...daemon }) => release({ kind: 'sync.stop', daemon })),
    ...start.map((daemon) => release({ kind: 'sync.start', daemon })),
  ]
}

/** Everything that tells one daemon from another. */
const syncDaemonKey = (daemon: SyncDaemonConfig): string =>
  [daemon.role, daemon.interface, daemon.syncId, daemon.group ?? '', daemon.port, daemon.ttl].join(' ')
