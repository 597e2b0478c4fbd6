import { AppError } from '../../../core/contract/errors.ts'
import { fixAfter, inFixOrder } from '../../../core/diagnosis/catalogue.ts'
import type { AppliedFix, Finding, Fix } from '../../../core/diagnosis/finding.ts'

/** The host that a fix's id is for: `DR5@192.0.2.20`. */
export function hostOfFix(id: string): string {
  return id.slice(id.indexOf('@') + 1)
}

/**
 * The fixes of one host to carry out now, in their order, from findings that were just read. Left out is what is well
 * already. Throws NOT_FOUND for an id without a rule, REFUSED where a rule has no fix or one that must come first was
 * not chosen, and CONFLICT where the commands are not those that the operator was shown.
 */
export function chooseFixes(
  ids: readonly string[],
  findings: readonly Finding[],
  shown: readonly Finding[] | undefined,
): Fix[] {
  const chosen: Fix[] = []
  for (const id of new Set(ids)) {
    const finding = findings.find(({ rule, host }) => `${rule}@${host}` === id)
    if (finding === undefined) {
      throw new AppError('NOT_FOUND', `fixIds: found "${id}", expected the id of a fix for this service's hosts.`)
    }
    if (finding.status === 'ok') continue
    if (finding.fix === null) {
      throw new AppError(
        'REFUSED',
        `There is no command that cures ${finding.rule} on ${finding.host}: found ${finding.found}.`,
        {
          hint: 'The sentence of this row says what to do by hand.',
        },
      )
    }
    const before = shown?.find(({ rule, fix }) => rule === finding.rule && fix !== null)?.fix
    if (before !== undefined && before !== null && before.commands.join('\n') !== finding.fix.commands.join('\n')) {
      throw new AppError(
        'CONFLICT',
        `${finding.host} has changed since it was checked: the commands for ${finding.rule} are other ones now.`,
        {
          hint: 'Look at the new commands, then fix again.',
        },
      )
    }
    chosen.push(finding.fix)
  }
  for (const fix of chosen) {
    const absent = fix.requires.filter((id) => !chosen.some((other) => other.id === id))
    if (absent.length > 0) {
      throw new AppError(
        'REFUSED',
        `${absent.map((id) => id.slice(0, id.indexOf('@'))).join(' and ')} must be fixed before ${fix.rule} on ${fix.host}, or this host would answer ARP for the VIP.`,
        {
          hint: 'Choose them together.',
          details: { missing: absent.join(', ') },
        },
      )
    }
  }
  return inFixOrder(chosen)
}

/**
 * Why a fix must not be undone yet: another one on the same host, for whichever service, rests on it and stays. Null
 * where nothing stands against it.
 */
export function whatRestsOn(
  applied: AppliedFix,
  all: readonly AppliedFix[],
  undoing: ReadonlySet<string>,
): AppliedFix | null {
  return (
    all.find(
      (other) =>
        other.undoneAtMs === null &&
        other.fix.host === applied.fix.host &&
        !undoing.has(other.id) &&
        fixAfter(other.fix.rule).some((rule) => rule === applied.fix.rule),
    ) ?? null
  )
}
