// What an errno of IPVS means, by what was asked. Source: measured on Linux 6.1 (test/guest holds it row by row) and
// net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_sync.c.
import { KernelError } from '../../kernel/errno.ts'
import type { IpvsOperation } from './types.ts'

export type IpvsAction =
  | IpvsOperation['kind']
  | 'read'
  | 'service.get'
  | 'timeouts.set'
  | 'daemon.start'
  | 'daemon.stop'
  | 'zero'

/**
 * What remains to be done: nothing, since it is so already; observe and plan again; the opposite kind of change; or give
 * up, since trying again ends the same.
 */
export type IpvsRemedy = 'done' | 'observe' | 'change-instead' | 'add-instead' | 'fail'

interface Meaning {
  readonly remedy: IpvsRemedy
  /** Stands in brackets behind "The kernel refused …: EEXIST". */
  readonly says: string
  /** What to do next, one sentence. */
  readonly hint: string
}

const meaning = (remedy: IpvsRemedy, says: string, hint: string): Meaning => ({ remedy, says, hint })

export const ipvsMeanings = {
  serviceExists: meaning(
    'change-instead',
    'the virtual service exists already',
    'Look at the table again: somebody else has added it, and it can be adopted or changed.',
  ),
  serviceMissing: meaning(
    'observe',
    'the virtual service does not exist',
    'Look at the table again and plan anew: somebody else has deleted it.',
  ),
  serviceGone: meaning('done', 'the virtual service does not exist', 'Nothing remains to be deleted.'),
  serviceInvalid: meaning(
    'fail',
    'the kernel takes no such virtual service',
    'Check the persistence prefix (IPv6: 1 to 128) and whether the scheduler may be used with this protocol.',
  ),
  schedulerMissing: meaning(
    'fail',
    'the scheduler or the persistence engine is not available',
    'Load its module (ip_vs_ with the name of the scheduler, ip_vs_pe_sip), or choose another scheduler.',
  ),
  noIpv6: meaning(
    'fail',
    'this kernel has IPVS without IPv6',
    'Use IPv4, or a kernel with CONFIG_IP_VS_IPV6 that was not booted with ipv6.disable=1.',
  ),
  destinationExists: meaning(
    'change-instead',
    'the real server exists already',
    'Look at the table again and change it where it differs.',
  ),
  destinationMissing: meaning(
    'add-instead',
    'the real server does not exist',
    'Add it instead: somebody else has deleted it.',
  ),
  destinationGone: meaning('done', 'the real server does not exist', 'Nothing remains to be deleted.'),
  destinationInvalid: meaning(
    'fail',
    'the kernel takes no such real server',
    'Check that its address is a unicast one, that GUE has a port, and that a real server of the other address family is reached by tunnel without a sync daemon.',
  ),
  destinationRange: meaning(
    'fail',
    'a weight or threshold is out of range',
    'Use weights from 0 on, and a lower threshold that is not above the upper one.',
  ),
  daemonRuns: meaning(
    'change-instead',
    'a sync daemon of this role runs already',
    'Stop it first: its settings cannot be changed while it runs.',
  ),
  daemonStopped: meaning('done', 'no sync daemon of this role runs', 'Nothing remains to be stopped.'),
  daemonInterface: meaning(
    'fail',
    'there is no such interface',
    'Name an interface of the director that is up and has an address.',
  ),
  daemonInvalid: meaning(
    'fail',
    'the kernel takes no such sync daemon',
    'Check the sync id (0 to 255) and the multicast group; real servers of another address family exclude the daemon.',
  ),
  timeoutsInvalid: meaning('fail', 'a timeout is out of range', 'Use whole seconds that fit the kernel.'),
  noPermission: meaning(
    'fail',
    'the agent lacks CAP_NET_ADMIN',
    "Run the agent as root in the host's own user namespace; IPVS does not accept less.",
  ),
  familyGone: meaning('fail', 'IPVS is not loaded any more', 'Load the module ip_vs; with it went all services.'),
  answerLost: meaning('observe', 'the answer was lost, so it may have been done', 'Look at the table again.'),
  noMemory: meaning('fail', 'the kernel has no memory for it', 'Free memory on the director, then try again.'),
} as const satisfies Record<string, Meaning>

export type IpvsMeaningKey = keyof typeof ipvsMeanings

type ByErrno = Readonly<Record<string, IpvsMeaningKey>>

const always: ByErrno = {
  EPERM: 'noPermission',
  EACCES: 'noPermission',
  ENOBUFS: 'answerLost',
  ENOMEM: 'noMemory',
}

const byAction: Readonly<Record<IpvsAction, ByErrno>> = {
  'service.add': {
    EEXIST: 'serviceExists',
    ENOENT: 'schedulerMissing',
    EINVAL: 'serviceInvalid',
    EAFNOSUPPORT: 'noIpv6',
  },
  'service.set': {
    ESRCH: 'serviceMissing',
    ENOENT: 'schedulerMissing',
    EINVAL: 'serviceInvalid',
    EAFNOSUPPORT: 'noIpv6',
  },
  'service.delete': { ESRCH: 'serviceGone' },
  'service.get': { ESRCH: 'serviceMissing', ENOENT: 'familyGone' },
  'destination.add': {
    EEXIST: 'destinationExists',
    ESRCH: 'serviceMissing',
    EINVAL: 'destinationInvalid',
    ERANGE: 'destinationRange',
    EAFNOSUPPORT: 'noIpv6',
  },
  'destination.set': {
    ENOENT: 'destinationMissing',
    ESRCH: 'serviceMissing',
    EINVAL: 'destinationInvalid',
    ERANGE: 'destinationRange',
    EAFNOSUPPORT: 'noIpv6',
  },
  'destination.delete': { ENOENT: 'destinationGone', ESRCH: 'serviceGone' },
  read: { ENOENT: 'familyGone' },
  'timeouts.set': { EINVAL: 'timeoutsInvalid', ENOENT: 'familyGone' },
  'daemon.start': {
    EEXIST: 'daemonRuns',
    ENODEV: 'daemonInterface',
    EADDRNOTAVAIL: 'daemonInterface',
    EINVAL: 'daemonInvalid',
    ENOENT: 'familyGone',
  },
  'daemon.stop': { ESRCH: 'daemonStopped', ENOENT: 'familyGone' },
  zero: { ESRCH: 'serviceMissing', ENOENT: 'familyGone' },
}

/** What the kernel's refusal means here; null where nothing is known about it. */
export function ipvsErrorMeaning(action: IpvsAction, errno: string): IpvsMeaningKey | null {
  const own = byAction[action]
  if (Object.hasOwn(own, errno)) return own[errno] ?? null
  return Object.hasOwn(always, errno) ? (always[errno] ?? null) : null
}

/** The same refusal with what it means and what to do; `details.meaning` is the key, `details.remedy` its remedy. */
export function explained(action: IpvsAction, error: KernelError): KernelError {
  const key = ipvsErrorMeaning(action, error.errno)
  if (key === null) return error
  const { remedy, says, hint } = ipvsMeanings[key]
  return new KernelError(error.call, error.errno, {
    says: error.says ?? says,
    hint,
    details: { ...error.details, meaning: key, remedy },
  })
}
