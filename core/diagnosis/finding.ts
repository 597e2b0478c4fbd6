import { z } from 'zod'

/** `director`, or the address of a real server. */
export const CheckedHost = z.string().min(1).max(64)
export const HostRole = z.enum(['director', 'realServer'])

/** Commands that cure a finding, and those that take exactly that back. */
export const Fix = z.object({
  /** Rule and host: `DR5@192.0.2.20`. */
  id: z.string(),
  rule: z.string(),
  host: CheckedHost,
  /** POSIX shell lines, quoted, run as root on the host in this order. */
  commands: z.array(z.string()),
  /** As many lines, last effect first: line i takes back `commands[commands.length - 1 - i]`. Each may run twice. */
  undo: z.array(z.string()),
  /** Files that the commands write so that the fix outlives a reboot. */
  files: z.array(z.string()),
  /** False where the host has nothing that would carry the change over a reboot; the undo is then a reboot too. */
  survivesReboot: z.boolean().default(true),
  /** Ids of fixes on the same host that are still missing and must come first, or this one does harm. */
  requires: z.array(z.string()).default([]),
})

/** One rule judged on one host. */
export const Finding = z.object({
  rule: z.string(),
  host: CheckedHost,
  role: HostRole,
  severity: z.enum(['blocks', 'warns', 'informs']),
  /**
   * `unknown`: a fact was missing, the reason says which. `notChecked`: no SSH access was given. Neither counts as ok.
   * `notApplicable` rows are left out of the list.
   */
  status: z.enum(['ok', 'missing', 'warning', 'unknown', 'notChecked']),
  /** Which of the rule's sentences says what was found: `missing`, `wrongPrefix`, … (`sentences.ts`). */
  cause: z.string().default('missing'),
  /** As read, e.g. `all=0 eth0=0, effective 0`. */
  found: z.string(),
  /** What the rule wants, e.g. `1 or 2`. */
  expected: z.string(),
  /** Parameters of the rule's sentences. */
  params: z.record(z.string(), z.union([z.string(), z.number()])),
  fix: Fix.nullable(),
})

/** A fix that was carried out, kept so that it can be undone; lives on the console with the director's profile. */
export const AppliedFix = z.object({
  id: z.string(),
  directorId: z.string(),
  fix: Fix,
  /** Service that it was made for. */
  service: z.string(),
  appliedAtMs: z.number(),
  undoneAtMs: z.number().nullable(),
})

export type HostRole = z.infer<typeof HostRole>
export type Fix = z.infer<typeof Fix>
export type Finding = z.infer<typeof Finding>
export type AppliedFix = z.infer<typeof AppliedFix>
