// Where the program sits: TCX ingress where the kernel has it, else clsact or XDP. Links are pinned and adopted.
import { existsSync, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../../core/contract/errors.ts'
import type { DataplaneHook, ObservedAttachment } from '../../../core/model/observed.ts'
import { type BpfLink, linkTcx, linkXdp, openPinnedLink, tcxPrograms, xdpMode } from '../../kernel/bpf-link.ts'
import { type BpfProgram, programById } from '../../kernel/bpf-program.ts'
import { isErrno } from '../../kernel/errno.ts'
import type { Link, RouteSocket } from '../../kernel/route.ts'
import { TcPlace, type TcSocket } from '../../kernel/tc-filter.ts'

const linkPrefix = 'link_'
const genericSuffix = '_generic'
const clsactSuffix = '_clsact'
const repliesSuffix = '_replies'

const reasons: Readonly<Record<DataplaneHook, string>> = {
  tcx: 'TCX ingress: keeps offloads on every kind of interface and shares it with other programs.',
  clsact: 'TC ingress by clsact, which keeps offloads: this kernel has no TCX.',
  'xdp-native': 'Native XDP: this kernel has neither TCX nor clsact.',
  'xdp-generic': 'Generic XDP, which is slow: this kernel has neither TCX nor clsact, and the driver no native XDP.',
}

/** What an interface is attached for: services, or only answers of their real servers. The pin's name keeps it. */
type Purpose = 'services' | 'replies'

interface Held {
  readonly link: BpfLink | TcPlace
  readonly hook: DataplaneHook
  readonly purpose: Purpose
  readonly pin: string
}

export class Attachments {
  readonly #folder: string
  readonly #routes: RouteSocket
  readonly #tc: TcSocket
  readonly #links = new Map<number, Held>()

  constructor(folder: string, routes: RouteSocket, tc: TcSocket) {
    this.#folder = folder
    this.#routes = routes
    this.#tc = tc
  }

  get count(): number {
    this.#forgetGone()
    return this.#links.size
  }

  /** Whether packets arrive at XDP somewhere, where the kernel does not look for neighbours. */
  get hasXdp(): boolean {
    return [...this.#links.values()].some(({ hook }) => hook.startsWith('xdp'))
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
      const link = name.includes(clsactSuffix) ? new TcPlace(this.#tc, indexIn(name), pin) : openPinnedLink(pin)
      const { ifindex } = link.facts()
      if (ifindex === 0) {
        this.#unpin(pin)
        link.close()
        continue
      }
      const xdp = name.includes(genericSuffix) ? 'xdp-generic' : 'xdp-native'
      const purpose = name.endsWith(repliesSuffix) ? 'replies' : 'services'
      const hook = link instanceof TcPlace ? 'clsact' : link.facts().kind === 'tcx' ? 'tcx' : xdp
      link.replace(programFor(hook, programs))
      this.#links.set(ifindex, { link, hook, purpose, pin })
    }
  }

  /** Attaches at the first hook that works. Where it is attached already, for another purpose at most, that is all. */
  attach(
    interfaceName: string,
    hooks: readonly DataplaneHook[],
    programs: ReadonlyMap<string, BpfProgram>,
    purpose: Purpose = 'services',
  ): Link {
    const at = this.#routes.linkByName(interfaceName)
    if (at === null) throw new AppError('REFUSED', `The director has no interface ${interfaceName}.`)
    const held = this.#links.get(at.index)
    if (held !== undefined) {
      if (purpose === 'services') this.#serve(at.index, held, purpose)
      return at
    }
    const [hook, ...others] = hooks
    if (hook === undefined) throw new AppError('REFUSED', `No hook for the dataplane works on ${interfaceName}.`)
    const program = programFor(hook, programs)
    let link: BpfLink | TcPlace
    try {
      link = this.#linkAt(hook, program, at.index)
    } catch (error) {
      if (isErrno(error, 'EBUSY', 'EEXIST')) throw busy(at, error, this.#tc)
      if (isErrno(error, 'EOPNOTSUPP', 'EINVAL', 'ENOENT') && others.length > 0)
        return this.attach(interfaceName, others, programs, purpose)
      throw error
    }
    const pin = this.#pinOf(at.index, hook, purpose)
    try {
      if (link instanceof TcPlace) link.pin(pin, program)
      else link.pin(pin)
    } catch (error) {
      if (link instanceof TcPlace) link.detach()
      link.close()
      throw error
    }
    this.#links.set(at.index, { link, hook, purpose, pin })
    return at
  }

  #linkAt(hook: DataplaneHook, program: BpfProgram, ifindex: number): BpfLink | TcPlace {
    if (hook === 'tcx') return linkTcx(program, ifindex)
    if (hook === 'clsact') return TcPlace.attach(this.#tc, program, ifindex)
    return linkXdp(program, ifindex, hook === 'xdp-native' ? xdpMode.native : xdpMode.generic)
  }

  #pinOf(ifindex: number, hook: DataplaneHook, purpose: Purpose): string {
    const suffixes = `${suffixOf(hook)}${purpose === 'replies' ? repliesSuffix : ''}`
    return join(this.#folder, `${linkPrefix}${ifindex}${suffixes}`)
  }

  #serve(ifindex: number, held: Held, purpose: Purpose): void {
    if (held.purpose === purpose) return
    const pin = this.#pinOf(ifindex, held.hook, purpose)
    renameSync(held.pin, pin)
    const link = held.link instanceof TcPlace ? new TcPlace(this.#tc, ifindex, pin) : held.link
    this.#links.set(ifindex, { ...held, link, purpose, pin })
  }

  /** Attaches where answers come in, and detaches where none do any more and no service is either. */
  followReplies(
    wanted: ReadonlySet<number>,
    hooks: readonly DataplaneHook[],
    programs: ReadonlyMap<string, BpfProgram>,
  ): void {
    this.#forgetGone()
    for (const { index, name } of this.#routes.links()) {
      const held = this.#links.get(index)
      if (wanted.has(index) && held === undefined) this.attach(name, hooks, programs, 'replies')
      if (!wanted.has(index) && held?.purpose === 'replies') this.detach(name)
    }
  }

  /** No service is on the interface any more; answers may still come in there. */
  release(interfaceName: string, replies: ReadonlySet<number>): void {
    const at = this.#routes.linkByName(interfaceName)
    const held = at === null ? undefined : this.#links.get(at.index)
    if (at !== null && held !== undefined && replies.has(at.index)) this.#serve(at.index, held, 'replies')
    else this.detach(interfaceName)
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
      .flatMap(([index, { link, hook, purpose }]): ObservedAttachment[] => {
        const at = names.get(index)
        if (at === undefined) return []
        return [
          {
            interface: at.name,
            hook,
            reason: reasons[hook],
            foreignPrograms: foreignPrograms(at, new Set([link.facts().programId]), this.#tc),
            isForReplies: purpose === 'replies',
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

function suffixOf(hook: DataplaneHook): string {
  if (hook === 'clsact') return clsactSuffix
  return hook === 'xdp-generic' ? genericSuffix : ''
}

/** The interface in a pin's name. */
const indexIn = (name: string): number => Number(/^link_(\d+)/.exec(name)?.[1] ?? 0)

function programFor(hook: DataplaneHook, programs: ReadonlyMap<string, BpfProgram>): BpfProgram {
  const program = programs.get(hook.startsWith('xdp') ? 'lb_xdp' : 'lb_tcx')
  if (program === undefined) throw new TypeError(`the object has no program for ${hook}`)
  return program
}

/** Names of what others have on the interface; a number where the kernel does not tell the name. */
export function foreignPrograms(at: Link, own: ReadonlySet<number>, tc: TcSocket): string[] {
  const ids = [
    ...tcxPrograms(at.index),
    ...tc.filters(at.index).map(({ programId }) => programId),
    ...(at.xdpProgramId === null ? [] : [at.xdpProgramId]),
  ]
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

function busy(at: Link, cause: unknown, tc: TcSocket): AppError {
  const others = foreignPrograms(at, new Set(), tc).join(', ')
  return new AppError(
    'REFUSED',
    `Interface ${at.name} has an XDP program already${others === '' ? '' : `: ${others}`}.`,
    {
      cause,
      hint: 'It is left alone. Take it off, or use another interface.',
    },
  )
}
