// What this kernel offers, found by looking.
import { existsSync, readFileSync } from 'node:fs'
import type { DataplaneHook } from '../../../core/model/observed.ts'
import { hasTcx } from '../../kernel/bpf-link.ts'
import { isErrno } from '../../kernel/errno.ts'
import type { RouteSocket } from '../../kernel/route.ts'
import type { TcSocket } from '../../kernel/tc-filter.ts'
import type { DataplaneCapabilities, HookCapability } from '../dataplane.ts'
import { foreignPrograms } from './attachments.ts'
import { bpffs } from './map-set.ts'

/** CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_BPF of include/uapi/linux/capability.h. */
const capability = { netAdmin: 12n, sysAdmin: 21n, bpf: 39n } as const

function hasPrivileges(): boolean {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  const effective = BigInt(`0x${line}`)
  const has = (bit: bigint) => ((effective >> bit) & 1n) === 1n
  return has(capability.netAdmin) && (has(capability.bpf) || has(capability.sysAdmin))
}

/** The reason why nothing can be loaded here, one sentence; null where it can. */
function obstacle(): string | null {
  if (!hasPrivileges()) return 'The agent lacks the capabilities NET_ADMIN and BPF.'
  if (!existsSync(bpffs)) return `There is no ${bpffs}: this kernel was built without BPF.`
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'The kernel has no BTF (/sys/kernel/btf/vmlinux).'
  return null
}

export function lookForCapabilities(
  routes: RouteSocket,
  tc: TcSocket,
  wanted: readonly DataplaneHook[],
  interfaceName: string | undefined,
  ownProgramIds: ReadonlySet<number>,
): DataplaneCapabilities {
  const reason = obstacle()
  if (reason !== null) return { isAvailable: false, reason, hooks: [] }
  const at = interfaceName === undefined ? undefined : routes.linkByName(interfaceName)
  const first = at ?? routes.links().find(({ isLoopback }) => !isLoopback) ?? routes.links()[0]
  let tcx = false
  try {
    tcx = first !== undefined && hasTcx(first.index)
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'EPERM')) throw error
  }
  const others = at == null ? [] : foreignPrograms(at, ownProgramIds, tc)
  const xdpOwner = at?.xdpProgramId != null && !ownProgramIds.has(at.xdpProgramId)
  const all: HookCapability[] = [
    {
      hook: 'tcx',
      isUsable: tcx,
      reason: tcx
        ? `TCX ingress is there and keeps all offloads${others.length === 0 ? '' : `; also there: ${others.join(', ')}`}.`
        : 'This kernel has no TCX; it came with 6.6.',
    },
    {
      hook: 'clsact',
      isUsable: true,
      reason: tcx
        ? 'TC ingress by clsact; TCX is there and serves better.'
        : 'TC ingress by clsact keeps all offloads; its modules are tried when it is attached.',
    },
    {
      hook: 'xdp-native',
      isUsable: !xdpOwner,
      reason: xdpOwner
        ? `Another XDP program is on the interface: ${others.join(', ')}.`
        : 'XDP is tried in the driver; software devices lose offloads with it.',
    },
    { hook: 'xdp-generic', isUsable: !xdpOwner, reason: 'Works on every interface, and is slow.' },
  ]
  const hooks = all.filter(({ hook }) => wanted.includes(hook))
  const isAvailable = hooks.some(({ isUsable }) => isUsable)
  return { isAvailable, reason: isAvailable ? null : 'No hook for the dataplane is usable.', hooks }
}
