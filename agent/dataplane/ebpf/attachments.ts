// Where the program sits: TCX ingress where the kernel has it, else XDP. Links are pinned and adopted.
import { existsSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../../core/contract/errors.ts'
import type { DataplaneHook, ObservedAttachment } from '../../../core/model/observed.ts'
import { type BpfLink, linkTcx, linkXdp, openPinnedLink, tcxPrograms, xdpMode } from '../../kernel/bpf-link.ts'
import { type BpfProgram, programById } from '../../kernel/bpf-program.ts'
import { isErrno } from '../../kernel/errno.ts'
import type { Link, RouteSocket } from '../../kernel/route.ts'

const linkPrefix = 'link_'
const genericSuffix = '_generic'

const reasons: Readonly<Record<DataplaneHook, string>> = {
  tcx: 'TCX ingress: keeps offloads on every kind of interface and shares it with other programs.',
  'xdp-native': 'Native XDP: this kernel has no TCX.',
  'xdp-generic': 'Generic XDP, which is slow: this kernel has no TCX and the driver no native XDP.',
}

export class Attachments {
  readonly #folder: string
  readonly #routes: RouteSocket
  readonly #links = new Map<number, { link: BpfLink; hook: DataplaneHook; pin: string }>()

  constructor(folder: string, routes: RouteSocket) {
    this.#folder = folder
    this.#routes = routes
  }

  get count(): number {
    this.#forgetGone()
    return this.#links.size
  }

  /** Whether packets arrive at XDP somewhere, where the kernel does not look for neighbours. */
  get hasXdp(): boolean {
    return [...this.#links.values()].some(({ hook }) => hook !== 'tcx')
  }

  /** A link whose interface has gone says interface 0; it can never be attached again. */
  #forgetGone(): void {
    for (const [index, { link, pin }] of this.#links) {
      if (link.facts().ifindex !== 0) continue
      this.#unpin(pin)
      link.close()
      this.#links.delete(index)
    }
  }

  #unpin(pin: string): void {
    if (existsSync(pin)) unlinkSync(pin)
  }

  /** Takes up the pinned links and puts this agent's programs in their place; no packet goes without one. */
  adopt(programs: ReadonlyMap<string, BpfProgram>): void {
    for (const name of readdirSync(this.#folder).filter((each) => each.startsWith(linkPrefix))) {
      const pin = join(this.#folder, name)
      const link = openPinnedLink(pin)
      const { kind, ifindex } = link.facts()
      if (ifindex === 0) {
        this.#unpin(pin)
        link.close()
        continue
      }
      const xdp = name.endsWith(genericSuffix) ? 'xdp-generic' : 'xdp-native'
      const hook = kind === 'tcx' ? 'tcx' : xdp
      link.replace(programFor(hook, programs))
      this.#links.set(ifindex, { link, hook, pin })
    }
  }

  /** Attaches at the first hook that works. Nothing happens where it is attached already. */
  attach(interfaceName: string, hooks: readonly DataplaneHook[], programs: ReadonlyMap<string, BpfProgram>): Link {
    const at = this.#routes.linkByName(interfaceName)
    if (at === null) throw new AppError('REFUSED', `The director has no interface ${interfaceName}.`)
    if (this.#links.has(at.index)) return at
    const [hook, ...others] = hooks
    if (hook === undefined) throw new AppError('REFUSED', `No hook for the dataplane works on ${interfaceName}.`)
    const program = programFor(hook, programs)
    let link: BpfLink
    try {
      link =
        hook === 'tcx'
          ? linkTcx(program, at.index)
          : linkXdp(program, at.index, hook === 'xdp-native' ? xdpMode.native : xdpMode.generic)
    } catch (error) {
      if (isErrno(error, 'EBUSY', 'EEXIST')) throw busy(at, error)
      if (isErrno(error, 'EOPNOTSUPP', 'EINVAL') && others.length > 0)
        return this.attach(interfaceName, others, programs)
      throw error
    }
    const pin = join(this.#folder, `${linkPrefix}${at.index}${hook === 'xdp-generic' ? genericSuffix : ''}`)
    try {
      link.pin(pin)
    } catch (error) {
      link.close()
      throw error
    }
    this.#links.set(at.index, { link, hook, pin })
    return at
  }

  detach(interfaceName: string): void {
    this.#forgetGone()
    const at = this.#routes.linkByName(interfaceName)
    const held = at === null ? undefined : this.#links.get(at.index)
    if (at === null || held === undefined) return
    this.#unpin(held.pin)
    held.link.detach()
    held.link.close()
    this.#links.delete(at.index)
  }

  observed(): ObservedAttachment[] {
    const names = new Map(this.#routes.links().map((link) => [link.index, link]))
    return [...this.#links]
      .flatMap(([index, { link, hook }]): ObservedAttachment[] => {
        const at = names.get(index)
        if (at === undefined) return []
        return [
          {
            interface: at.name,
            hook,
            reason: reasons[hook],
            foreignPrograms: foreignPrograms(at, new Set([link.facts().programId])),
          },
        ]
      })
      .toSorted((a, b) => (a.interface < b.interface ? -1 : 1))
  }

  close(): void {
    for (const { link } of this.#links.values()) link.close()
    this.#links.clear()
  }
}

function programFor(hook: DataplaneHook, programs: ReadonlyMap<string, BpfProgram>): BpfProgram {
  const program = programs.get(hook === 'tcx' ? 'lb_tcx' : 'lb_xdp')
  if (program === undefined) throw new TypeError(`the object has no program for ${hook}`)
  return program
}

/** Names of what others have on the interface; a number where the kernel does not tell the name. */
export function foreignPrograms(at: Link, own: ReadonlySet<number>): string[] {
  const ids = [...tcxPrograms(at.index), ...(at.xdpProgramId === null ? [] : [at.xdpProgramId])]
  return ids
    .filter((id) => !own.has(id))
    .map((id) => {
      try {
        return programById(id)?.name ?? `program ${id}`
      } catch (error) {
        if (isErrno(error, 'EPERM')) return `program ${id}`
        throw error
      }
    })
}

function busy(at: Link, cause: unknown): AppError {
  const others = foreignPrograms(at, new Set()).join(', ')
  return new AppError(
    'REFUSED',
    `Interface ${at.name} has an XDP program already${others === '' ? '' : `: ${others}`}.`,
    {
      cause,
      hint: 'It is left alone. Take it off, or use another interface.',
    },
  )
}
