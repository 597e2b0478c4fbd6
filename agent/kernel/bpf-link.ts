// Links: a program's place on an interface, as an object of its own. Source: include/uapi/linux/bpf.h (link_create,
// link_update, bpf_link_info, query), kernel/bpf/tcx.c.
import { BpfObject, getPinned, infoByFd } from './bpf.ts'
import { type BpfProgram, attachType } from './bpf-program.ts'
import { isErrno } from './errno.ts'
import { ArgumentBlock, bpfCall } from './syscall.ts'

const command = { query: 16, create: 28, update: 29, detach: 34 } as const

/** XDP_FLAGS_SKB_MODE and XDP_FLAGS_DRV_MODE of include/uapi/linux/if_link.h. */
export const xdpMode = { generic: 2, native: 4 } as const

const linkType = { xdp: 6, tcx: 11 } as const

export interface LinkFacts {
  readonly id: number
  readonly programId: number
  readonly kind: 'xdp' | 'tcx' | 'other'
  /** 0 where the interface has gone: the link is left over. */
  readonly ifindex: number
}

export class BpfLink extends BpfObject {
  facts(): LinkFacts {
    const info = infoByFd(this.fd, 32, 'a link')
    const type = info.readUInt32LE(0)
    return {
      id: info.readUInt32LE(4),
      programId: info.readUInt32LE(8),
      kind: type === linkType.xdp ? 'xdp' : type === linkType.tcx ? 'tcx' : 'other',
      ifindex: info.readUInt32LE(16),
    }
  }

  /** Puts another program in its place without a packet in between that meets none. */
  replace(program: BpfProgram): void {
    bpfCall(command.update, new ArgumentBlock(16).u32(0, this.fd).u32(4, program.fd), 'replacing a program')
  }

  /** Takes the program off the interface at once, whoever else holds the link. */
  detach(): void {
    bpfCall(command.detach, new ArgumentBlock(4).u32(0, this.fd), 'taking a program off its interface')
  }
}

/** Appends a program to the interface's TCX ingress programs; those that are there run first. Kernel 6.6. */
export function linkTcx(program: BpfProgram, ifindex: number): BpfLink {
  const block = new ArgumentBlock(32).u32(0, program.fd).u32(4, ifindex).u32(8, attachType.tcxIngress)
  return new BpfLink(bpfCall(command.create, block, `attaching to TCX ingress of interface ${ifindex}`))
}

/** Attaches an XDP program. EBUSY where the interface has one already, EOPNOTSUPP where its driver has no native XDP. */
export function linkXdp(program: BpfProgram, ifindex: number, mode: number): BpfLink {
  const block = new ArgumentBlock(32).u32(0, program.fd).u32(4, ifindex).u32(8, attachType.xdp).u32(12, mode)
  return new BpfLink(bpfCall(command.create, block, `attaching XDP to interface ${ifindex}`))
}

export function openPinnedLink(path: string): BpfLink {
  return new BpfLink(getPinned(path))
}

/** Ids of the programs on TCX ingress in the order that they run. Empty on a kernel without TCX (EINVAL). */
export function tcxPrograms(ifindex: number): number[] {
  const room = 64 // BPF_MPROG_MAX
  const ids = Buffer.alloc(room * 4)
  const block = new ArgumentBlock(64).u32(0, ifindex).u32(4, attachType.tcxIngress).pointer(16, ids).u32(24, room)
  try {
    bpfCall(command.query, block, `the TCX programs of interface ${ifindex}`)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL')) return []
    throw error
  }
  const count = Math.min(block.bytes.readUInt32LE(24), room)
  return Array.from({ length: count }, (_, i) => ids.readUInt32LE(i * 4))
}

/** Whether this kernel has TCX: the query is refused as unknown (EINVAL) where it has not. `ifindex` must exist. */
export function hasTcx(ifindex: number): boolean {
  const block = new ArgumentBlock(64).u32(0, ifindex).u32(4, attachType.tcxIngress)
  try {
    bpfCall(command.query, block, 'a query for TCX')
    return true
  } catch (error) {
    return isErrno(error, 'ENOENT')
  }
}
