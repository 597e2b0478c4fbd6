// Whether IPVS can be driven here. Module not loaded, module not there, no permission and "ready, with an empty table"
// are four answers, since each wants another remedy.
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { isErrno } from '../../kernel/errno.ts'
import { type GenericPort, GenericSocket } from '../../kernel/genl.ts'
import { IpvsClient } from './client.ts'
import { ipvsFamilyName } from './constants.ts'
import { type Glances, openGlances } from './glance.ts'
import type { IpvsInfo } from './types.ts'

export type IpvsOpening =
  | { readonly availability: 'ready'; readonly client: IpvsClient; readonly info: IpvsInfo }
  | {
      readonly availability: 'module-not-loaded' | 'module-missing' | 'no-permission'
      /** One English sentence. */
      readonly reason: string
      /** What to do, one English sentence. */
      readonly hint: string
    }

/** What the answer is found from. */
export interface IpvsHost {
  /** Null: the kernel has no such family, and could not load its module either. */
  openFamily(): GenericPort | null
  openGlances(): Glances | null
  kernelRelease(): string
  /** Null where there is no such file. */
  read(path: string): string | null
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

const thisHost: IpvsHost = {
  openFamily: () => GenericSocket.open(ipvsFamilyName),
  openGlances,
  kernelRelease: () => os.release(),
  read: readOrNull,
}

/** IPVS modules that a list of depmod names (modules.dep, modules.builtin): `ip_vs`, `ip_vs_rr`, … Source: modules.dep(5). */
export function ipvsModulesIn(list: string): string[] {
  return [...list.matchAll(/^(?:[^:\n]*\/)?(ip_vs\w*)\.ko(?:\.\w+)?(?=:|$)/gm)].map((match) => match[1] ?? '')
}

/** Asking for the family has the kernel load the module where that is allowed: nothing is loaded in another way here. */
export function openIpvs(host: IpvsHost = thisHost): IpvsOpening {
  const port = host.openFamily()
  if (port === null) return withoutFamily(host)
  const client = new IpvsClient(port, host.openGlances())
  try {
    return { availability: 'ready', client, info: client.info() }
  } catch (error) {
    client.close()
    if (!isErrno(error, 'EPERM', 'EACCES')) throw error
    return {
      availability: 'no-permission',
      reason: 'The kernel has IPVS, but refuses the agent: it lacks CAP_NET_ADMIN.',
      hint: "Run the agent as root in the host's own user namespace; IPVS does not accept less.",
    }
  }
}

function withoutFamily(host: IpvsHost): IpvsOpening {
  const release = host.kernelRelease()
  const folder = `/lib/modules/${release}`
  const list = host.read(`${folder}/modules.dep`)
  if (list !== null && ipvsModulesIn(list).includes('ip_vs')) {
    const isLocked = host.read('/proc/sys/kernel/modules_disabled')?.trim() === '1'
    return {
      availability: 'module-not-loaded',
      reason: isLocked
        ? `The module ip_vs of kernel ${release} is not loaded, and the kernel loads no modules any more (kernel.modules_disabled).`
        : `The module ip_vs of kernel ${release} is not loaded, and the kernel did not load it by itself.`,
      hint: isLocked
        ? 'Have the module loaded at boot (modules-load.d), then boot the director again.'
        : 'Run "modprobe ip_vs" as root; where that fails, look for a blacklist entry in modprobe.d.',
    }
  }
  return {
    availability: 'module-missing',
    reason:
      list === null
        ? `There is no ${folder}/modules.dep, and the kernel has no IPVS built in.`
        : `Kernel ${release} has no module ip_vs in ${folder}, and no IPVS built in.`,
    hint: "Install the distribution's full kernel (a cloud or container kernel may leave IPVS out), or use the eBPF dataplane.",
  }
}
