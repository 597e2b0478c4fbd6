import { type UnfitReason, unfitReasons } from '../../../core/contract/connect-details.ts'
import { AppError } from '../../../core/contract/errors.ts'
import { fill } from '../../../core/model/issue.ts'
import { type HostReport, canBeRoot } from './host-report.ts'
import { installRoot } from './paths.ts'

/** Oldest that the shipped node and koffi run on, and oldest kernel that the dataplane is tested on. */
export const needs = { glibc: '2.28', kernel: '6.1' } as const

export interface Unfit {
  readonly reason: UnfitReason
  readonly params: Readonly<Record<string, string | number>>
}

/** Everything that keeps the agent from running on this host; empty = fit. `bytes`: size of the package. */
export function judgeFitness(report: HostReport, bytes: number): Unfit[] {
  const unfit: Unfit[] = []
  const found = (reason: UnfitReason, params: Unfit['params'] = {}) => unfit.push({ reason, params })
  if (report.system !== 'Linux') {
    found('system', { found: report.system })
    return unfit
  }
  if (report.architecture !== 'x86_64') found('architecture', { found: report.architecture })
  if (report.libc.kind === 'musl') found('musl', { needed: needs.glibc })
  else if (report.libc.kind === 'glibc' && isOlder(report.libc.version, needs.glibc)) {
    found('glibc', { found: report.libc.version, needed: needs.glibc })
  }
  if (isOlder(report.kernel, needs.kernel)) {
    found('kernel', { found: report.kernel, needed: needs.kernel, missing: missingBefore(report.kernel) })
  }
  if (!report.hasBtf) found('btf')
  if (report.bpffs === 'absent') found('bpffs')
  const { mount, options, freeKb } = report.target
  if (options.includes('noexec')) found('noexec', { path: installRoot, mount })
  if (options.includes('ro')) found('readonly', { path: installRoot, mount })
  // The tar and what it unpacks to: node and koffi pack to a third.
  const neededMb = Math.ceil((bytes * 4.5) / 1_000_000)
  if (Number.isFinite(freeKb) && freeKb / 1000 < neededMb) {
    found('space', { path: installRoot, found: Math.floor(freeKb / 1000), needed: neededMb })
  }
  const uploadMb = Math.ceil(bytes / 1_000_000)
  if (report.uid !== 0 && Number.isFinite(report.homeFreeKb) && report.homeFreeKb / 1000 < uploadMb) {
    found('space', { path: '~', found: Math.floor(report.homeFreeKb / 1000), needed: uploadMb })
  }
  if (!canBeRoot(report)) found('root', { user: report.user, found: report.sudoError ?? '' })
  if (report.missingTools.length > 0) found('tools', { found: report.missingTools.join(', ') })
  return unfit
}

/** HOST_UNFIT with one sentence for each reason, and the same by key for translation. */
export function unfitError(host: string, unfit: readonly Unfit[]): AppError {
  return new AppError('HOST_UNFIT', unfit.map(({ reason, params }) => fill(unfitReasons[reason], params)).join(' '), {
    hint: `Nothing was changed on ${host}.`,
    details: Object.fromEntries(unfit.map(({ reason, params }) => [`unfit.${reason}`, JSON.stringify(params)])),
  })
}

/** Compares leading numbers: `6.1.0-13-amd64` is not older than `6.1`. */
export function isOlder(found: string, needed: string): boolean {
  const numbers = (text: string) => /^\d+(\.\d+)*/.exec(text)?.[0].split('.').map(Number) ?? []
  const a = numbers(found)
  const b = numbers(needed)
  if (a.length === 0) return false
  for (let i = 0; i < b.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** What the dataplane needs and an older kernel lacks, by the release that brought it. */
function missingBefore(kernel: string): string {
  const features = [
    ['5.8', 'CAP_BPF'],
    ['5.12', 'atomic compare-and-exchange in BPF'],
    ['6.1', 'the oldest kernel it is tested on'],
  ] as const
  return features
    .filter(([since]) => isOlder(kernel, since))
    .map(([since, what]) => `${since}: ${what}`)
    .join('; ')
}
