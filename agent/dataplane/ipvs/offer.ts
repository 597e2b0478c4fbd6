// What this kernel's IPVS has, found by looking and never by a version.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import type { IpvsAvailability } from '../../../core/model/observed.ts'
import { type Scheduler, schedulerNames } from '../../../core/model/scheduler.ts'
import type { TunnelType } from '../../../core/model/service.ts'
import { ipvsModulesIn } from './open.ts'

export interface KernelPlaces {
  /** `/proc` and `/sys` and `/lib/modules/<release>`; others in tests. */
  readonly proc: string
  readonly sys: string
  readonly modules: string
}

export const kernelPlaces = (): KernelPlaces => ({ proc: '/proc', sys: '/sys', modules: `/lib/modules/${release()}` })

/** IPVS modules that are there: loaded, built in, or files that depmod knows. Each list is read once. */
function modulesOf(places: KernelPlaces): ReadonlySet<string> {
  const loaded = textOf(join(places.proc, 'modules')).matchAll(/^(\w+) /gm)
  const known = ['modules.dep', 'modules.builtin'].map((list) => textOf(join(places.modules, list)))
  return new Set([...[...loaded].map((match) => match[1] ?? ''), ...known.flatMap(ipvsModulesIn)])
}

export const hasModule = (name: string, places: KernelPlaces): boolean => modulesOf(places).has(name)

/**
 * Whether IPVS can be used at all. A look must not load anything: asking netlink for the family would.
 *
 * @param mayAsk whether CAP_NET_ADMIN is there; every command of the family needs it (GENL_ADMIN_PERM)
 */
export function availabilityOf(places: KernelPlaces, mayAsk: boolean): IpvsAvailability {
  const isLoaded = existsSync(join(places.proc, 'net/ip_vs'))
  if (!isLoaded) return hasModule('ip_vs', places) ? 'module-not-loaded' : 'module-missing'
  return mayAsk ? 'ready' : 'no-permission'
}

export const availabilityReasons: Readonly<Record<IpvsAvailability, string | null>> = {
  ready: null,
  'module-not-loaded': 'the module ip_vs is not loaded; it is loaded with the first virtual service',
  'module-missing':
    'this kernel has no module ip_vs; cloud kernels have it in a package of their own, such as linux-modules-extra',
  'no-permission': 'the agent has no CAP_NET_ADMIN in this network namespace',
}

/** CAP_NET_ADMIN, bit 12 of the effective set (include/uapi/linux/capability.h). */
export function hasNetAdmin(places: KernelPlaces): boolean {
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(textOf(join(places.proc, 'self/status')))
  return match?.[1] !== undefined && ((BigInt(`0x${match[1]}`) >> 12n) & 1n) === 1n
}

export function schedulersOf(places: KernelPlaces): { name: Scheduler; isAvailable: boolean }[] {
  const modules = modulesOf(places)
  return schedulerNames.map((name) => ({ name, isAvailable: modules.has(`ip_vs_${name}`) }))
}

/** Names of the enum in include/uapi/linux/ip_vs.h stand in the type information of the module. */
const tunnelMarks: readonly (readonly [TunnelType, string])[] = [
  ['ipip', 'IP_VS_CONN_F_TUNNEL_TYPE_IPIP'],
  ['gue', 'IP_VS_CONN_F_TUNNEL_TYPE_GUE'],
  ['gre', 'IP_VS_CONN_F_TUNNEL_TYPE_GRE'],
]

/** IPIP is older than all of this. Without type information the kernel's own word decides at the first use. */
export function tunnelsOf(places: KernelPlaces): { type: TunnelType; isAvailable: boolean }[] {
  const typesOf = (name: string) => bytesOf(join(places.sys, 'kernel/btf', name))
  // The kernel's own are some megabytes: only where ip_vs is built in, or not loaded yet.
  const types = typesOf('ip_vs') ?? typesOf('vmlinux')
  const isKnown = types?.includes('IP_VS_CONN_F_TUNNEL_TYPE_MAX') ?? false
  return tunnelMarks.map(([type, mark]) => ({
    type,
    isAvailable: type === 'ipip' || !isKnown || types?.includes(mark) === true,
  }))
}

/** All sysctls of IPVS that this kernel has, by their full names. */
export function ipvsSysctlsOf(places: KernelPlaces): Record<string, string> {
  const folder = join(places.proc, 'sys/net/ipv4/vs')
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return {}
  }
  return Object.fromEntries(
    names.toSorted().map((name) => [`net.ipv4.vs.${name}`, textOf(join(folder, name)).trim().replaceAll(/\s+/g, ' ')]),
  )
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function bytesOf(file: string): Buffer | null {
  try {
    return readFileSync(file)
  } catch {
    return null
  }
}
