import { fill } from '../model/issue.ts'
import type { Finding } from './finding.ts'
import { type RuleId, ruleIds } from './rule.ts'
import { commonEn, rulesEn } from './sentences-en.ts'
import { commonZh, rulesZh } from './sentences-zh.ts'

/** What the console and the command line say about one rule. `{name}` places are filled from the finding's parameters. */
export interface RuleSentences {
  /** Heads a row or a column; the same for all hosts, so without parameters. */
  readonly title: string
  readonly why: string
  /** By `Finding.cause`. */
  readonly causes: Readonly<Record<string, string>>
  /** What the fix does; only where the rule has one. */
  readonly fix?: string
}

export interface CommonSentences {
  readonly ok: string
  readonly unknown: string
  readonly notChecked: string
  /** Rules that judge other families or protocols alone. */
  readonly otherFamily: string
  readonly otherProtocol: string
  readonly survivesReboot: string
  readonly endsWithReboot: string
}

export type DiagnosisLocale = 'en' | 'zh-CN'

export const sentences: Readonly<
  Record<DiagnosisLocale, { readonly common: CommonSentences; readonly rules: Readonly<Record<RuleId, RuleSentences>> }>
> = {
  en: { common: commonEn, rules: rulesEn },
  'zh-CN': { common: commonZh, rules: rulesZh },
}

export interface FindingText {
  readonly title: string
  readonly why: string
  /** One sentence: what is wrong, or why it is not known. */
  readonly message: string
  /** What the fix does, and whether a reboot ends it; null where there is none. */
  readonly fix: string | null
}

/** A finding in words. A rule that this console does not know yet shows its id and what was read. */
export function describeFinding(finding: Finding, locale: DiagnosisLocale): FindingText {
  const { common, rules } = sentences[locale]
  const id = ruleIds.find((candidate) => candidate === finding.rule)
  if (id === undefined) return { title: finding.rule, why: '', message: finding.found, fix: null }
  const { title, why, causes, fix } = rules[id]
  const { params, status, cause } = finding
  const template =
    cause === 'otherFamily' || cause === 'otherProtocol'
      ? common[cause]
      : status === 'ok' || status === 'unknown' || status === 'notChecked'
        ? common[status]
        : Object.hasOwn(causes, cause)
          ? (causes[cause] as string)
          : finding.found
  const reboot = finding.fix?.survivesReboot === true ? common.survivesReboot : common.endsWithReboot
  return {
    title,
    why: fill(why, params),
    message: fill(template, params),
    fix: finding.fix === null || fix === undefined ? null : joined(fill(fix, params), reboot, locale),
  }
}

function joined(first: string, second: string, locale: DiagnosisLocale): string {
  return locale === 'en' ? `${first} ${second}` : `${first}${second}`
}
