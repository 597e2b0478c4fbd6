import os from 'node:os'
import { AppError } from '../../core/contract/errors.ts'

/** Numbers that Node does not name. Source: include/uapi/asm-generic/errno.h and, from 512 on, include/linux/errno.h. */
const linuxOnly: readonly (readonly [number, string])[] = [
  [76, 'ENOTUNIQ'],
  [85, 'ERESTART'],
  [94, 'ESOCKTNOSUPPORT'],
  [96, 'EPFNOSUPPORT'],
  [108, 'ESHUTDOWN'],
  [117, 'EUCLEAN'],
  [121, 'EREMOTEIO'],
  [123, 'ENOMEDIUM'],
  [512, 'ERESTARTSYS'],
  [524, 'ENOTSUPP'],
]

/** Two names for one number: the name that manuals of bpf(2) and netlink(7) use. */
const preferred: Readonly<Record<string, string>> = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP' }

const names = new Map<number, string>(linuxOnly)
for (const [name, number] of Object.entries(os.constants.errno)) names.set(number, preferred[name] ?? name)

/** `ENOENT` for 2; `errno 4711` for a number that has no name. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`
}

/** The kernel said no. `errno` is the name, e.g. `EEXIST`; `call` says what was asked of it. */
export class KernelError extends AppError {
  readonly errno: string
  readonly call: string
  /** What the kernel added to its number. */
  readonly says: string | undefined

  constructor(
    call: string,
    errno: string,
    more: { hint?: string; details?: Record<string, string>; says?: string } = {},
  ) {
    super('KERNEL', `The kernel refused ${call}: ${errno}${more.says === undefined ? '' : ` (${more.says})`}.`, {
      ...(more.hint === undefined ? {} : { hint: more.hint }),
      details: { errno, call, ...more.details },
    })
    this.name = 'KernelError'
    this.errno = errno
    this.call = call
    this.says = more.says
  }
}

/** True where `error` is the kernel's and carries one of the names. */
export function isErrno(error: unknown, ...wanted: string[]): boolean {
  return error instanceof KernelError && wanted.includes(error.errno)
}
