import type { Issue } from '../../../core/model/issue.ts'
import { issuesOf } from '../../../core/model/issue.ts'
import { DirectorProfile, type SshTarget } from '../../../core/model/ssh.ts'

/** Where to log in, as typed. */
export interface TargetText {
  readonly host: string
  readonly port: string
  readonly user: string
  readonly keyFile: string
  readonly hasJump: boolean
  readonly jump: { readonly host: string; readonly port: string; readonly user: string; readonly keyFile: string }
}

const noHop = { host: '', port: '22', user: 'root', keyFile: '' }
export const emptyTarget: TargetText = { ...noHop, hasJump: false, jump: noHop }

export function textOfTarget(target: SshTarget): TargetText {
  const hop = (one: Omit<SshTarget, 'jump'>) => ({
    host: one.host,
    port: String(one.port),
    user: one.user,
    keyFile: one.keyFile ?? '',
  })
  return {
    ...hop(target),
    hasJump: target.jump !== undefined,
    jump: target.jump === undefined ? noHop : hop(target.jump),
  }
}

const given = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim())

function hopOf(text: TargetText['jump']): Record<string, unknown> {
  const port = given(text.port)
  return {
    host: given(text.host),
    // What is no number stays as typed: the error then shows what stands in the field.
    port: port !== undefined && /^\d{1,9}$/.test(port) ? Number(port) : port,
    user: given(text.user),
    ...(given(text.keyFile) === undefined ? {} : { keyFile: given(text.keyFile) }),
  }
}

/** The target as the model wants it, not yet judged. */
export function targetOf(text: TargetText): Record<string, unknown> {
  return { ...hopOf(text), ...(text.hasJump ? { jump: hopOf(text.jump) } : {}) }
}

/** A director's profile from the form, or what is wrong with which field. */
export function profileOf(
  id: string,
  name: string,
  target: TargetText,
  isProduction: boolean,
  cluster = '',
): { ok: true; profile: DirectorProfile } | { ok: false; issues: Issue[] } {
  const input = {
    id,
    name: given(name) ?? target.host.trim(),
    target: targetOf(target),
    isProduction,
    ...(given(cluster) === undefined ? {} : { cluster: given(cluster) }),
  }
  const parsed = DirectorProfile.safeParse(input)
  return parsed.success ? { ok: true, profile: parsed.data } : { ok: false, issues: issuesOf(parsed.error, input) }
}

/** An id that no other profile has, made from the name so that links can be read. */
export function idFor(name: string, taken: ReadonlySet<string>): string {
  const slug =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 48) || 'director'
  if (!taken.has(slug)) return slug
  for (let n = 2; ; n++) if (!taken.has(`${slug}-${n}`)) return `${slug}-${n}`
}

/** `root@lb1.example:2222 via admin@jump`, as people write it; the usual port is left out. */
export function formatTarget(target: SshTarget): string {
  const hop = (one: Omit<SshTarget, 'jump'>) => `${one.user}@${one.host}${one.port === 22 ? '' : `:${one.port}`}`
  return target.jump === undefined ? hop(target) : `${hop(target)} via ${hop(target.jump)}`
}
